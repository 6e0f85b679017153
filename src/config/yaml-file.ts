/** The only file that imports yaml: reads a settings file as flat keys, each with its line. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

export interface YamlEntry {
  /** `network.udp_ports`. */
  readonly key: string;
  readonly value: unknown;
  /** Lines are counted from 1. */
  readonly line: number;
  /** The line of each entry of a list. */
  readonly itemLines: readonly number[];
}

export interface YamlError {
  readonly line: number;
  readonly message: string;
}

/**
 * @param isGroup whether a key contains keys; the others contain values
 * @returns errors if the text is not YAML, or does not consist of keys with values
 */
export function readYaml(
  text: string,
  isGroup: (key: string) => boolean,
): { readonly entries: readonly YamlEntry[]; readonly errors: readonly YamlError[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineOf = (node: Node | null | undefined): number => lines.linePos(node?.range?.[0] ?? 0).line;
  const errors = document.errors.map(({ pos, message }) => ({ line: lines.linePos(pos[0]).line, message }));
  if (errors.length > 0) return { entries: [], errors };
  const entries: YamlEntry[] = [];
  const firstLines = new Map<string, number>();
  const walk = (node: unknown, prefix: string): void => {
    if (node === null || (isScalar(node) && node.value === null)) return;
    if (!isMap(node)) {
      const what = prefix === '' ? 'the file' : `"${prefix}"`;
      errors.push({
        line: lineOf(node as Node),
        message: `${what} must contain keys with values, one per line, as in key: value`,
      });
      return;
    }
    for (const pair of node.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '?';
      const key = prefix === '' ? name : `${prefix}.${name}`;
      const line = lineOf(pair.key as Node);
      const first = firstLines.get(key);
      if (first !== undefined) errors.push({ line, message: `"${key}" is already in line ${first}: keep one of them` });
      firstLines.set(key, line);
      if (isGroup(key)) {
        walk(pair.value, key);
        continue;
      }
      const itemLines = isSeq(pair.value) ? pair.value.items.map((item) => lineOf(item as Node)) : [];
      entries.push({ key, value: plain(pair.value), line, itemLines });
    }
  };
  const plain = (node: unknown): unknown => {
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map(plain);
    // Aliases can make a small file huge, and no setting needs them.
    if (isAlias(node)) errors.push({ line: lineOf(node), message: 'aliases (*) are not supported: write the value' });
    // The check refuses it: no setting contains keys.
    return isMap(node) ? {} : null;
  };
  walk(document.contents, '');
  return { entries, errors };
}
