import t from 'tap';
import { decodeDhtRequest } from '../../../../src/tox/packet/dht-request.js';
import { stranger } from '../../../support/dht-stranger.js';
import { mutations } from '../../../support/fuzz.js';
import { ManualClock } from '../../../support/manual-clock.js';

const PLAIN = Buffer.from('content');

t.test('only the receiver opens what the sender sealed', async (t) => {
  const [a, b, c] = [stranger(1), stranger(2), stranger(3)];
  const packet = a.box.seal(2, b.publicKey, PLAIN);
  t.equal(packet[0], 2);
  const opened = b.box.open(packet);
  t.equal(opened?.sender.hex, a.publicKey.hex);
  t.same(opened?.plain, PLAIN);
  t.equal(c.box.open(packet), undefined);
});

t.test('a DHT request is opened by its receiver only', async (t) => {
  const [a, b, c] = [stranger(1), stranger(2), stranger(3)];
  const request = decodeDhtRequest(a.box.sealRequest(b.publicKey, { kind: 0x9c, data: PLAIN }));
  if (request === undefined) throw new Error('not decoded');
  t.same(b.box.openRequest(request), { kind: 0x9c, data: PLAIN });
  t.equal(c.box.openRequest(request), undefined);
});

t.test('our own packets are dropped', async (t) => {
  const a = stranger(1);
  t.equal(a.box.open(a.box.seal(2, a.publicKey, PLAIN)), undefined);
});

t.test('the same content is sealed differently each time', async (t) => {
  const [a, b] = [stranger(1), stranger(2)];
  t.notSame(a.box.seal(2, b.publicKey, PLAIN), a.box.seal(2, b.publicKey, PLAIN));
});

t.test('hostile bytes are not opened', async (t) => {
  const [a, b] = [stranger(1, new ManualClock()), stranger(2)];
  const sample = a.box.seal(2, b.publicKey, PLAIN);
  for (const bytes of mutations(5, [sample], 500)) {
    // The kind is outside of the box, and is checked by the router and inside of the content.
    if (!bytes.subarray(1).equals(sample.subarray(1)) && b.box.open(bytes) !== undefined) t.fail('opened');
  }
});

t.test('at most 4000 packets a second of known senders are opened', async (t) => {
  const clock = new ManualClock();
  const [a, b] = [stranger(1), stranger(2, clock)];
  const packet = a.box.seal(2, b.publicKey, PLAIN);
  const burst = (): number => {
    let opened = 0;
    for (let index = 0; index < 6000; index += 1) if (b.box.open(packet) !== undefined) opened += 1;
    return opened;
  };
  t.equal(burst(), 1 + 4000);
  clock.advance(500);
  t.equal(burst(), 2000);
});

t.test(
  'at most 2000 packets a second of unknown senders are opened, and known senders do not wait for them',
  async (t) => {
    const clock = new ManualClock();
    const [a, b, c] = [stranger(1), stranger(2, clock), stranger(3)];
    const open = (packet: Buffer): boolean => b.box.open(packet) !== undefined;
    const packet = a.box.seal(2, b.publicKey, PLAIN);
    t.ok(open(packet));
    const garbage = Buffer.from(packet);
    for (let made = 0; made < 2500; made += 1) {
      garbage.writeUInt32BE(made, 1);
      if (open(garbage)) t.fail('opened');
    }
    t.notOk(open(c.box.seal(2, b.publicKey, PLAIN)), 'a stranger has to wait');
    t.ok(open(packet));
    clock.advance(1);
    t.ok(open(c.box.seal(2, b.publicKey, PLAIN)), 'not for long');
  },
);
