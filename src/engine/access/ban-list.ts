/**
 * Who is kept out: bans on the disk, which outlast the process, and those in memory alone, with which an owner shuts somebody
 * out at once and for a while, also where the disk takes nothing.
 */
import type { Clock } from '../../base/clock.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { JsonFile } from '../state/json-file.js';
import { type Ban, type Bans, isBanned, isOver, withBan, withoutBan } from './bans.js';

export interface ListedBan extends Ban {
  /** Whether it is on the disk; the others end with the process at the latest. */
  readonly isKept: boolean;
}

export class BanList {
  readonly #clock: Clock;
  readonly #kept: JsonFile<Bans>;
  #passing: Bans = new Map();

  constructor(clock: Clock, kept: JsonFile<Bans>) {
    this.#clock = clock;
    this.#kept = kept;
  }

  has(publicKey: PublicKey): boolean {
    const now = this.#clock.unixTime();
    return isBanned(this.#kept.value, publicKey, now) || isBanned(this.#passing, publicKey, now);
  }

  /** Those that count, one for each key: the one that ends last. */
  get all(): readonly ListedBan[] {
    const now = this.#clock.unixTime();
    const listed = new Map<string, ListedBan>();
    for (const [isKept, bans] of [[true, this.#kept.value] as const, [false, this.#passing] as const]) {
      for (const [id, ban] of bans) {
        const other = listed.get(id);
        if (!isOver(ban, now) && (other === undefined || endOf(other) < endOf(ban))) listed.set(id, { ...ban, isKept });
      }
    }
    return [...listed.values()];
  }

  /** @param until Unix time, s; undefined until it is cleared @throws StateFileError; then nothing has changed */
  async keep(publicKey: PublicKey, reason: string, until: number | undefined): Promise<void> {
    const ban = { publicKey, reason, since: this.#clock.unixTime(), until };
    await this.#kept.change((bans) => withBan(bans, ban));
  }

  /** In memory. @param until Unix time, s */
  hold(publicKey: PublicKey, reason: string, until: number): void {
    this.#passing = withBan(this.#passing, { publicKey, reason, since: this.#clock.unixTime(), until });
  }

  /** Whether any is on the disk. @param publicKey undefined for all */
  isKept(publicKey: PublicKey | undefined): boolean {
    const now = this.#clock.unixTime();
    const isMeant = (ban: Ban): boolean => publicKey === undefined || ban.publicKey.equals(publicKey);
    return [...this.#kept.value.values()].some((ban) => isMeant(ban) && !isOver(ban, now));
  }

  /** Lifts those on the disk. @param publicKey undefined for all @throws StateFileError; then nothing has changed */
  async forget(publicKey: PublicKey | undefined): Promise<void> {
    await this.#kept.change((bans) => withoutBan(bans, publicKey));
  }

  /** Lifts those in memory. @param publicKey undefined for all */
  release(publicKey: PublicKey | undefined): void {
    this.#passing = withoutBan(this.#passing, publicKey);
  }
}

const endOf = ({ until }: Ban): number => until ?? Number.POSITIVE_INFINITY;
