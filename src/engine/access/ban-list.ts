/**
 * The banned keys, which are refused whatever else they have. Bans on the disk outlast the process; bans in memory need no disk.
 */
import type { Clock } from '../../base/clock.js';
import { PublicKey } from '../../tox/crypto/keys.js';
import type { JsonFile, JsonFormat } from '../state/json-file.js';

export interface Ban {
  readonly publicKey: PublicKey;
  /** Shown to the owner. */
  readonly reason: string;
  /** Unix times, s; a ban without an end lasts until it is lifted. */
  readonly since: number;
  readonly until: number | undefined;
}

/** By public key in hex. */
export type Bans = ReadonlyMap<string, Ban>;

/** Keys cost nothing, so beyond this number the ban that ends first is dropped. */
const MAX_BANS = 4_096;

const endOf = ({ until }: Ban): number => until ?? Number.POSITIVE_INFINITY;
const isOver = ({ until }: Ban, unixTime: number): boolean => until !== undefined && unixTime >= until;

/** Adds a ban, and drops those that have ended. */
function withBan(bans: Bans, ban: Ban): Bans {
  const left = new Map([...bans].filter(([, old]) => !isOver(old, ban.since)));
  left.set(ban.publicKey.hex, ban);
  if (left.size > MAX_BANS) {
    const [first] = [...left.values()].sort((a, b) => endOf(a) - endOf(b));
    if (first !== undefined) left.delete(first.publicKey.hex);
  }
  return left;
}

/** @param publicKey undefined for all */
function withoutBan(bans: Bans, publicKey: PublicKey | undefined): Bans {
  if (publicKey === undefined) return new Map();
  const left = new Map(bans);
  left.delete(publicKey.hex);
  return left;
}

export interface ListedBan extends Ban {
  /** Whether the ban is on the disk; others end with the process at the latest. */
  readonly isKept: boolean;
}

export class BanList {
  readonly #clock: Clock;
  readonly #file: JsonFile<Bans>;
  #temporary: Bans = new Map();

  constructor(clock: Clock, file: JsonFile<Bans>) {
    this.#clock = clock;
    this.#file = file;
  }

  has(publicKey: PublicKey): boolean {
    const now = this.#clock.unixTime();
    return [this.#file.value, this.#temporary].some((bans) => {
      const ban = bans.get(publicKey.hex);
      return ban !== undefined && !isOver(ban, now);
    });
  }

  /** The bans in force, one for each key: the one that ends last. */
  get all(): readonly ListedBan[] {
    const now = this.#clock.unixTime();
    const listed = new Map<string, ListedBan>();
    for (const [isKept, bans] of [[true, this.#file.value] as const, [false, this.#temporary] as const]) {
      for (const [id, ban] of bans) {
        const other = listed.get(id);
        if (!isOver(ban, now) && (other === undefined || endOf(other) < endOf(ban))) listed.set(id, { ...ban, isKept });
      }
    }
    return [...listed.values()];
  }

  /** Bans on the disk. @param until Unix time, s; undefined until it is lifted @throws StateFileError; then nothing has changed */
  async ban(publicKey: PublicKey, reason: string, until: number | undefined): Promise<void> {
    const ban = { publicKey, reason, since: this.#clock.unixTime(), until };
    await this.#file.change((bans) => withBan(bans, ban));
  }

  /** Bans until then or until the process ends. @param until Unix time, s */
  banInMemory(publicKey: PublicKey, reason: string, until: number): void {
    this.#temporary = withBan(this.#temporary, { publicKey, reason, since: this.#clock.unixTime(), until });
  }

  /** Whether a ban is on the disk. @param publicKey undefined for any */
  isStored(publicKey: PublicKey | undefined): boolean {
    const now = this.#clock.unixTime();
    const isMeant = (ban: Ban): boolean => publicKey === undefined || ban.publicKey.equals(publicKey);
    return [...this.#file.value.values()].some((ban) => isMeant(ban) && !isOver(ban, now));
  }

  /** Lifts bans on the disk. @param publicKey undefined for all @throws StateFileError; then nothing has changed */
  async unban(publicKey: PublicKey | undefined): Promise<void> {
    await this.#file.change((bans) => withoutBan(bans, publicKey));
  }

  /** Lifts bans in memory. @param publicKey undefined for all */
  unbanInMemory(publicKey: PublicKey | undefined): void {
    this.#temporary = withoutBan(this.#temporary, publicKey);
  }
}

export const bansFormat: JsonFormat<Bans> = {
  name: 'bans.json',
  version: 1,
  initial: new Map(),
  encode: (bans) => ({
    bans: [...bans.values()].map(({ publicKey, reason, since, until }) => ({
      key: publicKey.hex.toUpperCase(),
      reason,
      since,
      until: until ?? null,
    })),
  }),
  decode: ({ bans }) => {
    if (!Array.isArray(bans)) throw new Error('it has no list "bans"');
    return new Map(bans.map((ban, index) => decodeBan(ban, index + 1)).map((ban) => [ban.publicKey.hex, ban]));
  },
};

function decodeBan(value: unknown, place: number): Ban {
  const { key, reason, since, until } = (value ?? {}) as Record<string, unknown>;
  const publicKey = typeof key === 'string' ? PublicKey.parse(key) : undefined;
  const isTime = (time: unknown): time is number => Number.isSafeInteger(time);
  if (publicKey === undefined || typeof reason !== 'string' || !isTime(since) || !(until === null || isTime(until))) {
    throw new Error(`entry ${place} cannot be read`);
  }
  return { publicKey, reason, since, until: until ?? undefined };
}
