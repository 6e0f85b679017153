/** A server that a client keeps under a name, and how it is stored. */
import { ALIAS } from '../../base/alias.js';
import { CodedError } from '../../base/coded-error.js';
import { shortKey } from '../../base/short-key.js';
import { NAME_ADVICE, plainHostName } from '../../config/host-name.js';
import { errorOfSecret } from '../../config/secret-file.js';
import type { JsonFormat } from '../state/json-file.js';

/** The message is for the user. */
export class HostError extends CodedError<'changed-key' | 'unknown' | 'not-ours' | 'not-tried'> {}

export interface Host {
  /** In lower case. */
  readonly name: string;
  /** 76 hex digits; in upstream's file, whatever is written there. */
  readonly toxId: string;
  /** The key that was seen first, 64 upper-case hex digits; undefined in upstream's file, which pins none. */
  readonly pinnedKey: string | undefined;
  /** Undefined if the server needs none. */
  readonly secret: string | undefined;
  /** Unix time, s; undefined in upstream's file. */
  readonly addedAt: number | undefined;
}

/** A host of our own file. */
export type StoredHost = Host & { readonly pinnedKey: string; readonly addedAt: number };

/** Hex digits of the public key, with which a Tox ID begins. */
const KEY_DIGITS = 64;
const TOX_ID = /^[0-9A-F]{76}$/;
const KEY = /^[0-9A-F]{64}$/;

export const keyOf = (toxId: string): string => toxId.slice(0, KEY_DIGITS).toUpperCase();

export const HOSTS_FORMAT: JsonFormat<readonly StoredHost[]> = {
  name: 'hosts.json',
  version: 1,
  initial: [],
  decode: ({ hosts }) => {
    if (!Array.isArray(hosts)) throw new Error('"hosts" is not a list');
    const decoded = hosts.map(decodeHost);
    const names = decoded.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) throw new Error(`"${twice}" is there twice`);
    return decoded;
  },
  encode: (hosts) => ({
    hosts: hosts.map(({ name, toxId, pinnedKey, secret, addedAt }) => ({
      name,
      tox_id: toxId,
      pinned_key: pinnedKey,
      ...(secret === undefined ? {} : { secret }),
      added_at: addedAt,
    })),
  }),
};

/** @throws Error that does not show the secret */
function decodeHost(value: unknown, index: number): StoredHost {
  const { name, tox_id, pinned_key, secret, added_at } = (value ?? {}) as Record<string, unknown>;
  const wrong = (what: string): Error => new Error(`host ${index + 1}: "${what}" is wrong`);
  if (typeof name !== 'string' || !ALIAS.test(name) || name !== plainHostName(name)) {
    throw new Error(`host ${index + 1}: its name is wrong: ${NAME_ADVICE}, in lower case`);
  }
  if (typeof tox_id !== 'string' || !TOX_ID.test(tox_id)) throw wrong('tox_id');
  if (typeof pinned_key !== 'string' || !KEY.test(pinned_key)) throw wrong('pinned_key');
  if (secret !== undefined && !(typeof secret === 'string' && errorOfSecret(Buffer.from(secret)) === undefined)) {
    throw wrong('secret');
  }
  if (!Number.isSafeInteger(added_at)) throw wrong('added_at');
  return { name, toxId: tox_id, pinnedKey: pinned_key, secret, addedAt: added_at as number };
}

/** @throws HostError `changed-key` if the key of a Tox ID is not the pinned one */
export function checkPin(host: Pick<Host, 'name' | 'pinnedKey'>, toxId: string): void {
  const { name, pinnedKey } = host;
  const key = keyOf(toxId);
  if (pinnedKey === undefined || pinnedKey === key) return;
  throw new HostError(
    'changed-key',
    `THE KEY OF ${name} HAS CHANGED. It was ${shortKey(pinnedKey)}…, and is now ${shortKey(key)}…. Either it is another ` +
      `machine, or one that pretends to be ${name}. Ask its owner, who sees the key with "tuntoxctl id"; if it is right, run ` +
      `"tuntox forget ${name}" and join again`,
  );
}
