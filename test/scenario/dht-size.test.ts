/** The DHT in networks of many nodes: what is looked for is found, and what that costs a node grows as the logarithm of their number. */

import t, { type Test } from 'tap';
import { mean } from '../../bench/support/statistics.js';
import { DhtSearches, SENT_AT_REST, SENT_BY_SEARCH, type SearchOutcome, STORED } from '../support/dht-searches.js';

const SEARCHES = 200;
function run(conditions: Omit<ConstructorParameters<typeof DhtSearches>[0], 'searches'>): SearchOutcome {
  const searches = new DhtSearches({ searches: SEARCHES, hasCheapKeys: true, settling: 60_000, ...conditions });
  searches.settle();
  return searches.measure();
}

function hold(t: Test, nodes: number, outcome: SearchOutcome): void {
  const doublings = Math.log2(nodes);
  t.ok(outcome.found >= 0.99 * outcome.searches, `found: ${outcome.found} of ${outcome.searches}`);
  const most = Math.max(...outcome.stored);
  t.ok(most <= STORED * doublings, `nodes kept at most: ${most}`);
  t.ok(mean(outcome.sentAtRest) <= SENT_AT_REST * doublings, `sent at rest: ${mean(outcome.sentAtRest)}`);
  t.ok(mean(outcome.sent) <= SENT_BY_SEARCH * doublings, `sent by a search: ${mean(outcome.sent)}`);
}

for (const nodes of [100, 500]) {
  t.test(`among ${nodes} nodes searches find, and cost no more than a logarithm`, async (t) =>
    hold(t, nodes, run({ nodes })),
  );
}
