/** Measures the round trip by pings. */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { encodeFrame, PING } from '../wire/frame.js';
import { TunnelError } from '../wire/reasons.js';

const PING_SIZE = 8;
const PING_TIMEOUT = 10_000;
/** ms; windows follow when the path changes. */
const MAX_AGE = 10_000;
/** Assumed until the first measurement, ms: better that windows grow too early than too late. */
const DEFAULT = 100;

interface Waiting {
  readonly sentAt: number;
  readonly timeout: Timer;
  resolve(roundTrip: number): void;
  reject(error: TunnelError): void;
}

interface RoundTripDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly send: (frame: Buffer) => void;
}

export class RoundTrip {
  readonly #deps: RoundTripDeps;
  readonly #waiting = new Map<string, Waiting>();
  #shortest: number | undefined;
  #measuredAt = Number.NEGATIVE_INFINITY;

  constructor(deps: RoundTripDeps) {
    this.#deps = deps;
  }

  /** ms, the shortest of the recent ones; undefined before the first. */
  get latest(): number | undefined {
    return this.#shortest;
  }

  /** ms, for windows; measures again when the last measurement is old. */
  current(): number {
    if (this.#deps.clock.now() - this.#measuredAt > MAX_AGE) {
      this.#measuredAt = this.#deps.clock.now();
      this.ping().catch(() => {});
    }
    return this.#shortest ?? DEFAULT;
  }

  /** Resolves to the round trip in ms. @throws TunnelError `timeout`, `connection-lost` */
  ping(): Promise<number> {
    const data = this.#deps.random.bytes(PING_SIZE);
    const key = data.toString('hex');
    return new Promise((resolve, reject) => {
      const timeout = this.#deps.clock.after(PING_TIMEOUT, () => {
        this.#waiting.delete(key);
        reject(new TunnelError('timeout'));
      });
      this.#waiting.set(key, { sentAt: this.#deps.clock.now(), timeout, resolve, reject });
      this.#deps.send(encodeFrame(PING, 0, data));
    });
  }

  onPong(data: Buffer): void {
    if (data.length !== PING_SIZE) return;
    const key = data.toString('hex');
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    waiting.timeout.cancel();
    const roundTrip = this.#deps.clock.now() - waiting.sentAt;
    this.onMeasured(roundTrip);
    waiting.resolve(roundTrip);
  }

  /** A longer round trip counts little: under load it measures the queue, and windows must not grow with the queue. */
  onMeasured(roundTrip: number): void {
    const shortest = this.#shortest ?? roundTrip;
    this.#shortest = roundTrip < shortest ? roundTrip : shortest + (roundTrip - shortest) / 8;
    this.#measuredAt = this.#deps.clock.now();
  }

  close(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.timeout.cancel();
      waiting.reject(new TunnelError('connection-lost'));
    }
    this.#waiting.clear();
  }
}
