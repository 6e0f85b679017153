import t from 'tap';
import { RequestForwarder } from '../../../src/tox/dht/request-forwarder.js';
import { stranger } from '../../support/dht-stranger.js';
import { mutations } from '../../support/fuzz.js';
import { at } from '../../support/nodes.js';

const [us, a, b] = [stranger(1), stranger(2), stranger(3)];
const NEAR = at('192.0.2.3');

function start() {
  const sent: { packet: Buffer; to: string }[] = [];
  const received: string[] = [];
  const forwarder = new RequestForwarder(
    {
      envelope: us.envelope,
      send: (packet, to) => sent.push({ packet, to: to.key }),
      findEndpoint: (key) => (key.equals(b.publicKey) ? NEAR : undefined),
    },
    { ownKey: us.publicKey },
  );
  forwarder.on(0x9c, (sender, data) => received.push(`${sender.short} ${data}`));
  return { sent, received, forwarder };
}

const request = (receiver = us.publicKey, kind = 0x9c): Buffer =>
  a.envelope.sealRequest(receiver, { kind, data: Buffer.from('data') });

t.test('a request for us goes to the handler of its kind', async (t) => {
  const { sent, received, forwarder } = start();
  forwarder.handle(request(), at('192.0.2.2'));
  forwarder.handle(request(us.publicKey, 0x9d), at('192.0.2.2'));
  t.same(received, [`${a.publicKey.short} data`]);
  t.same(sent, []);
});

t.test('a request for a node near to us is handed on unchanged', async (t) => {
  const { sent, received, forwarder } = start();
  const packet = request(b.publicKey);
  forwarder.handle(packet, at('192.0.2.2'));
  t.same(sent, [{ packet, to: '192.0.2.3:33445' }]);
  t.same(received, []);
});

t.test('it is not sent back to where it came from', async (t) => {
  const { sent, forwarder } = start();
  forwarder.handle(request(b.publicKey), at('192.0.2.3'));
  t.same(sent, []);
});

t.test('a request for a node that we do not know is dropped', async (t) => {
  const { sent, forwarder } = start();
  forwarder.handle(request(stranger(4).publicKey), at('192.0.2.2'));
  t.same(sent, []);
});

t.test('two handlers of one kind are our own mistake', async (t) => {
  t.throws(() => start().forwarder.on(0x9c, () => {}), RangeError);
});

t.test('hostile bytes are neither handled nor handed on', async (t) => {
  const { sent, received, forwarder } = start();
  const sample = request();
  for (const bytes of mutations(8, [sample], 500)) if (!bytes.equals(sample)) forwarder.handle(bytes, at('192.0.2.2'));
  t.equal(received.length + sent.length, 0);
});
