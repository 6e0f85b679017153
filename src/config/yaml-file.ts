/** The only file that imports yaml: a configuration file as flat keys, each with the line where it stands. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** A value of the file: `network.udp_ports`, what it holds, and where. */
export interface YamlEntry {
  readonly key: string;
  readonly value: unknown;
  /** From 1. */
  readonly line: number;
}

export interface YamlFault {
  readonly line: number;
  readonly message: string;
}

/** Aliases can make a small file huge. */
const MAX_ALIASES = 100;

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
  const walk = (node: unknown, prefix: string): void => {
    if (node === null || (isScalar(node) && node.value === null)) return;
    if (!isMap(node)) {
      const what = prefix === '' ? 'the file' : `"${prefix}"`;
      faults.push({ line: lineOf(node as Node), message: `${what} holds keys with values, one a line, as in key: value` });
      return;
    }
    for (const pair of node.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '?';
      const key = prefix === '' ? name : `${prefix}.${name}`;
      if (isGroup(key)) walk(pair.value, key);
      else entries.push({ key, value: plain(pair.value), line: lineOf(pair.key as Node) });
    }
  };
  const plain = (node: unknown): unknown => {
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map(plain);
    return isMap(node) ? node.toJS(document, { maxAliasCount: MAX_ALIASES }) : null;
  };
  walk(document.contents, '');
  return { entries, faults };
}
