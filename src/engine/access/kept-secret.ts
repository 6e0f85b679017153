/**
 * The shared secret of a daemon: only slow, salted hashes are kept, of the present one and, for a while after a change, of
 * the one before.
 */
import { createHmac, scryptSync, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../base/random.js';
import type { Kept } from './kept-json.js';

/**
 * Implementation: scrypt with 2 MiB takes some 6 ms. A file that leaks is hard to try a dictionary on; and all guesses that
 * the policy lets through, 20 a second, take an eighth of a core.
 */
const SCRYPT = { N: 2048, r: 8, p: 1 } as const;
const HASH_SIZE = 32;
const SALT_SIZE = 16;

export interface SecretHash {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export interface SecretState {
  readonly current: SecretHash | undefined;
  /** The one before, valid until then (unix time, s). */
  readonly old: { readonly hash: SecretHash; readonly validUntil: number } | undefined;
  /** Unix time, s; undefined when there never was one. */
  readonly changedAt: number | undefined;
  /** Counts up when sessions that came by an earlier secret are to end. */
  readonly generation: number;
}

export const NO_SECRET: SecretState = { current: undefined, old: undefined, changedAt: undefined, generation: 0 };

export function hashSecret(random: Random, secret: Buffer): SecretHash {
  const salt = random.bytes(SALT_SIZE);
  return { salt, hash: scryptSync(secret, salt, HASH_SIZE, SCRYPT) };
}

const isOf = (secret: Buffer, { salt, hash }: SecretHash): boolean =>
  timingSafeEqual(scryptSync(secret, salt, HASH_SIZE, SCRYPT), hash);

/** Checks candidates; those that were right once in this run are recognised without the slow hash. */
export class SecretChecker {
  /** Fresh for each run: a digest that leaks cannot be tried elsewhere. */
  readonly #key: Buffer;
  readonly #state: () => SecretState;
  /** Digest of a right candidate, and the hash that it matched. */
  readonly #known = new Map<string, SecretHash>();

  constructor(random: Random, state: () => SecretState) {
    this.#key = random.bytes(HASH_SIZE);
    this.#state = state;
  }

  /** 32 bytes that stand for a candidate, and show nothing of it: others after each change, when what was wrong may be right. */
  digest(candidate: Buffer): Buffer {
    const salt = this.#state().current?.salt ?? Buffer.alloc(SALT_SIZE);
    return createHmac('sha256', this.#key).update(salt).update(candidate).digest();
  }

  /** @param unixTime s */
  matches(candidate: Buffer, unixTime: number): boolean {
    const { current, old } = this.#state();
    const valid = [current, old !== undefined && unixTime < old.validUntil ? old.hash : undefined].filter(
      (hash) => hash !== undefined,
    );
    const digest = this.digest(candidate).toString('latin1');
    const known = this.#known.get(digest);
    if (known !== undefined && valid.includes(known)) return true;
    // All of them, whatever the first one says: the time does not tell which one it was.
    const matching = valid.filter((hash) => isOf(candidate, hash))[0];
    if (matching === undefined) return false;
    if (this.#known.size > valid.length) this.#known.clear();
    this.#known.set(digest, matching);
    return true;
  }
}

export const secretFile: Kept<SecretState> = {
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
      generation: isCount(generation) ? generation : fault('generation'),
    };
  },
};

const encodeHash = ({ salt, hash }: SecretHash): { salt: string; scrypt: string } => ({
  salt: salt.toString('hex'),
  scrypt: hash.toString('hex'),
});

function decodeHash(value: unknown, name: string): SecretHash {
  const { salt, scrypt } = (value ?? {}) as Record<string, unknown>;
  return { salt: decodeHex(salt, SALT_SIZE, name), hash: decodeHex(scrypt, HASH_SIZE, name) };
}

function decodeHex(value: unknown, size: number, name: string): Buffer {
  const isHex = typeof value === 'string' && value.length === size * 2 && /^[0-9a-f]*$/.test(value);
  return isHex ? Buffer.from(value, 'hex') : fault(name);
}

function decodeTime(value: unknown, name: string): number {
  const time = (value as Record<string, unknown>)[name];
  return isCount(time) ? time : fault(name);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function fault(name: string): never {
  throw new Error(`"${name}" is not as it was written`);
}
