/** Counts something for each peer and for all peers together. */
export class PeerCounter {
  readonly #counts = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  of(peerId: string): number {
    return this.#counts.get(peerId) ?? 0;
  }

  /** The peer with the highest count; undefined when all are 0. */
  get highest(): string | undefined {
    let highest: string | undefined;
    for (const [peerId, count] of this.#counts) if (highest === undefined || count > this.of(highest)) highest = peerId;
    return highest;
  }

  add(peerId: string, change: number): void {
    const count = this.of(peerId) + change;
    this.#total += change;
    if (count === 0) this.#counts.delete(peerId);
    else this.#counts.set(peerId, count);
  }
}
