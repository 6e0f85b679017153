/** Reads the users of a proxy from a file: a line USER:PASSWORD for each. Errors do not show the passwords. */
import type { Logger } from '../base/logger.js';
import type { ReadOptions } from '../base/small-file.js';
import { readPrivateFile, SecretFileError } from './secret-file.js';

/** Bytes of a name and of a password: what SOCKS 5 carries (RFC 1929). */
const MAX_SIZE = 255;

export interface ProxyUserText {
  readonly name: string;
  /** It may have colons. */
  readonly password: string;
}

/** @throws FileError, SecretFileError */
export function readProxyUsersFile(path: string, log: Logger, options?: ReadOptions): ProxyUserText[] {
  return parseProxyUsers(readPrivateFile(path, { log, what: 'the passwords' }, options).toString('utf8'), path);
}

/** @param name of the file, for errors @throws SecretFileError */
export function parseProxyUsers(text: string, name: string): ProxyUserText[] {
  const lines = text.split(/\r?\n/);
  const users = lines.flatMap((line, index) => (line.trim() === '' ? [] : [parseUser(line, name, index + 1)]));
  if (users.length === 0) throw new SecretFileError('bad-secret', `${name} is empty: write a line USER:PASSWORD`);
  return users;
}

function parseUser(line: string, path: string, number: number): ProxyUserText {
  const colon = line.indexOf(':');
  const [name, password] = [line.slice(0, colon), line.slice(colon + 1)];
  if (colon < 1 || password === '') {
    throw new SecretFileError('bad-secret', `line ${number} of ${path} is not USER:PASSWORD`);
  }
  if (Buffer.byteLength(name) > MAX_SIZE || Buffer.byteLength(password) > MAX_SIZE) {
    const what = 'has a user or password that is too long';
    throw new SecretFileError('bad-secret', `line ${number} of ${path} ${what}: use at most ${MAX_SIZE} bytes`);
  }
  return { name, password };
}
