/** Numbered packets both ways between two friends, at a steady pace; what arrives is held against what was sent. */
import type { Clock, Timer } from '../../../src/base/clock.js';
import type { Friend } from '../../../src/tox/messenger.js';

/** ms between two packets of one direction. */
const PACE = 50;
const PACKET_SIZE = 1000;

export class OneWay {
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #arrivals: number[] = [];
  #sent = 0;
  #waiting = 0;
  #isInOrder = true;

  constructor(clock: Clock, from: Friend, to: Friend) {
    this.#clock = clock;
    const flush = (): void => {
      while (this.#waiting > 0 && from.sendLossless(numbered(this.#sent))) {
        this.#sent += 1;
        this.#waiting -= 1;
      }
    };
    from.onDrain(flush);
    to.onLossless((packet) => {
      this.#isInOrder &&= packet.length === PACKET_SIZE && packet.readUInt32BE(1) === this.#arrivals.length;
      this.#arrivals.push(clock.now());
    });
    this.#timer = clock.every(PACE, () => {
      this.#waiting += 1;
      flush();
    });
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** Whether everything that was to be sent has arrived, in order and once. */
  get isWhole(): boolean {
    return this.#isInOrder && this.#waiting === 0 && this.#arrivals.length === this.#sent;
  }

  get isInOrder(): boolean {
    return this.#isInOrder;
  }

  /** ms from `since` to the end of the longest time in which nothing came, of more than three paces; else 0. */
  stallSince(since: number): number {
    const times = [since, ...this.#arrivals.filter((at) => at >= since), this.#clock.now()];
    let end = since;
    let longest = 3 * PACE;
    for (const [index, at] of times.slice(1).entries()) {
      const gap = at - (times[index] as number);
      if (gap > longest) {
        longest = gap;
        end = at;
      }
    }
    return end - since;
  }
}

function numbered(number: number): Buffer {
  const packet = Buffer.alloc(PACKET_SIZE);
  packet[0] = 0xa2;
  packet.writeUInt32BE(number, 1);
  return packet;
}
