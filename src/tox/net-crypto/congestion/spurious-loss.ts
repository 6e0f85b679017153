/** An overflow that may be undone, since its packets may turn out to be only reordered (BBR: BBRHandleSpuriousLossDetection). Pure. */
import type { Mode } from './mode.js';

/** Rounds in which packets that were declared lost may turn out to have arrived. */
const ROUNDS = 3;

/** The state before the overflow. */
interface Before {
  /** Bytes that could be in flight. */
  readonly bound: number;
  readonly mode: Mode;
}

export class SpuriousLoss {
  #before: Before | undefined;
  /** Packets that must turn out to have arrived, and rounds in which they may. */
  #packets = 0;
  #rounds = 0;

  /** An overflow of so many packets; one that follows while the first may be undone changes nothing. */
  begin(before: Before, lostPackets: number): void {
    if (this.#before !== undefined) return;
    this.#before = before;
    this.#packets = lostPackets / 2;
    this.#rounds = ROUNDS;
  }

  /** @returns the state to restore, if half of the packets have arrived by now */
  onReordered(packets: number): Before | undefined {
    this.#packets -= packets;
    if (this.#packets > 0) return undefined;
    const before = this.#before;
    this.#before = undefined;
    return before;
  }

  endRound(): void {
    this.#rounds -= 1;
    if (this.#rounds <= 0) this.#before = undefined;
  }
}
