/** Where we are, as others see us: they learn it from what we send them, and tell it when they are asked for our own key. */
import type { Clock } from '../../../base/clock.js';
import type { Endpoint } from '../../../base/endpoint.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';
import { AddressReports, type ReportedEndpoint } from './address-reports.js';

// Who asks for us asks those nearest to us. They are shown where we are when there is doubt about it, for all
// friends together no more often than that.
const SHOWN_TO = 8;
const SHOW_INTERVAL_MS = 250;

export interface ObservedAddressDeps {
  readonly clock: Clock;
  /** The good nodes nearest to us. */
  readonly nearest: (count: number) => readonly NodeInfo[];
  /** Asks a node for our own key. */
  readonly ask: (node: NodeInfo) => void;
}

export class ObservedAddress {
  readonly #deps: ObservedAddressDeps;
  readonly #reports = new AddressReports();
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(deps: ObservedAddressDeps) {
    this.#deps = deps;
  }

  /** A node says that we are there. */
  reported(reporter: PublicKey, endpoint: Endpoint): void {
    this.#reports.add(reporter, endpoint, this.#deps.clock.now());
  }

  /** Our addresses, the one that most nodes report in front. */
  get reports(): readonly ReportedEndpoint[] {
    return this.#reports.counted(this.#deps.clock.now());
  }

  /** Lets those who are asked for us see where we are now. */
  show(): void {
    const { clock, nearest, ask } = this.#deps;
    const now = clock.now();
    if (now - this.#shownAt < SHOW_INTERVAL_MS) return;
    this.#shownAt = now;
    for (const node of nearest(SHOWN_TO)) ask(node);
  }
}
