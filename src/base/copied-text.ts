/** What editors and copying add to a text that people hand over. */

const UTF16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/** Whether the mark at the start says that this is UTF-16, of either byte order. */
export const isUtf16 = (bytes: Buffer): boolean => UTF16_MARKS.some((mark) => bytes.indexOf(mark) === 0);

/**
 * What copying adds to a key or an ID: the `tox:` of links, and white space of all kinds, also that which nobody sees (zero width,
 * byte order mark).
 */
export const withoutCopyMarks = (text: string): string =>
  text.replaceAll(/[\s\u200b-\u200f\u2060\ufeff]/gu, '').replace(/^tox:(?:\/\/)?/i, '');
