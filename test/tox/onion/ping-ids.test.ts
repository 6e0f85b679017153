import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { PingIds } from '../../../src/tox/onion/ping-ids.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(1);
const alice = generateKeyPair(random).publicKey;
const bob = generateKeyPair(random).publicKey;
const exit = Endpoint.of('192.0.2.1', 33_445)!;

/** Starts at the beginning of a window of 300 s. */
function make(): { clock: ManualClock; ids: PingIds } {
  const clock = new ManualClock(300 * 6_000_000);
  return { clock, ids: new PingIds({ clock, random }) };
}

t.test('a ping id is valid only for its requester and address', async (t) => {
  const { ids } = make();
  const id = ids.issue(alice, exit);
  t.ok(ids.isValid(id, alice, exit));
  t.notOk(ids.isValid(id, bob, exit));
  t.notOk(ids.isValid(id, alice, Endpoint.of('192.0.2.2', 33_445)!), 'another address');
  t.notOk(ids.isValid(id, alice, Endpoint.of('192.0.2.1', 33_446)!), 'another port');
  t.notOk(ids.isValid(Buffer.alloc(32), alice, exit), 'none at all');
  t.notOk(ids.isValid(id.subarray(1), alice, exit), 'too short');
});

t.test('a ping id is valid in its window and the next one', async (t) => {
  const { clock, ids } = make();
  const id = ids.issue(alice, exit);
  clock.advance(599_000);
  t.ok(ids.isValid(id, alice, exit));
  clock.advance(1_000);
  t.notOk(ids.isValid(id, alice, exit));
});

t.test('a node does not accept the ping ids of another node', async (t) => {
  t.notOk(make().ids.isValid(make().ids.issue(alice, exit), alice, exit));
});
