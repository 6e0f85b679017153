/** What the tunnels of each peer hold here, including those of its earlier channels whose programs have not taken everything yet. */

interface Usage {
  readonly tunnels: number;
  /** Bytes that wait for local programs. */
  readonly bytes: number;
}

const NOTHING: Usage = { tunnels: 0, bytes: 0 };

export class PeerUsage {
  readonly #peers = new Map<string, Usage>();
  #bytes = 0;

  /** Bytes of all peers. */
  get bytes(): number {
    return this.#bytes;
  }

  of(peerId: string): Usage {
    return this.#peers.get(peerId) ?? NOTHING;
  }

  /** The peer with most bytes; undefined when there is none. */
  get fullest(): string | undefined {
    let fullest: string | undefined;
    for (const [peerId, { bytes }] of this.#peers)
      if (fullest === undefined || bytes > this.of(fullest).bytes) fullest = peerId;
    return fullest;
  }

  add(peerId: string, change: Partial<Usage>): void {
    const { tunnels, bytes } = this.of(peerId);
    const usage = { tunnels: tunnels + (change.tunnels ?? 0), bytes: bytes + (change.bytes ?? 0) };
    this.#bytes += change.bytes ?? 0;
    if (usage.tunnels === 0 && usage.bytes === 0) this.#peers.delete(peerId);
    else this.#peers.set(peerId, usage);
  }
}
