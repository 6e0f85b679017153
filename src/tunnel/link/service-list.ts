/** Our list of services, for one peer: it goes in the answers to the peer's hellos, and again when it changes. */
import type { Clock } from '../../base/clock.js';
import { TokenBucket } from '../../base/token-bucket.js';
import type { FrameScheduler } from '../stream/frame-scheduler.js';
import type { Service } from '../wire/target.js';

/** Hellos of the peer that are answered: each costs a look at the rules for every service. Ours sends one. */
const HELLOS_PER_SECOND = 1;
const HELLO_BURST = 4;

interface ServiceListDeps {
  readonly clock: Clock;
  readonly scheduler: Pick<FrameScheduler, 'hasRoom' | 'push'>;
  /** Returns our services that the peer may reach. */
  readonly services: () => readonly Service[];
  /** Returns the frames of a list, which the peer must get all, or none. */
  readonly encode: (services: readonly Service[]) => readonly Buffer[];
}

export class ServiceList {
  readonly #deps: ServiceListDeps;
  readonly #hellos: TokenBucket;
  /** The frames that the peer has. */
  #sent: Buffer | undefined;
  /** The list waits until there is room for it. */
  #isDue = false;

  constructor(deps: ServiceListDeps) {
    this.#deps = deps;
    this.#hellos = new TokenBucket(HELLOS_PER_SECOND, HELLO_BURST, deps.clock.now());
  }

  /** @returns false when it came too soon after others, and stays without an answer */
  answerHello(): boolean {
    if (!this.#hellos.take(this.#deps.clock.now())) return false;
    this.#sent = undefined;
    this.announce();
    return true;
  }

  /** Sends the list, unless the peer has it. */
  announce(): void {
    const { scheduler, services, encode } = this.#deps;
    this.#isDue = !scheduler.hasRoom;
    if (this.#isDue) return;
    const frames = encode(services());
    const all = Buffer.concat(frames);
    if (this.#sent?.equals(all)) return;
    this.#sent = all;
    for (const frame of frames) scheduler.push(frame);
  }

  onDrain(): void {
    if (this.#isDue) this.announce();
  }
}
