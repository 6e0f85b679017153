/** A text that somebody gives in a file or on standard input. */
import { isUtf16 } from '../../base/copied-text.js';
import { usage } from './ctl-error.js';

/** @param name of where it is from, for messages. @throws CtlError `usage` */
export function decodeText(bytes: Buffer, name: string): string {
  if (isUtf16(bytes)) throw usage(`${name} is in UTF-16`, 'save it as UTF-8');
  // The mark that some editors put before a text is none of it.
  return bytes.toString().replace(/^\ufeff/, '');
}
