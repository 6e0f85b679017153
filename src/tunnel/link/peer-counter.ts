/** Counts something for each peer and for all peers together. */
export class PeerCounter {
  readonly #counts = new Map<string, number>();
  readonly #isKept: (peerId: string) => boolean;
  #total = 0;

  /** @param isKept whether a peer keeps its place when its count is 0, which spares garbage where it often is */
  constructor(isKept: (peerId: string) => boolean = () => false) {
    this.#isKept = isKept;
  }

  get total(): number {
    return this.#total;
  }

  of(peerId: string): number {
    return this.#counts.get(peerId) ?? 0;
  }

  /** The peer with the highest count; undefined when all are 0. */
  get highest(): string | undefined {
    let highest: string | undefined;
    let most = 0;
    for (const [peerId, count] of this.#counts) {
      if (count <= most) continue;
      highest = peerId;
      most = count;
    }
    return highest;
  }

  add(peerId: string, change: number): void {
    const count = this.of(peerId) + change;
    this.#total += change;
    if (count === 0 && !this.#isKept(peerId)) this.#counts.delete(peerId);
    else this.#counts.set(peerId, count);
  }
}
