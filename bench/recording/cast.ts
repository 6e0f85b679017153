/** Recordings of terminals in the format asciicast 2 of asciinema: a line of JSON for the header, and one for each piece of output. */

export interface CastEvent {
  /** Seconds after the beginning. */
  readonly at: number;
  /** Text as the terminal got it; lines end with CR LF. */
  readonly text: string;
}

export interface Cast {
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  readonly events: readonly CastEvent[];
}

/** @returns a whole file */
export function formatCast({ title, columns, rows, events }: Cast): string {
  const header = { version: 2, width: columns, height: rows, title };
  const lines = events.map(({ at, text }) => JSON.stringify([Math.round(at * 1000) / 1000, 'o', text]));
  return `${[JSON.stringify(header), ...lines].join('\n')}\n`;
}

/** @throws SyntaxError when a line is not JSON */
export function parseCast(file: string): Cast {
  const [header = '', ...lines] = file.trimEnd().split('\n');
  const { title, width, height } = JSON.parse(header) as { title: string; width: number; height: number };
  const events = lines.map((line) => {
    const [at, , text] = JSON.parse(line) as [number, string, string];
    return { at, text };
  });
  return { title, columns: width, rows: height, events };
}
