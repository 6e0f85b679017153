/** A forward that the daemon keeps up, and how it is stored. */
import { CodedError } from '../../base/coded-error.js';
import { type LocalPlace, placeText } from '../../base/local-place.js';
import { errorOfSecret } from '../../config/secret-file.js';
import { ToxId } from '../../tox/crypto/tox-id.js';
import type { DynamicSpec, ForwardSpec } from '../../tunnel/client/forward-spec.js';
import type { Target } from '../../tunnel/wire/target.js';
import type { JsonFormat } from '../state/json-file.js';

/** The message is for the owner. */
export class ForwardError extends CodedError<'exists' | 'not-found' | 'ambiguous' | 'full' | 'own-id'> {}

/** A descriptor of systemd would be another one after the next start. */
export type KeptSpec = ForwardSpec & { readonly at: Exclude<LocalPlace, { kind: 'descriptor' }> };

export interface ForwardEntry {
  readonly spec: KeptSpec;
  readonly server: {
    readonly id: ToxId;
    /** What the owner calls it; undefined for one that was given by its Tox ID. */
    readonly name: string | undefined;
    /** Undefined if the server needs none. */
    readonly secret: Buffer | undefined;
  };
  /** Unix time, s. */
  readonly addedAt: number;
}

type Forwards = readonly ForwardEntry[];

export const MAX_FORWARDS = 256;

/** `127.0.0.1:8080`, `udp:127.0.0.1:53`, `/run/db.sock`; `-R 127.0.0.1:8080` for a port of the server. */
export function forwardName({ spec }: Pick<ForwardEntry, 'spec'>): string {
  if (spec.kind === 'reverse') return `-R ${placeText(spec.at)}`;
  return `${protocolOf(spec) === 'udp' ? 'udp:' : ''}${placeText(spec.at)}`;
}

/** The name, with the server where that is part of the place. */
export const forwardLabel = (entry: ForwardEntry): string =>
  entry.spec.kind === 'reverse' ? `${forwardName(entry)} of ${serverName(entry)}` : forwardName(entry);

const serverName = ({ server }: ForwardEntry): string => server.name ?? server.id.publicKey.short;

const protocolOf = (spec: KeptSpec): Target['protocol'] => (spec.kind === 'local' ? spec.target.protocol : undefined);

/** A place has one forward: that of this machine, or that of one server. */
export const isSameForward = (one: ForwardEntry, other: ForwardEntry): boolean =>
  forwardName(one) === forwardName(other) &&
  (one.spec.kind !== 'reverse' || one.server.id.publicKey.equals(other.server.id.publicKey));

/** @throws ForwardError `exists`, `full` */
export function withForward(forwards: Forwards, entry: ForwardEntry): Forwards {
  if (forwards.some((one) => isSameForward(one, entry))) {
    throw new ForwardError('exists', `there is a forward at ${forwardName(entry)} already`);
  }
  if (forwards.length >= MAX_FORWARDS) throw new ForwardError('full', `there are ${MAX_FORWARDS} forwards`);
  return [...forwards, entry];
}

/** Names a forward. */
export interface WantedForward {
  readonly isReverse: boolean;
  /** The bind `any` finds it at whatever address it is. */
  readonly place:
    | { readonly kind: 'port'; readonly bind: string | undefined | 'any'; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string };
  /** Undefined: of either protocol. */
  readonly protocol: 'udp' | undefined;
  /** What the owner calls its server; undefined: any. */
  readonly server: string | undefined;
}

/** @throws ForwardError `not-found`, `ambiguous` */
export function findForward(forwards: Forwards, wanted: WantedForward): ForwardEntry {
  const found = forwards.filter((one) => isWanted(one, wanted));
  const [first, second] = found;
  if (first === undefined) throw new ForwardError('not-found', `there is no forward at ${wantedText(wanted)}`);
  if (second === undefined) return first;
  const names = found.map((one) => `${forwardName(one)} (${serverName(one)})`);
  throw new ForwardError('ambiguous', `there are forwards at ${names.join(' and ')}: name one of them`);
}

function isWanted({ spec, server }: ForwardEntry, wanted: WantedForward): boolean {
  const { place } = wanted;
  if ((spec.kind === 'reverse') !== wanted.isReverse) return false;
  if (wanted.protocol !== undefined && wanted.protocol !== protocolOf(spec)) return false;
  if (wanted.server !== undefined && wanted.server !== server.name) return false;
  if (place.kind === 'unix') return spec.at.kind === 'unix' && spec.at.path === place.path;
  return (
    spec.at.kind === 'port' && spec.at.port === place.port && (place.bind === 'any' || place.bind === spec.at.bind)
  );
}

function wantedText({ isReverse, place, protocol, server }: WantedForward): string {
  const at = place.kind === 'port' && place.bind === 'any' ? `port ${place.port}` : placeText(place);
  return `${isReverse ? '-R ' : ''}${protocol === 'udp' ? 'udp:' : ''}${at}${server === undefined ? '' : ` of ${server}`}`;
}

