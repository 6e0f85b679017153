/** Known answers from test/vectors, which the compiled tests read from the source tree. */
import { readFileSync } from 'node:fs';

/** The bytes of a file of hex digits and line breaks. */
export function readHexVector(name: string): Buffer {
  const text = readFileSync(new URL(`../../../test/vectors/${name}`, import.meta.url), 'latin1');
  return Buffer.from(text.replace(/\s/g, ''), 'hex');
}
