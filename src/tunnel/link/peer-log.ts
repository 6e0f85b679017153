/** Lines that peers cause: they are named in them, and those of a flood are summarized. */
import type { FloodLog } from '../../base/flood-log.js';

export class PeerLog {
  readonly #floodLog: FloodLog;
  readonly #nameOf: (peerId: string) => string;

  constructor(floodLog: FloodLog, nameOf: (peerId: string) => string) {
    this.#floodLog = floodLog;
    this.#nameOf = nameOf;
  }

  /** @param kind see FloodLog @param text without the name of the peer */
  say(peerId: string, kind: string, text: string): void {
    const name = this.#nameOf(peerId);
    this.#floodLog.say({ source: peerId, name, kind, level: 'info', text: this.textOf(peerId, text) });
  }

  textOf(peerId: string, text: string): string {
    return `${this.#nameOf(peerId)}: ${text}`;
  }
}
