/** The stored secret of a daemon: salted hashes of the present secret and, for a while after a rotation, of the previous one. */
import { createHmac, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { Random } from '../../base/random.js';
import type { JsonFormat } from '../state/json-file.js';

/** scrypt with 2 MiB takes some 6 ms, which makes it slow to try a dictionary on a file that leaks. */
const SCRYPT = { N: 2048, r: 8, p: 1 } as const;
const HASH_SIZE = 32;
const SALT_SIZE = 16;

const scryptOf = promisify<Buffer, Buffer, number, typeof SCRYPT, Buffer>(scrypt);

export interface SecretHash {
  readonly salt: Buffer;
  readonly hash: Buffer;
  /** HMAC-SHA256 of a generated secret: 160 random bits cannot be found, however quick a try is. */
  readonly quick: Buffer | undefined;
}

export interface SecretState {
  readonly current: SecretHash | undefined;
  /** The previous secret, valid until then (Unix time, s). */
  readonly old: { readonly hash: SecretHash; readonly validUntil: number } | undefined;
  /** Unix time, s; undefined when there never was a secret. */
  readonly changedAt: number | undefined;
  /** Increases when the sessions that used an earlier secret are dropped. */
  readonly generation: number;
}

export const NO_SECRET: SecretState = { current: undefined, old: undefined, changedAt: undefined, generation: 0 };

export const slowHash = (secret: Buffer, salt: Buffer): Promise<Buffer> => scryptOf(secret, salt, HASH_SIZE, SCRYPT);
export const quickHash = (secret: Buffer, salt: Buffer): Buffer => createHmac('sha256', salt).update(secret).digest();

/** @param isGenerated whether the secret was generated, of 160 random bits or more */
export async function hashSecret(random: Random, secret: Buffer, isGenerated: boolean): Promise<SecretHash> {
  const salt = random.bytes(SALT_SIZE);
  const hash = await slowHash(secret, salt);
  return { salt, hash, quick: isGenerated ? quickHash(secret, salt) : undefined };
}

export const secretFormat: JsonFormat<SecretState> = {
  name: 'secret.json',
  version: 1,
  initial: NO_SECRET,
  encode: ({ current, old, changedAt, generation }) => ({
    current: current === undefined ? null : encodeHash(current),
    old: old === undefined ? null : { ...encodeHash(old.hash), valid_until: old.validUntil },
    changed_at: changedAt ?? null,
    generation,
  }),
  decode: (content) => {
    const { current, old, changed_at: changedAt, generation } = content;
    return {
      current: current === null ? undefined : decodeHash(current, 'current'),
      old: old === null ? undefined : { hash: decodeHash(old, 'old'), validUntil: decodeTime(old, 'valid_until') },
      changedAt: changedAt === null ? undefined : decodeTime(content, 'changed_at'),
      generation: isCount(generation) ? generation : invalid('generation'),
    };
  },
};

const encodeHash = ({ salt, hash, quick }: SecretHash): Record<string, string> => ({
  salt: salt.toString('hex'),
  scrypt: hash.toString('hex'),
  ...(quick === undefined ? {} : { hmac_sha256: quick.toString('hex') }),
});

function decodeHash(value: unknown, name: string): SecretHash {
  const { salt, scrypt: hash, hmac_sha256: quick } = (value ?? {}) as Record<string, unknown>;
  return {
    salt: decodeHex(salt, SALT_SIZE, name),
    hash: decodeHex(hash, HASH_SIZE, name),
    quick: quick === undefined ? undefined : decodeHex(quick, HASH_SIZE, name),
  };
}

function decodeHex(value: unknown, size: number, name: string): Buffer {
  const isHex = typeof value === 'string' && value.length === size * 2 && /^[0-9a-f]*$/.test(value);
  return isHex ? Buffer.from(value, 'hex') : invalid(name);
}

function decodeTime(value: unknown, name: string): number {
  const time = (value as Record<string, unknown>)[name];
  return isCount(time) ? time : invalid(name);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function invalid(name: string): never {
  throw new Error(`"${name}" is invalid`);
}
