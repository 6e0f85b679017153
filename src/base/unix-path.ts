/** Bytes of the path of a Unix socket (sun_path without its zero); Node would cut off the rest. */
export const MAX_UNIX_PATH = 107;

/** Whether a text is the absolute path of a Unix socket that a client can ask for: printable ASCII without spaces. */
export const isUnixPath = (text: string): boolean =>
  text.startsWith('/') && text.length <= MAX_UNIX_PATH && /^[!-~]+$/.test(text);
