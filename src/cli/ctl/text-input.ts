/** A text that somebody gives in a file or on standard input. */
import type { Readable } from 'node:stream';
import { isUtf16 } from '../../base/copied-text.js';
import { CtlError, usage } from './ctl-error.js';

/** @param name of where it is from, for messages. @throws CtlError `usage` */
export function decodeText(bytes: Buffer, name: string): string {
  if (isUtf16(bytes)) throw usage(`${name} is in UTF-16`, 'save it as UTF-8');
  // The mark that some editors put before a text is none of it.
  return bytes.toString().replace(/^\ufeff/, '');
}

/** All of a stream. @param name of it, for messages. @throws CtlError when there is more than `limit` bytes */
export async function readText(input: Readable, limit: number, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk as Buffer));
    length += (chunk as Buffer).length;
    if (length > limit) throw new CtlError('usage', `there is more than ${limit} bytes on ${name}`);
  }
  return decodeText(Buffer.concat(chunks), name);
}
