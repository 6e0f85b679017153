/** Values of the control protocol as text for people: clients, keys, targets, times. Pure. */
import { unixTimeOfRfc3339 } from '../../base/clock.js';
import { hostAndPort, targetText } from '../../base/endpoint.js';
import { shortKey } from '../../base/short-key.js';
import { dateText } from '../../base/units.js';
import type { Result } from '../../control/protocol.js';

type ClientName = Pick<Result<'ping'>['client'], 'name' | 'publicKey'>;

const ID_END = 5;

/** Returns the name, if there is one, and the beginning of the key. */
export const nameOf = ({ name, publicKey }: ClientName): string =>
  name === null ? shortKey(publicKey) : `${name} ${shortKey(publicKey)}`;

/** Returns the cells below NAME_COLUMNS. */
export const nameCells = ({ name, publicKey }: ClientName): [string, string] => [name ?? '-', shortKey(publicKey)];
export const NAME_COLUMNS = [
  { heading: 'CLIENT', narrowest: 6 },
  { heading: '', gap: 1 },
] as const;

/** Returns both ends of a Tox ID. */
export const shortId = (toxId: string): string => `${shortKey(toxId)}…${toxId.slice(-ID_END)}`;

/** The target of a tunnel; the port of the daemon, for what came by tuntox -R. */
export const connectionText = ({
  kind,
  target,
}: Pick<Result<'connections.list'>['connections'][number], 'kind' | 'target'>): string =>
  kind === 'tunnel' ? targetText(target) : `-R ${targetText(target)}`;

/** Describes the targets of a whitelist entry. */
export const allowText = (allow: readonly string[]): string => (allow.length === 0 ? 'any' : allow.join(' '));

/** Describes the targets and the ports of a whitelist entry or an invitation. */
export const accessText = ({
  allow,
  allowReverse,
}: Readonly<Record<'allow' | 'allowReverse', readonly string[]>>): string =>
  [allowText(allow), ...(allowReverse.length === 0 ? [] : [`-R ${allowReverse.join(' ')}`])].join('  ');

/** Returns the date and time of day on this machine. */
export const timeText = (time: string, hasSeconds = false): string =>
  dateText(unixTimeOfRfc3339(time) ?? 0, hasSeconds);

/** Returns ms from a time to `now`, which is a Unix time in s. */
export const elapsedSince = (time: string, now: number): number => (now - (unixTimeOfRfc3339(time) ?? now)) * 1000;

/** Where a forward listens: `127.0.0.1:8080`, `udp:127.0.0.1:53`, `/run/db.sock`. */
export function forwardPlace({
  bind,
  port,
  socket,
  target,
  kind,
}: {
  readonly bind: string | null;
  readonly port: number;
  readonly socket: string | null;
  readonly target: string | null;
  readonly kind: string;
}): string {
  if (socket !== null) return socket;
  const isUdp = kind === 'local' && target?.startsWith('udp:') === true;
  return `${isUdp ? 'udp:' : ''}${hostAndPort({ host: bind ?? '*', port })}`;
}
