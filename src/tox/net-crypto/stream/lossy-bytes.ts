/**
 * Lossy packets that are sent beside waiting lossless ones. Nothing tells what becomes of them, so they count as under way and delivered
 * together with the next packet that is sent for the first time: otherwise the measured rate would fall by what they take of the path.
 */

/** Wire bytes that count with one packet: after a silence of the peer they would be taken for speed. */
const MAX_BESIDE = 128 * 1024;

export class LossyBytes {
  /** Since the last packet that was sent for the first time. */
  #waiting = 0;
  /** By the number of the packet with which they count. */
  readonly #beside = new Map<number, number>();

  /** @param size wire bytes */
  note(size: number): void {
    this.#waiting = Math.min(MAX_BESIDE, this.#waiting + size);
  }

  /** A packet is sent for the first time. @returns wire bytes that are under way with it */
  join(number: number): number {
    const bytes = this.#waiting;
    if (bytes === 0) return 0;
    this.#waiting = 0;
    this.#beside.set(number, bytes);
    return bytes;
  }

  /** The packet arrived, or is lost. @returns wire bytes that were under way with it */
  end(number: number): number {
    if (this.#beside.size === 0) return 0;
    const bytes = this.#beside.get(number) ?? 0;
    if (bytes > 0) this.#beside.delete(number);
    return bytes;
  }
}
