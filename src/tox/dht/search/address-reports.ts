/** The addresses that nodes report for one node: a friend, or ourselves as others see us. Each reporter counts once. */
import type { Endpoint } from '../../../base/endpoint.js';
import { ExpiringMap } from '../../../base/expiring-map.js';
import type { PublicKey } from '../../crypto/keys.js';

// Specification: c-toxcore's BAD_NODE_TIMEOUT. Reporters are asked every 60 s.
const LIFETIME_MS = 122_000;
// A search hears of eight reporters, each with two families; our own address of a few dozen close nodes.
const CAPACITY = 64;

interface Report {
  readonly reporter: PublicKey;
  readonly endpoint: Endpoint;
}

export class AddressReports {
  readonly #reports = new ExpiringMap<string, Report>(LIFETIME_MS, CAPACITY);

  /** A node reports the address `endpoint`, which replaces its last report of that family. */
  add(reporter: PublicKey, endpoint: Endpoint, now: number): void {
    this.#reports.set(`${reporter.hex}/${endpoint.family}`, { reporter, endpoint }, now);
  }

  /** Returns one entry for each report, so the same address may occur several times. */
  endpoints(now: number): Endpoint[] {
    return [...this.#reports.values(now)].map((report) => report.endpoint);
  }

  /** Returns the nodes that report an address. */
  reporters(now: number): PublicKey[] {
    const reporters = new Map<string, PublicKey>();
    for (const { reporter } of this.#reports.values(now)) reporters.set(reporter.hex, reporter);
    return [...reporters.values()];
  }

  /** Returns every address once, the one that most nodes report in front. */
  counted(now: number): readonly ReportedEndpoint[] {
    const counts = new Map<string, { endpoint: Endpoint; count: number }>();
    for (const endpoint of this.endpoints(now)) {
      const entry = counts.get(endpoint.key);
      if (entry === undefined) counts.set(endpoint.key, { endpoint, count: 1 });
      else entry.count += 1;
    }
    return [...counts.values()].sort((a, b) => b.count - a.count);
  }
}

export interface ReportedEndpoint {
  readonly endpoint: Endpoint;
  /** How many nodes report it. */
  readonly count: number;
}
