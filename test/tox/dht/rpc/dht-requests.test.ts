import t from 'tap';
import { DhtRequests } from '../../../../src/tox/dht/rpc/dht-requests.js';
import { decodeDhtRequest } from '../../../../src/tox/packet/dht-request.js';
import { stranger } from '../../../support/dht-stranger.js';
import { mutations } from '../../../support/fuzz.js';
import { at } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const [us, a, b] = [stranger(1), stranger(2), stranger(3)];
const NEAR = at('192.0.2.3');

function start() {
  const sent: { packet: Buffer; to: string }[] = [];
  const received: string[] = [];
  const requests = new DhtRequests({
    random: new SeededRandom(1),
    ownKey: us.publicKey,
    box: us.box,
    send: (packet, to) => sent.push({ packet, to: to.key }),
    findEndpoint: (key) => (key.equals(b.publicKey) ? NEAR : undefined),
    ways: (key) => (key.equals(a.publicKey) ? [at('192.0.2.7'), at('192.0.2.8')] : []),
  });
  requests.on(0x9c, (sender, data) => received.push(`${sender.short} ${data}`));
  return { sent, received, requests };
}

const request = (receiver = us.publicKey, kind = 0x9c): Buffer =>
  a.box.sealRequest(receiver, { kind, data: Buffer.from('data') });

t.test('a request for us goes to the handler of its kind', async (t) => {
  const { sent, received, requests } = start();
  requests.handle(request(), at('192.0.2.2'));
  requests.handle(request(us.publicKey, 0x9d), at('192.0.2.2'));
  t.same(received, [`${a.publicKey.short} data`]);
  t.same(sent, []);
});

t.test('our own request takes every known route to a node that we search for', async (t) => {
  const { sent, requests } = start();
  t.ok(requests.send(a.publicKey, 0x9c, Buffer.from('data')));
  t.same(
    sent.map(({ to }) => to),
    ['192.0.2.7:33445', '192.0.2.8:33445'],
  );
  const opened = decodeDhtRequest(sent[0]?.packet as Buffer);
  t.same(opened && a.box.openRequest(opened), { kind: 0x9c, data: Buffer.from('data') });
  t.notOk(requests.send(b.publicKey, 0x9c, Buffer.from('data')));
});

t.test('a request for a single route takes one of them', async (t) => {
  const { sent, requests } = start();
  t.ok(requests.send(a.publicKey, 0x9c, Buffer.from('data'), { isSingle: true }));
  t.equal(sent.length, 1);
});

t.test('a request for a node near to us is forwarded unchanged', async (t) => {
  const { sent, received, requests } = start();
  const packet = request(b.publicKey);
  requests.handle(packet, at('192.0.2.2'));
  t.same(sent, [{ packet, to: '192.0.2.3:33445' }]);
  t.same(received, []);
});

t.test('a request is not sent back to its source', async (t) => {
  const { sent, requests } = start();
  requests.handle(request(b.publicKey), at('192.0.2.3'));
  t.same(sent, []);
});

t.test('a request for a node that we do not know is dropped', async (t) => {
  const { sent, requests } = start();
  requests.handle(request(stranger(4).publicKey), at('192.0.2.2'));
  t.same(sent, []);
});

t.test('registering two handlers of one kind throws', async (t) => {
  t.throws(() => start().requests.on(0x9c, () => {}), RangeError);
});

t.test('hostile bytes are neither handled nor forwarded', async (t) => {
  const { sent, received, requests } = start();
  const sample = request();
  for (const bytes of mutations(8, [sample], 500)) if (!bytes.equals(sample)) requests.handle(bytes, at('192.0.2.2'));
  t.equal(received.length + sent.length, 0);
});
