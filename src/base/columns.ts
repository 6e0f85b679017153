/** How wide text is on a terminal, and how it is broken into lines. Pure. */

/** What changes a terminal or the order of what stands on it: control characters, and those of writing direction. */
const HARMFUL =
  /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff](?<![\ud800-\udbff][\udc00-\udfff])/gu;
const NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/gu;
/** East Asian wide and emoji: two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\p{Emoji_Presentation}\u{20000}-\u{3fffd}]/gu;

/** The text with what could do something to a terminal made visible: names, notes and log lines come from anywhere. */
export const harmless = (text: string): string => text.replace(HARMFUL, escaped);

const escaped = (character: string): string => {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
};

/** The same for JSON, which stays the same value. */
export const harmlessJson = (text: string): string =>
  text.replace(HARMFUL, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Columns that a harmless text takes. */
export function columnsOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  const visible = text.replace(NO_WIDTH, '');
  return [...visible].length + (visible.match(WIDE)?.length ?? 0);
}

export const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columnsOf(text)));

/**
 * Lines of at most `width` columns; broken at spaces, which are left out there and nowhere else, and inside of a word only
 * where it is longer than a line. The first line is what the text begins with.
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

/** As much of the text as fits, one character at least. */
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
