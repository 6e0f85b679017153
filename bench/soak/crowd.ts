/** Searches among 2,000 nodes of the DHT: whether they find, and whether what they cost stays below a logarithm. */
import { DhtSearches, SENT_AT_REST, SENT_BY_SEARCH, STORED } from '../../test/support/dht-searches.js';
import { showProgress } from '../support/progress.js';
import { mean, most } from '../support/statistics.js';
import { Series } from './watch.js';

/** 2,000 take 140 s of a processor (2026-11-28). Of 10,000, which were meant to be here, one run had not ended after 20 minutes. */
const NODES = 2_000;
const SEARCHES = 500;
/** ms; the bounds hold after that. */
const SETTLING = 60_000;

/** Without the key agreements, which would be most of the cost. */
export function crowdedSearches(): { readonly series: Series; readonly failures: readonly string[] } {
  const searches = new DhtSearches({
    nodes: NODES,
    searches: SEARCHES,
    hasCheapKeys: true,
    settling: SETTLING,
    onProgress: (what) => showProgress(`simulation: ${what}`),
  });
  searches.settle();
  const outcome = searches.measure();
  const series = new Series(`${SEARCHES} searches among ${NODES} nodes`, 's', Number.POSITIVE_INFINITY);
  for (const time of outcome.times) series.add(time / 1000);
  const failures: string[] = [];
  const hold = (what: string, value: number, limit: number): void => {
    if (value > limit) failures.push(`${NODES} nodes: ${what}: ${value.toFixed(1)}, more than ${limit.toFixed(1)}`);
  };
  const doublings = Math.log2(NODES);
  hold('searches in vain', outcome.searches - outcome.found, SEARCHES / 100);
  hold('nodes kept by one', most(outcome.stored), STORED * doublings);
  hold('packets a minute at rest', mean(outcome.sentAtRest), SENT_AT_REST * doublings);
  hold('packets of a search', mean(outcome.sent), SENT_BY_SEARCH * doublings);
  return { series, failures };
}
