/** QR codes for a terminal. */

/** A QR code needs dark on light: the blocks are its light parts, so they are white on black in every terminal. */
const INK = '\x1b[97;40m';
const PLAIN = '\x1b[0m';

/** Returns the lines of a code: each has two rows of it, and the border is part of it. */
export async function qrLines(text: string, hasColour: boolean): Promise<string[]> {
  const { renderUnicodeCompact } = await import('uqr');
  const lines = renderUnicodeCompact(text, { ecc: 'L', border: 2 }).split('\n');
  return hasColour ? lines.map((line) => `${INK}${line}${PLAIN}`) : lines;
}
