import t from 'tap';
import { NatPings } from '../../../../src/tox/dht/search/nat-pings.js';
import { Search } from '../../../../src/tox/dht/search/search.js';
import { decodeDhtRequest, decodeNatPing, encodeNatPing } from '../../../../src/tox/packet/dht-request.js';
import { stranger } from '../../../support/dht-stranger.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { at, node } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const [us, friend] = [stranger(1), stranger(2)];

function start() {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const sent: { packet: Buffer; to: string }[] = [];
  const sendNatPing: NatPings['send'] = (...args) => natPings.send(...args);
  const deps = { clock, random, ask: () => {}, ping: () => {}, showOurselves: () => {}, sendNatPing };
  const search = new Search(deps, { publicKey: friend.publicKey, isRandom: false });
  const natPings = new NatPings({
    clock,
    random,
    box: us.box,
    send: (packet, to) => sent.push({ packet, to: to.key }),
    findSearch: (key) => (key.equals(friend.publicKey) ? search : undefined),
  });
  for (const reporter of [node('01', '192.0.2.1'), node('02', '192.0.2.2')]) {
    search.answered(reporter, friend.publicKey, 0);
    search.named(reporter.publicKey, { publicKey: friend.publicKey, endpoint: at('198.51.100.1') }, 0);
  }
  sent.length = 0;
  return { sent, search, natPings };
}

t.test('a NAT ping request takes every route, a response one of them', async (t) => {
  const { sent, search, natPings } = start();
  natPings.send(search, { type: 'request', id: 5n });
  t.same(
    sent.map(({ to }) => to),
    ['192.0.2.1:33445', '192.0.2.2:33445'],
  );
  natPings.send(search, { type: 'response', id: 5n });
  t.equal(sent.length, 3);
});

t.test('the friend reads a NAT ping as a DHT request of kind 254', async (t) => {
  const { sent, search, natPings } = start();
  natPings.send(search, { type: 'request', id: 5n });
  const request = decodeDhtRequest(sent[0]?.packet as Buffer);
  const plain = request && friend.box.openRequest(request);
  t.equal(plain?.kind, 254);
  t.same(plain && decodeNatPing(plain.data), { type: 'request', id: 5n });
});

t.test('a request of the friend is answered, and one of a stranger or of damaged bytes is not', async (t) => {
  const { sent, natPings } = start();
  natPings.handle(stranger(3).publicKey, encodeNatPing({ type: 'request', id: 5n }));
  natPings.handle(friend.publicKey, Buffer.alloc(8));
  t.same(sent, []);
  natPings.handle(friend.publicKey, encodeNatPing({ type: 'request', id: 5n }));
  t.equal(sent.length, 1);
});
