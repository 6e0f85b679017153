/** Our own address as others see it. Nodes learn it from our packets, and report it when we ask them for our own key. */
import type { Clock } from '../../../base/clock.js';
import type { Endpoint } from '../../../base/endpoint.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';
import { AddressReports, type ReportedEndpoint } from './address-reports.js';

// Nodes that search for us ask the nodes nearest to us. We send these a request when our address may have changed, for all
// friends together at most this often.
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

  /** A node reports an address of ours. */
  reported(reporter: PublicKey, endpoint: Endpoint): void {
    this.#reports.add(reporter, endpoint, this.#deps.clock.now());
  }

  /** Our addresses, the one that most nodes report in front. */
  get reports(): readonly ReportedEndpoint[] {
    return this.#reports.counted(this.#deps.clock.now());
  }

  /** Sends requests to the nodes nearest to us, so that they learn our present address. */
  show(): void {
    const { clock, nearest, ask } = this.#deps;
    const now = clock.now();
    if (now - this.#shownAt < SHOW_INTERVAL_MS) return;
    this.#shownAt = now;
    for (const node of nearest(SHOWN_TO)) ask(node);
  }
}
