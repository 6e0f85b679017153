/**
 * Whether a proxy does what it is there for. One destination that it does not reach says nothing; a fault counts while no
 * connection through it stands, and is told once.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { ProxyFaultCode } from './proxies.js';

/**
 * Implementation, ms: so long may other attempts, made at the same time, prove that a refusal was not meant for all. The rest
 * would be the same for every destination, and is told at once.
 */
const GRACE = 3_000;
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

  /** @param onChange told when another fault comes up, and when the last one is over */
  constructor(clock: Clock, onChange: (fault: ProxyFault | undefined) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get fault(): ProxyFault | undefined {
    return this.#fault;
  }

  /** A connection through the proxy stands. */
  noteOpened(): void {
    this.#open += 1;
    this.stop();
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
    this.#onChange(fault);
  }
}
