/** Reads a QR code as a camera does that is pointed at the terminal: the characters become an image, which zbar decodes. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { tool } from './requirements.js';

export const ZBAR = tool('zbarimg', 'zbar-tools');

/** Pixels of each module of the code. */
const SCALE = 4;
const LIGHT = 255;
const DARK = 0;
/** The light parts of a character: its upper and its lower half. */
const HALVES: Readonly<Record<string, readonly [number, number]>> = {
  '█': [LIGHT, LIGHT],
  '▀': [LIGHT, DARK],
  '▄': [DARK, LIGHT],
  ' ': [DARK, DARK],
};

/** Returns the lines of a code that are somewhere in an output; colours do not matter. */
export const codeIn = (output: string): readonly string[] =>
  stripVTControlCharacters(output)
    .split('\n')
    .filter((line) => /^[█▀▄ ]{20,}$/.test(line));

/** @param directory for the image @throws Error when there is no code in it */
export function readQrCode(lines: readonly string[], directory: string): string {
  const rows = lines.flatMap((line) => {
    const halves = [...line].map((character) => HALVES[character] ?? [DARK, DARK]);
    return [0, 1].map((half) => halves.map((one) => one[half] as number));
  });
  const stretched = rows.flatMap((row) => Array(SCALE).fill(row.flatMap((pixel) => Array<number>(SCALE).fill(pixel))));
  const pixels = Buffer.from(stretched.flat() as number[]);
  const file = join(directory, 'code.pgm');
  const width = (rows[0]?.length ?? 0) * SCALE;
  writeFileSync(file, Buffer.concat([Buffer.from(`P5 ${width} ${rows.length * SCALE} 255\n`), pixels]));
  return execFileSync('zbarimg', ['--quiet', '--raw', '-S*.disable', '-Sqrcode.enable', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
    .toString()
    .trim();
}