export const forwardsFormat: JsonFormat<Forwards> = {
  name: 'forwards.json',
  // 1 had local ports and TCP alone: bind, port and target of each.
  version: 2,
  oldest: 1,
  initial: [],
  encode: (forwards) => ({
    forwards: forwards.map(({ spec, server, addedAt }) => ({
      kind: spec.kind,
      ...(spec.at.kind === 'unix' ? { path: spec.at.path } : { bind: spec.at.bind ?? null, port: spec.at.port }),
      ...encodeTarget(spec),
      server: {
        name: server.name ?? null,
        tox_id: server.id.toString(),
        secret: server.secret?.toString() ?? null,
      },
      added_at: addedAt,
    })),
  }),
  decode: ({ forwards }) => {
    if (!Array.isArray(forwards)) throw new Error('it has no list "forwards"');
    if (forwards.length > MAX_FORWARDS) throw new Error(`it has more than ${MAX_FORWARDS} forwards`);
    const decoded = forwards.map((one, index) => decodeForward(one, index + 1));
    const twice = decoded.find((one, index) => decoded.findIndex((other) => isSameForward(one, other)) !== index);
    if (twice !== undefined) throw new Error(`${forwardName(twice)} is there twice`);
    return decoded;
  },
};

/** What a connection reaches, or who may name it. */
function encodeTarget(spec: KeptSpec) {
  if (spec.kind === 'dynamic' || spec.target === undefined)
    return spec.kind === 'local' || spec.users === undefined
      ? {}
      : { users: spec.users.map(({ name, password }) => ({ name, password })) };
  const { host, port, protocol } = spec.target;
  return { target: protocol === undefined ? { host, port } : { host, port, protocol } };
}

/** @throws Error that does not show the secret */
function decodeForward(value: unknown, place: number): ForwardEntry {
  const { server, added_at: addedAt, ...rest } = objectOf(value);
  const invalid = (field: string): never => {
    throw new Error(`forward ${place}: its "${field}" is invalid`);
  };
  const spec = decodeSpec(rest, invalid);
  const { name, tox_id: toxId, secret } = objectOf(server);
  const id = isText(toxId) ? ToxId.parse(toxId) : undefined;
  if (!(id instanceof ToxId)) return invalid('server.tox_id');
  if (name !== null && !isText(name)) return invalid('server.name');
  if (secret !== null && !isSecret(secret)) return invalid('server.secret');
  if (!Number.isSafeInteger(addedAt)) return invalid('added_at');
  return {
    spec,
    server: { id, name: name ?? undefined, secret: secret === null ? undefined : Buffer.from(secret) },
    addedAt: addedAt as number,
  };
}

function decodeSpec(value: Record<string, unknown>, invalid: (field: string) => never): KeptSpec {
  const { kind = 'local', path, bind, port } = value;
  if (kind !== 'local' && kind !== 'dynamic' && kind !== 'reverse') return invalid('kind');
  if (kind !== 'reverse' && path !== undefined) {
    if (!isText(path) || !path.startsWith('/')) return invalid('path');
    const at = { kind: 'unix', path } as const;
    if (kind === 'dynamic') return { kind, at, ...decodeUsers(value.users, invalid) };
    return { kind, at, target: decodeTarget(value.target, invalid) };
  }
  if (bind !== null && !isText(bind)) return invalid('bind');
  if (!isPort(port) || port === 0) return invalid('port');
  const at = { kind: 'port', bind: bind ?? undefined, port } as const;
  if (kind === 'dynamic' || (kind === 'reverse' && value.target === undefined))
    return { kind, at, ...decodeUsers(value.users, invalid) };
  return { kind, at, target: decodeTarget(value.target, invalid) };
}

/** A list that cannot be read must not become none, which admits everybody. */
function decodeUsers(value: unknown, invalid: (field: string) => never): Pick<DynamicSpec, 'users'> {
  if (value === undefined) return {};
  if (!Array.isArray(value) || value.length === 0) return invalid('users');
  const users = value.map((one) => {
    const { name, password } = objectOf(one);
    return isText(name) && isText(password) ? { name, password } : invalid('users');
  });
  return { users };
}

function decodeTarget(value: unknown, invalid: (field: string) => never): Target {
  const { host, port, protocol } = objectOf(value);
  if (!isText(host) || !isPort(port)) return invalid('target');
  if (protocol !== undefined && protocol !== 'udp') return invalid('target');
  return protocol === undefined ? { host, port } : { host, port, protocol };
}

const isSecret = (value: unknown): value is string =>
  typeof value === 'string' && errorOfSecret(Buffer.from(value)) === undefined;
const objectOf = (value: unknown): Record<string, unknown> => (value ?? {}) as Record<string, unknown>;
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
/** 0 is that of a service and of a Unix socket, which are asked for by name. */
const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff;
