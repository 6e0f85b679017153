/** Removes what editors and copying add to a text. */
const UTF16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/** Returns whether the text begins with a mark of UTF-16. */
export const isUtf16 = (bytes: Buffer): boolean => UTF16_MARKS.some((mark) => bytes.indexOf(mark) === 0);

/**
 * Removes what copying adds to a key or an ID: the `tox:` of links, and all white space, including invisible characters (zero width,
 * byte order mark).
 */
export const withoutCopyMarks = (text: string): string =>
  text.replaceAll(/[\s\u200b-\u200f\u2060\ufeff]/gu, '').replace(/^tox:(?:\/\/)?/i, '');
