import t from 'tap';
import { SearchTable } from '../../../../src/tox/dht/search/search-table.js';
import { encodeNatPing } from '../../../../src/tox/packet/dht-request.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { at, keyOf, node } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const FRIEND = keyOf('ff');

function start() {
  const clock = new ManualClock();
  const natPings: string[] = [];
  const searches = new SearchTable({
    clock,
    random: new SeededRandom(1),
    ask: () => {},
    ping: () => {},
    showOurselves: () => {},
    sendNatPing: (to, { type }) => natPings.push(`${type} to ${to.hex.slice(0, 2)}`),
    closestNodes: () => [],
    isReachable: () => true,
  });
  searches.open(FRIEND, {});
  const reporter = node('01', '192.0.2.1');
  searches.answered(reporter, FRIEND, 0);
  searches.named(reporter.publicKey, { publicKey: FRIEND, endpoint: at('198.51.100.1') }, 0);
  return { natPings, searches };
}

t.test('a node that is reported but does not answer gets a NAT ping request', async (t) => {
  t.same(start().natPings, ['request to FF']);
});

t.test('a NAT ping of the friend is answered, and one of a stranger or of damaged bytes is not', async (t) => {
  const { natPings, searches } = start();
  natPings.length = 0;
  searches.handleNatPing(keyOf('0c'), encodeNatPing({ type: 'request', id: 5n }));
  searches.handleNatPing(FRIEND, Buffer.alloc(8));
  t.same(natPings, []);
  searches.handleNatPing(FRIEND, encodeNatPing({ type: 'request', id: 5n }));
  t.same(natPings, ['response to FF']);
});
