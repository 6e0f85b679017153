/**
 * Shares descriptors among all peers. Each may have as many as are left for all: one peer alone gets half of them, two get a third
 * each ("dynamic thresholds", Choudhury and Hahne, 1998). So one client leaves half of them to the others; a dozen clients that take
 * all they can leave next to none.
 */
import type { AttemptRoom } from '../../base/address-race.js';
import { PeerCounter } from '../link/peer-counter.js';

/** Descriptors of all peers, and how many they may have. */
export interface DescriptorUse {
  readonly limit: number;
  readonly used: number;
}

/** @param own descriptors of this peer @returns why this peer may have no other, for the owner; undefined when it may */
export function quotaRefusal(own: number, { limit, used }: DescriptorUse): string | undefined {
  const left = limit - used;
  if (own < left) return undefined;
  return `this client has ${own} connections, and ${Math.max(0, left)} of the ${limit} that this process may have are left`;
}

/** Limits the attempts to reach another address of a target while one is in progress, by the same rule. */
export class AttemptQuotas {
  readonly #limit: number;
  readonly #attempts = new PeerCounter();

  constructor(limit: number) {
    this.#limit = limit;
  }

  of(peerId: string): AttemptRoom {
    return {
      take: () => {
        const share = { limit: this.#limit, used: this.#attempts.total };
        if (quotaRefusal(this.#attempts.of(peerId), share) !== undefined) return false;
        this.#attempts.add(peerId, 1);
        return true;
      },
      release: () => this.#attempts.add(peerId, -1),
    };
  }
}
