/**
 * Whether a proxy does what it is there for. One destination that it does not reach says nothing; a fault counts while no
 * connection through it stands, and is told once. As long as there is one, the proxy is asked seldom: a hundred relays are to
 * be reached through it, and as many wrong passwords in a second would lock an account.
 */
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { ProxyFaultCode } from './proxies.js';

/**
 * ms in which other attempts made at the same time may prove that a refusal was not meant for all destinations. Other errors are
 * the same for every destination and are reported at once.
 */
const GRACE = 3_000;
/** ms: pauses between attempts at an unusable proxy. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;
const MAY_BE_OF_ONE: ReadonlySet<ProxyFaultCode> = new Set(['refuses', 'silent']);

export interface ProxyFault {
  readonly code: ProxyFaultCode;
  /** Which proxy, without the credentials. */
  readonly proxy: string;
  /** Why, as a sentence without its end. */
  readonly reason: string;
}

export class ProxyWatch {
  readonly #clock: Clock;
  readonly #onChange: (fault: ProxyFault | undefined) => void;
  #open = 0;
  #fault: ProxyFault | undefined;
  #grace: Timer | undefined;
  readonly #pauses: Backoff;
  #nextAt = Number.NEGATIVE_INFINITY;

  /** @param onChange told when another fault comes up, and when the last one is over */
  constructor(
    deps: { readonly clock: Clock; readonly random: Random },
    onChange: (fault: ProxyFault | undefined) => void,
  ) {
    this.#clock = deps.clock;
    this.#onChange = onChange;
    this.#pauses = new Backoff(deps.random, { first: FIRST_PAUSE, most: LONGEST_PAUSE });
  }

  get fault(): ProxyFault | undefined {
    return this.#fault;
  }

  /** Whether one more connection may be tried now: with a fault, one after each pause. */
  mayTry(): boolean {
    const now = this.#clock.now();
    if (this.#fault === undefined) return true;
    if (now < this.#nextAt) return false;
    this.#nextAt = now + this.#pauses.next();
    return true;
  }

  /** A connection through the proxy stands. */
  noteOpened(): void {
    this.#open += 1;
    this.stop();
    this.#pauses.reset();
    if (this.#fault !== undefined) this.#set(undefined);
  }

  /** One that stood has ended. */
  noteClosed(): void {
    this.#open -= 1;
  }

  noteFault(fault: ProxyFault): void {
    if (this.#open > 0 || this.#fault?.code === fault.code) return;
    if (!MAY_BE_OF_ONE.has(fault.code)) {
      this.stop();
      this.#set(fault);
    } else if (this.#fault === undefined || !MAY_BE_OF_ONE.has(this.#fault.code)) {
      this.#grace ??= this.#clock.after(GRACE, () => {
        this.#grace = undefined;
        if (this.#open === 0) this.#set(fault);
      });
    }
  }

  /** Nothing more is going to be told by itself. */
  stop(): void {
    this.#grace?.cancel();
    this.#grace = undefined;
  }

  #set(fault: ProxyFault | undefined): void {
    this.#fault = fault;
    this.#nextAt = this.#clock.now() + this.#pauses.next();
    this.#onChange(fault);
  }
}
