/** What stands on a terminal after an output: plain text, with the lines that were rewritten in place as they ended. */
const COLUMNS = 80;
const ESCAPE = '\x1b';
const ERASE_LINE = `${ESCAPE}[K`;
/** With it a program that has the whole screen begins to draw it. */
const HOME = `${ESCAPE}[H`;

/** Returns the last screen that a program has drawn to its end, as it draws the next one. */
export const lastScreen = (output: string): string => output.split(HOME).at(-2) ?? '';

export function pictureOf(output: string): string {
  const rows: string[][] = [[]];
  let column = 0;
  const row = (): string[] => rows.at(-1) as string[];
  let rest = output;
  while (rest !== '') {
    const sequence = rest.startsWith(ESCAPE) ? (/^.\[[0-9;?]*[A-Za-z]/s.exec(rest)?.[0] ?? ESCAPE) : undefined;
    const character = sequence ?? (String.fromCodePoint(rest.codePointAt(0) as number) as string);
    rest = rest.slice(character.length);
    if (character === ERASE_LINE) row().length = column;
    else if (sequence !== undefined) continue;
    else if (character === '\r') column = 0;
    else if (character === '\n') {
      rows.push([]);
      column = 0;
    } else {
      if (column === COLUMNS) {
        rows.push([]);
        column = 0;
      }
      while (row().length < column) row().push(' ');
      row()[column] = character;
      column += 1;
    }
  }
  const lines = rows.map((characters) => characters.join('').trimEnd());
  return `${lines.join('\n').trimEnd()}\n`;
}
