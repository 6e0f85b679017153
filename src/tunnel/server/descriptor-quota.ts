/**
 * Which of all peers may have a descriptor more. Each may have as many as are left for everybody: one alone gets half of them, two
 * get a third each ("dynamic thresholds", Choudhury and Hahne, 1998). So one client alone leaves half of them to the others; a dozen
 * that take all they can leave next to none.
 */
import type { AttemptRoom } from '../../base/address-race.js';

/**
 * @param own what this peer has
 * @param limit what all tunnels may have
 * @param used what all have
 * @returns why there is none for this peer, for the owner's eyes; undefined where there is
 */
export function noRoomFor(
  own: number,
  { limit, used }: { readonly limit: number; readonly used: number },
): string | undefined {
  const left = limit - used;
  if (own < left) return undefined;
  return `this client has ${own} connections, and ${Math.max(0, left)} of the ${limit} that this process may have are left`;
}

/** Attempts to reach another address of a target while one is under way, of all peers by the same rule. */
export class AttemptRooms {
  readonly #limit: number;
  readonly #own = new Map<string, number>();
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  of(peerId: string): AttemptRoom {
    return {
      take: () => {
        const own = this.#own.get(peerId) ?? 0;
        if (noRoomFor(own, { limit: this.#limit, used: this.#used }) !== undefined) return false;
        this.#add(peerId, 1);
        return true;
      },
      release: () => this.#add(peerId, -1),
    };
  }

  #add(peerId: string, change: number): void {
    const own = (this.#own.get(peerId) ?? 0) + change;
    this.#used += change;
    if (own === 0) this.#own.delete(peerId);
    else this.#own.set(peerId, own);
  }
}
