/** What people write about a forward that the daemon keeps up: a server, and `[BIND:]PORT:TARGET`. */
import { FormatError } from './format-error.js';
import { LOOPBACK, parseHost, parsePort, parseToxId, type TargetText } from './formats.js';
import { parseLocalForward } from './forward-text.js';
import { parseLink } from './link.js';
import { errorOfSecret } from './secret-file.js';

export interface LocalPortText {
  /** `any` if the text has no address. */
  readonly bind: string | undefined | 'any';
  readonly port: number;
}

export interface StandingForwardText {
  readonly serverId: ReturnType<typeof parseToxId>;
  readonly secret: string | undefined;
  /** Undefined means all addresses of this machine. */
  readonly bind: string | undefined;
  readonly port: number;
  readonly target: TargetText;
}

const LINK = /^\s*tuntox:/;

/**
 * @param server a link or a Tox ID
 * @param forward `[BIND:]PORT:TARGET`; with a link that has a target, `[BIND:]PORT` is enough
 * @throws FormatError
 */
export function parseStandingForward(server: string, secret: string | undefined, forward: string): StandingForwardText {
  const link = LINK.test(server) ? parseLink(server) : undefined;
  if (link !== undefined && secret !== undefined) {
    throw new FormatError('a link has its secret: leave the other one out');
  }
  const error = secret === undefined ? undefined : errorOfSecret(Buffer.from(secret));
  if (error !== undefined) throw new FormatError(`the secret ${error}`);
  const own = { serverId: link?.serverId ?? parseToxId(server), secret: link?.secret ?? secret };
  if (/^(?:\[[^\]]*\][:@]|[^:@[\]]*[:@])?[0-9]+$/.test(forward)) {
    if (link?.target === undefined) {
      throw new FormatError(`"${forward}" names no target: write it as [BIND:]PORT:TARGET, as in 8080:127.0.0.1:80`);
    }
    return { ...own, ...boundAt(parseLocalPort(forward)), target: link.target };
  }
  const { at, target } = parseLocalForward(forward);
  if (at.kind !== 'port') throw new FormatError(`"${forward}" does not begin with a port, as in 8080:127.0.0.1:80`);
  if (at.port === 0) throw new FormatError(`in "${forward}" 0 is not a port: choose one from 1 to 65535`);
  return { ...own, bind: at.bind, port: at.port, target };
}

const boundAt = ({ bind, port }: LocalPortText) => ({ bind: bind === 'any' ? LOOPBACK : bind, port });

/** Parses `[BIND:]PORT`; the address of IPv6 needs brackets. @throws FormatError */
export function parseLocalPort(text: string): LocalPortText {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\][:@]|([^:@[\]]*)[:@])?([0-9]+)$/.exec(text) ?? [];
  const bind = bracketed ?? plain;
  if (port === undefined || (bind !== undefined && /^[0-9]+$/.test(bind))) {
    throw new FormatError(`"${text}" is not [BIND:]PORT, as in 8080 or 127.0.0.1:8080`);
  }
  if (bind === undefined) return { bind: 'any', port: parsePort(port) };
  return { bind: bind === '' || bind === '*' ? undefined : parseHost(bind, text), port: parsePort(port) };
}
