/** A forward that the daemon keeps up: a local port that leads to a target of a server, and how it is stored. */
import { CodedError } from '../../base/coded-error.js';
import { hostAndPort } from '../../base/endpoint.js';
import { errorOfSecret } from '../../config/secret-file.js';
import { ToxId } from '../../tox/crypto/tox-id.js';
import type { LocalSpec } from '../../tunnel/client/forward-spec.js';
import type { JsonFormat } from '../state/json-file.js';

/** The message is for the owner. */
export class ForwardError extends CodedError<'exists' | 'not-found' | 'ambiguous' | 'full' | 'own-id'> {}

export interface ForwardEntry extends Pick<LocalSpec, 'target'> {
  /** An address or a name of this machine; undefined means all its addresses. */
  readonly bind: string | undefined;
  readonly port: number;
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

/** The local end of a forward, which names it. */
export type LocalPort = Pick<ForwardEntry, 'bind' | 'port'>;

export const specOf = ({ bind, port, target }: ForwardEntry): LocalSpec => ({
  kind: 'local',
  at: { kind: 'port', bind, port },
  target,
});

export const localPortText = ({ bind, port }: LocalPort): string => hostAndPort({ host: bind ?? '*', port });

export const isSamePort = (one: LocalPort, other: LocalPort): boolean =>
  one.port === other.port && one.bind === other.bind;

/** @throws ForwardError `exists`, `full` */
export function withForward(forwards: Forwards, entry: ForwardEntry): Forwards {
  if (forwards.some((one) => isSamePort(one, entry))) {
    throw new ForwardError('exists', `there is a forward at ${localPortText(entry)} already`);
  }
  if (forwards.length >= MAX_FORWARDS) throw new ForwardError('full', `there are ${MAX_FORWARDS} forwards`);
  return [...forwards, entry];
}

/**
 * Finds the forward at a local port. @param bind `any` finds it at whatever address it is
 * @throws ForwardError `not-found`, `ambiguous`
 */
export function findForward(
  forwards: Forwards,
  { bind, port }: { readonly bind: LocalPort['bind'] | 'any'; port: number },
) {
  const found = forwards.filter((one) => one.port === port && (bind === 'any' || one.bind === bind));
  const [first, second] = found;
  const at = bind === 'any' ? `port ${port}` : localPortText({ bind, port });
  if (first === undefined) throw new ForwardError('not-found', `there is no forward at ${at}`);
  if (second === undefined) return first;
  const names = found.map(localPortText).join(' and ');
  throw new ForwardError('ambiguous', `there are forwards at ${names}: name one of them`);
}

export const forwardsFormat: JsonFormat<Forwards> = {
  name: 'forwards.json',
  version: 1,
  initial: [],
  encode: (forwards) => ({
    forwards: forwards.map(({ bind, port, target, server, addedAt }) => ({
      bind: bind ?? null,
      port,
      target: { host: target.host, port: target.port },
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
    const twice = decoded.find((one, index) => decoded.findIndex((other) => isSamePort(one, other)) !== index);
    if (twice !== undefined) throw new Error(`${localPortText(twice)} is there twice`);
    return decoded;
  },
};

/** @throws Error that does not show the secret */
function decodeForward(value: unknown, place: number): ForwardEntry {
  const { bind, port, target, server, added_at: addedAt } = objectOf(value);
  const invalid = (field: string): never => {
    throw new Error(`forward ${place}: its "${field}" is invalid`);
  };
  if (bind !== null && !isText(bind)) return invalid('bind');
  if (!isPort(port) || port === 0) return invalid('port');
  const { host, port: targetPort } = objectOf(target);
  if (!isText(host) || !isPort(targetPort)) return invalid('target');
  const { name, tox_id: toxId, secret } = objectOf(server);
  const id = isText(toxId) ? ToxId.parse(toxId) : undefined;
  if (!(id instanceof ToxId)) return invalid('server.tox_id');
  if (name !== null && !isText(name)) return invalid('server.name');
  if (secret !== null && !isSecret(secret)) return invalid('server.secret');
  if (!Number.isSafeInteger(addedAt)) return invalid('added_at');
  return {
    bind: bind ?? undefined,
    port,
    target: { host, port: targetPort },
    server: { id, name: name ?? undefined, secret: secret === null ? undefined : Buffer.from(secret) },
    addedAt: addedAt as number,
  };
}

const objectOf = (value: unknown): Record<string, unknown> => (value ?? {}) as Record<string, unknown>;
const isSecret = (value: unknown): value is string =>
  typeof value === 'string' && errorOfSecret(Buffer.from(value)) === undefined;
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
/** 0 is that of a service, which is asked for by its name. */
const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff;
