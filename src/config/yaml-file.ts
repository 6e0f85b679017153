/** The only file that imports yaml: a configuration file as flat keys, each with the line where it stands. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** A value of the file: `network.udp_ports`, what it holds, and where. */
export interface YamlEntry {
  readonly key: string;
  readonly value: unknown;
  /** From 1. */
  readonly line: number;
  /** Of each entry, where the value is a list. */
  readonly itemLines: readonly number[];
}

export interface YamlFault {
  readonly line: number;
  readonly message: string;
}

/**
 * @param isGroup whether a key has keys inside it; all others are taken with what they hold
 * @returns faults when the text is not YAML, or not keys with values
 */
export function readYaml(
  text: string,
  isGroup: (key: string) => boolean,
): { readonly entries: readonly YamlEntry[]; readonly faults: readonly YamlFault[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineOf = (node: Node | null | undefined): number => lines.linePos(node?.range?.[0] ?? 0).line;
  const faults = document.errors.map(({ pos, message }) => ({ line: lines.linePos(pos[0]).line, message }));
  if (faults.length > 0) return { entries: [], faults };
  const entries: YamlEntry[] = [];
  const firstLines = new Map<string, number>();
  const walk = (node: unknown, prefix: string): void => {
    if (node === null || (isScalar(node) && node.value === null)) return;
    if (!isMap(node)) {
      const what = prefix === '' ? 'the file' : `"${prefix}"`;
      faults.push({
        line: lineOf(node as Node),
        message: `${what} holds keys with values, one a line, as in key: value`,
      });
      return;
    }
    for (const pair of node.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '?';
      const key = prefix === '' ? name : `${prefix}.${name}`;
      const line = lineOf(pair.key as Node);
      const first = firstLines.get(key);
      if (first !== undefined)
        faults.push({ line, message: `"${key}" stands in line ${first} already: keep one of them` });
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
    // They can make a small file huge, and no setting is so long that it needs them.
    if (isAlias(node))
      faults.push({ line: lineOf(node), message: 'an alias (*) stands for no value here: write the value' });
    // No setting holds keys: what it holds does not matter.
    return isMap(node) ? {} : null;
  };
  walk(document.contents, '');
  return { entries, faults };
}
