import t from 'tap';
import { PendingRequests } from '../../../../src/tox/dht/rpc/pending-requests.js';
import { at, keyOf, node } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const NODE = node('0a', '192.0.2.1');
const make = (): PendingRequests<string> => new PendingRequests(new SeededRandom(1));

t.test('an answer counts once', async (t) => {
  const pending = make();
  const id = pending.add(NODE, 'context', 0);
  t.equal(pending.take(id, NODE.publicKey, NODE.endpoint, 4999), 'context');
  t.equal(pending.take(id, NODE.publicKey, NODE.endpoint, 4999), undefined);
});

t.test('an answer after five seconds is ignored', async (t) => {
  const pending = make();
  const id = pending.add(NODE, 'context', 0);
  t.equal(pending.take(id, NODE.publicKey, NODE.endpoint, 5000), undefined);
});

t.test('an answer with another key, address or id is ignored and leaves the request pending', async (t) => {
  const pending = make();
  const id = pending.add(NODE, 'context', 0);
  t.equal(pending.take(id, keyOf('0b'), NODE.endpoint, 1), undefined);
  t.equal(pending.take(id, NODE.publicKey, at('192.0.2.2'), 1), undefined);
  t.equal(pending.take(id, NODE.publicKey, at('192.0.2.1', 1), 1), undefined);
  t.equal(pending.take(id + 1n, NODE.publicKey, NODE.endpoint, 1), undefined);
  t.equal(pending.take(id, NODE.publicKey, NODE.endpoint, 1), 'context');
});

t.test('pending requests are bounded: the oldest is dropped', async (t) => {
  const pending = make();
  const ids = Array.from({ length: 5000 }, () => pending.add(NODE, 'context', 0));
  t.equal(pending.take(ids[0] as bigint, NODE.publicKey, NODE.endpoint, 1), undefined);
  t.equal(pending.take(ids[4999] as bigint, NODE.publicKey, NODE.endpoint, 1), 'context');
});
