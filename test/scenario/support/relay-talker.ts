/** Two decent clients of a relay that talk with each other: every byte is compared, and lost packets are sent again. */
import { createHash } from 'node:crypto';
import { systemRandom } from '../../../src/base/random.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import type { RelayClient } from '../../../src/tox/relay/relay-client.js';
import { decentClient } from './relay-caller.js';

/** ms after which a message counts as lost: relays may lose data. */
const PATIENCE = 1_000;
const SIZE = 1_000;

/** The content of a message, which differs for each. */
function messageOf(seed: string): Buffer {
  const blocks: Buffer[] = [];
  for (let block = 0; block * 32 < SIZE; block += 1) {
    blocks.push(createHash('sha256').update(`${seed} ${block}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, SIZE);
}

export class RelayTalkers {
  readonly keys: readonly [KeyPair, KeyPair] = [generateKeyPair(systemRandom), generateKeyPair(systemRandom)];
  readonly #clients: readonly [RelayClient, RelayClient];
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;
  /** Messages that came back as they were sent. */
  rounds = 0;
  lost = 0;
  /** What may never happen. */
  readonly complaints: string[] = [];
  #expected: Buffer;

  /** @param interval ms between messages */
  constructor(relay: NodeInfo, hosts: readonly [string, string], interval: number) {
    this.#interval = interval;
    this.#expected = messageOf(this.#seed);
    const client = (own: 0 | 1, onData: (packet: Buffer) => void): RelayClient =>
      decentClient(relay, hosts[own], this.keys[own], {
        onConfirmed: () => {},
        onPeerStatus: (_peer, status) => {
          if (own === 0 && status === 'online') this.#say();
        },
        onData: (_peer, packet) => onData(packet),
        // Vandals may send it.
        onOob: () => {},
        onOnion: () => {},
        onDrain: () => {},
        onClosed: (reason) => this.complaints.push(`client ${own}: ${reason}`),
      });
    const speaker = client(0, (packet) => this.#onAnswer(packet));
    const listener = client(1, (packet) => void listener.sendData(this.keys[0].publicKey, packet));
    this.#clients = [speaker, listener];
    speaker.ask(this.keys[1].publicKey);
    listener.ask(this.keys[0].publicKey);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const client of this.#clients) client.close();
  }

  get #seed(): string {
    return `${this.keys[0].publicKey.hex} ${this.rounds}`;
  }

  #say(): void {
    clearTimeout(this.#timer);
    this.#clients[0].sendData(this.keys[1].publicKey, this.#expected);
    this.#timer = setTimeout(() => {
      this.lost += 1;
      this.#say();
    }, PATIENCE);
  }

  #onAnswer(packet: Buffer): void {
    if (!packet.equals(this.#expected)) {
      // A packet that was sent twice is answered twice.
      const before = messageOf(`${this.keys[0].publicKey.hex} ${this.rounds - 1}`);
      if (!packet.equals(before)) this.complaints.push(`round ${this.rounds}: other bytes came back`);
      return;
    }
    this.rounds += 1;
    this.#expected = messageOf(this.#seed);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(), this.#interval);
  }
}
