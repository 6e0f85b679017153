/** Sends garbage of all kinds to some UDP ports of this machine, from many addresses of it, evenly paced: a limit that others use up is used up at every moment. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mutations } from '../../support/fuzz.js';
import type { SeededRandom } from '../../support/seeded-random.js';

/** All of 127/8 is this machine. */
const SOURCES = ['127.0.0.1', '127.0.0.2', '127.0.0.77', '127.1.2.3'];
/** ms in which what is due meanwhile is sent. */
const INTERVAL = 1;
/** Bytes; longer than anything of Tox. */
const LONGEST = 2100;

export interface FloodOptions {
  readonly ports: readonly number[];
  readonly packetsPerSecond: number;
  /** Genuine packets, to be played again and to be changed. */
  readonly genuine: readonly Buffer[];
  /** Well-made packets of strangers. */
  readonly forged: readonly Buffer[];
}

export class Flooder {
  readonly #random: SeededRandom;
  readonly #options: FloodOptions;
  readonly #sockets: readonly Socket[];
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  sent = 0;
  /** What came back, packets and bytes. */
  answers = 0;
  answeredBytes = 0;
  sentBytes = 0;

  private constructor(random: SeededRandom, sockets: readonly Socket[], options: FloodOptions) {
    this.#random = random;
    this.#sockets = sockets;
    this.#options = options;
    for (const socket of sockets) {
      socket.on('message', (answer) => {
        this.answers += 1;
        this.answeredBytes += answer.length;
      });
      // A port that is closed for a moment refuses, which is no reason to stop.
      socket.on('error', () => {});
    }
    this.#timer = setInterval(() => this.#sendDue(), INTERVAL);
  }

  static async start(random: SeededRandom, options: FloodOptions): Promise<Flooder> {
    const sockets = SOURCES.map((address) => {
      const socket = createSocket('udp4');
      socket.bind(0, address);
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'listening')));
    return new Flooder(random, sockets, options);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.close();
  }

  #sendDue(): void {
    const { ports, packetsPerSecond } = this.#options;
    const due = ((performance.now() - this.#startedAt) * packetsPerSecond) / 1000;
    while (this.sent < due) {
      const packet = this.#next();
      this.sent += 1;
      this.sentBytes += packet.length;
      this.#pick(this.#sockets).send(packet, this.#pick(ports), '127.0.0.1');
    }
  }

  #next(): Buffer {
    const { genuine, forged } = this.#options;
    switch (this.sent % 4) {
      case 0: {
        const noise = this.#random.bytes(this.#random.below(LONGEST));
        // Every first byte has its turn.
        if (noise.length > 0) noise[0] = (this.sent >> 2) & 0xff;
        return noise;
      }
      case 1:
        return this.#pick(genuine);
      case 2:
        return forged[(this.sent >> 2) % forged.length] as Buffer;
      default: {
        const [changed] = mutations(this.#random.uint32(), [this.#pick(genuine), this.#pick(forged)], 1);
        return changed as Buffer;
      }
    }
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)] as T;
  }
}
