/** What people write about a forward that the daemon keeps up: a server, and a forward as of -L, -D or -R. */
import type { PlaceText } from '../base/local-place.js';
import { FormatError } from './format-error.js';
import { parseHost, parsePort, parseToxId } from './formats.js';
import {
  type ForwardText,
  parseDynamicForward,
  parseLocalForward,
  parsePlace,
  parseReverseForward,
} from './forward-text.js';
import { parseLink } from './link.js';
import { errorOfSecret } from './secret-file.js';

/** A place that the daemon can open again after each start. */
export type KeptPlace = Exclude<PlaceText, { kind: 'descriptor' }>;

export type KeptForwardText = ForwardText & { readonly at: KeptPlace };

/** Names a kept forward by its place. */
export interface KeptPlaceText {
  /** Undefined: of either protocol. */
  readonly protocol: 'udp' | undefined;
  /** The bind `any` stands for a text without an address. */
  readonly place:
    | { readonly kind: 'port'; readonly bind: string | undefined | 'any'; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string };
}

export interface StandingForwardText {
  readonly serverId: ReturnType<typeof parseToxId>;
  readonly secret: string | undefined;
  readonly spec: KeptForwardText;
}

/** Whether a server is given by a link, and not by a Tox ID. */
export const isLink = (server: string): boolean => /^\s*tuntox:/.test(server);
const PARSERS = { local: parseLocalForward, dynamic: parseDynamicForward, reverse: parseReverseForward } as const;

/**
 * @param server a link or a Tox ID
 * @param forward as of -L, -D or -R; with a link that has a target, a place is enough for -L
 * @throws FormatError
 */
export function parseStandingForward(
  server: string,
  secret: string | undefined,
  forward: string,
  kind: ForwardText['kind'] = 'local',
): StandingForwardText {
  const link = isLink(server) ? parseLink(server) : undefined;
  if (link !== undefined && secret !== undefined) {
    throw new FormatError('a link has its secret: leave the other one out');
  }
  const error = secret === undefined ? undefined : errorOfSecret(Buffer.from(secret));
  if (error !== undefined) throw new FormatError(`the secret ${error}`);
  const own = { serverId: link?.serverId ?? parseToxId(server), secret: link?.secret ?? secret };
  const place = kind === 'local' ? placeAlone(forward) : undefined;
  if (place === undefined) return { ...own, spec: kept(PARSERS[kind](forward), forward) };
  if (link?.target === undefined) {
    throw new FormatError(`"${forward}" names no target: write it as [BIND:]PORT:TARGET, as in 8080:127.0.0.1:80`);
  }
  return { ...own, spec: kept({ kind: 'local', at: place, target: link.target }, forward) };
}

/** A place without a target, unless it may be the port and the target of a wrong forward, such as `8080:80`. */
function placeAlone(text: string): PlaceText | undefined {
  if (/^[0-9]+[:@][0-9]+$/.test(text)) throw new FormatError(`"${text}" names no target, as in 8080:127.0.0.1:80`);
  return text.startsWith('udp:') ? undefined : parsePlace(text);
}

/** @throws FormatError for a place that means something else at the next start */
function kept(forward: ForwardText, text: string): KeptForwardText {
  const { at } = forward;
  switch (at.kind) {
    case 'descriptor':
      throw new FormatError(
        `"${text}": the daemon has no sockets of systemd (fd): give a port, or the path of a socket`,
      );
    case 'unix':
      if (!at.path.startsWith('/')) throw new FormatError(`"${at.path}" is not an absolute path: start it with /`);
      return forward as KeptForwardText;
    case 'port':
      if (at.port === 0) throw new FormatError(`in "${text}" 0 is not a port: choose one from 1 to 65535`);
      return forward as KeptForwardText;
  }
}

/** Parses `["udp:"] [BIND:]PORT`, or the path of a socket; the address of IPv6 needs brackets. @throws FormatError */
export function parseKeptPlace(whole: string): KeptPlaceText {
  const isUdp = whole.startsWith('udp:');
  const text = isUdp ? whole.slice('udp:'.length) : whole;
  const protocol = isUdp ? 'udp' : undefined;
  if (text.startsWith('/')) return { protocol, place: { kind: 'unix', path: text.replace(/\\(.)/g, '$1') } };
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\][:@]|([^:@[\]]*)[:@])?([0-9]+)$/.exec(text) ?? [];
  const bind = bracketed ?? plain;
  if (port === undefined || (bind !== undefined && /^[0-9]+$/.test(bind))) {
    throw new FormatError(`"${text}" is not [BIND:]PORT, as in 8080 or 127.0.0.1:8080, nor the path of a socket`);
  }
  const number = parsePort(port);
  if (bind === undefined) return { protocol, place: { kind: 'port', bind: 'any', port: number } };
  const address = bind === '' || bind === '*' ? undefined : parseHost(bind, text);
  return { protocol, place: { kind: 'port', bind: address, port: number } };
}
