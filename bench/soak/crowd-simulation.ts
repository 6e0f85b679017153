/**
 * Searches among 10,000 nodes of the DHT, as many as the public network has: whether they find, and whether what they cost stays
 * below a logarithm. Prints a `CrowdOutcome` as JSON. Takes some 21 minutes of a processor, and 1.9 GB.
 *
 *     node dist/bench/soak/crowd-simulation.js [NODES, 10,000 by default]
 */
import { DhtSearches, SENT_AT_REST, SENT_BY_SEARCH, STORED } from '../../test/support/dht-searches.js';
import { mean, most } from '../support/statistics.js';

export interface CrowdOutcome {
  readonly nodes: number;
  readonly searches: number;
  readonly found: number;
  /** ms of each search that found. */
  readonly times: readonly number[];
  /** What went beyond its limit. */
  readonly failures: readonly string[];
  /** s of the processor, and bytes of memory at the end. */
  readonly processor: number;
  readonly resident: number;
}

const [nodes = 10_000] = process.argv.slice(2).map(Number);
const SEARCHES = 500;
/** ms; the limits hold after that. */
const SETTLING = 60_000;

/** Without the key agreements, which would take several minutes. */
function simulate(): CrowdOutcome {
  const crowd = new DhtSearches({ nodes, searches: SEARCHES, hasCheapKeys: true, settling: SETTLING });
  crowd.settle();
  const outcome = crowd.measure();
  const failures: string[] = [];
  const hold = (what: string, value: number, limit: number): void => {
    if (value > limit) failures.push(`${nodes} nodes: ${what}: ${value.toFixed(1)}, more than ${limit.toFixed(1)}`);
  };
  const doublings = Math.log2(nodes);
  hold('searches in vain', outcome.searches - outcome.found, SEARCHES / 100);
  hold('nodes kept by one', most(outcome.stored), STORED * doublings);
  hold('packets a minute at rest', mean(outcome.sentAtRest), SENT_AT_REST * doublings);
  hold('packets of a search', mean(outcome.sent), SENT_BY_SEARCH * doublings);
  const { user, system } = process.cpuUsage();
  return {
    nodes,
    searches: outcome.searches,
    found: outcome.found,
    times: outcome.times,
    failures,
    processor: (user + system) / 1e6,
    resident: process.memoryUsage().rss,
  };
}

console.log(JSON.stringify(simulate()));
