/** Which ports of this machine a client may have opened for itself (-R): `[BIND:]PORT`, as ssh's PermitListen has it. */
import { hostAndPort } from '../../base/endpoint.js';
import { FormatError } from '../../config/format-error.js';
import { parseHost, parsePortOrNone } from '../../config/formats.js';
import { isBindText, type ListenPlace } from '../../tunnel/wire/listen.js';
import { canonicalHost, literalAddress } from '../../tunnel/wire/target.js';

export interface ListenPermission {
  /** A name or an address; undefined: every address of this machine, and all of them together. */
  readonly bind: string | undefined;
  /** 0: every port from 1024 on. */
  readonly port: number;
}

/** Only programs of this machine reach it. */
const LOCALHOST = 'localhost';
const IPV6_LOOPBACK = '::1';
const LOOPBACK: readonly string[] = [LOCALHOST, '127.0.0.1', IPV6_LOOPBACK];
/** Below, only the system's administrator opens ports, so such a port has to be named. */
const FIRST_UNPRIVILEGED = 1024;

/** Parses `8080`, `0`, `*:8080`, `192.0.2.1:8080` or `[::1]:8080`. @throws FormatError */
export function parseListenPermission(text: string): ListenPermission {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]:|([^:[\]]*):)?([0-9]+)$/.exec(text) ?? [];
  const bind = bracketed ?? plain;
  if (port === undefined) throw notPermission(text);
  if (bind === '*' || bind === '') return { bind: undefined, port: parsePortOrNone(port) };
  const host = bind === undefined ? LOCALHOST : canonicalHost(parseHost(bind, text));
  if (!isBindText(host)) throw notPermission(text);
  return { bind: host, port: parsePortOrNone(port) };
}

const notPermission = (text: string): FormatError =>
  new FormatError(`"${text}" is not [BIND:]PORT, as in 8080, *:8080 or [::1]:8080; port 0 means any`);

/** `localhost:8080`, `*:0`. */
export const listenPermissionText = ({ bind = '*', port }: ListenPermission): string =>
  hostAndPort({ host: bind, port });

export function mayListen(permissions: readonly ListenPermission[], place: ListenPlace): boolean {
  return permissions.some((permission) => hasPort(permission, place.port) && hasAddress(permission, place.bind));
}

const hasPort = ({ port }: ListenPermission, wanted: number): boolean =>
  port === wanted || (port === 0 && wanted >= FIRST_UNPRIVILEGED);

function hasAddress({ bind, port }: ListenPermission, wanted: string | undefined): boolean {
  if (wanted === undefined) return bind === undefined;
  const host = canonicalHost(wanted);
  // Another name of the client's choice would have to be looked up.
  if (bind === undefined) return host === LOCALHOST || literalAddress(host) !== undefined;
  if (host === bind) return true;
  if (bind !== LOCALHOST || !LOOPBACK.includes(host)) return false;
  // Programs try ::1 first for localhost: there, a client could take the place of any service that listens on 127.0.0.1 alone.
  return host !== IPV6_LOOPBACK || port !== 0;
}

/** Returns the permission that a place needs, as its owner types it: a shell would expand an asterisk and brackets. */
export function permissionFor({ bind = '*', port }: ListenPlace): string {
  const host = canonicalHost(bind);
  const isShort = LOOPBACK.includes(host) && !(host === IPV6_LOOPBACK && port === 0);
  const text = isShort ? String(port) : hostAndPort({ host, port });
  return /[*[]/.test(text) ? `'${text}'` : text;
}
