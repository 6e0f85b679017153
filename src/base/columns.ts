/** The width of text on a terminal, and its lines. Pure. */
import { stripVTControlCharacters } from 'node:util';

/** Characters that control a terminal or the direction of writing, and lone surrogates. */
const HARMFUL =
  /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff](?<![\ud800-\udbff][\udc00-\udfff])/gu;
const NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/gu;
/** East Asian wide characters and emoji take two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\p{Emoji_Presentation}\u{20000}-\u{3fffd}]/gu;

/** Escapes the characters that could control a terminal: names, notes and log lines come from strangers. */
export const harmless = (text: string): string => text.replace(HARMFUL, escaped);

const escaped = (character: string): string => {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
};

/** Escapes the same characters in JSON, whose value does not change. */
export const harmlessJson = (text: string): string =>
  text.replace(HARMFUL, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Returns the columns that an escaped text takes. */
export function columnsOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  const visible = text.replace(NO_WIDTH, '');
  return [...visible].length + (visible.match(WIDE)?.length ?? 0);
}

export const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columnsOf(text)));

/** Cuts a text that is too wide, with a sign for what is missing. */
export function shortened(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  const head = width < 2 ? '' : headOf(text, width - 1);
  return width < 1 ? '' : `${columnsOf(head) < width ? head : ''}…`;
}

/**
 * Breaks a text into lines of at most `width` columns: at spaces, which are removed there, and inside a word only if it is longer
 * than a line. The text begins with the first line.
 */
export function wrapped(text: string, width: number): string[] {
  if (columnsOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const [all, word = ''] of text.matchAll(/ *([^ ]+)/g)) {
    const longer = lines.length > 0 && line === '' ? word : line + all;
    if (columnsOf(longer) <= width) {
      line = longer;
      continue;
    }
    const isFirst = lines.length === 0 && line === '';
    if (line !== '') lines.push(line);
    line = isFirst ? all : word;
    while (columnsOf(line) > width) {
      const head = headOf(line, width);
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** Returns as much of the text as fits, but at least one character. */
function headOf(text: string, width: number): string {
  let head = '';
  let columns = 0;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width && head !== '') break;
    head += character;
  }
  return head;
}

/** Breaks a line at spaces, for a terminal. A word longer than the line is left to the terminal, from which it can be copied whole. */
export function betweenWords(line: string, columns: number): string {
  let used = 0;
  return line.replace(/( *)([^ ]+)/g, (_all, spaces: string, word: string) => {
    const width = columnsOf(stripVTControlCharacters(word));
    const isFirst = used === 0;
    const isBroken = !isFirst && used + spaces.length + width > columns;
    used = isBroken ? width : used + spaces.length + width;
    return isBroken ? `\n${word}` : spaces + word;
  });
}

/** Returns a text for a stream: on a terminal its lines are broken between words. */
export function fitted(
  text: string,
  { isTTY, columns = 0 }: { readonly isTTY?: boolean; readonly columns?: number },
): string {
  const lines = text.split('\n');
  return (isTTY === true && columns > 0 ? lines.map((line) => betweenWords(line, columns)) : lines).join('\n');
}
