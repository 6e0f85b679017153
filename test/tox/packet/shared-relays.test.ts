import t from 'tap';
import { decodeSharedRelays, encodeSharedRelays } from '../../../src/tox/packet/friend.js';
import { encodePackedNodes } from '../../../src/tox/packet/node-info.js';
import { mutations } from '../../support/fuzz.js';
import { named, node } from '../../support/nodes.js';

const RELAYS = [node('0a', '192.0.2.1', 443), node('0b', '2001:db8::1', 3389)];

t.test('shared relays are the id and packed nodes of the TCP families', async (t) => {
  const data = encodeSharedRelays(RELAYS);
  t.equal(data.length, 1 + 39 + 51);
  t.equal(data.subarray(0, 8).toString('hex'), '1182c000020101bb');
  t.equal(data[40], 138);
  t.same(decodeSharedRelays(data)?.map(named), RELAYS.map(named));
});

t.test('encoding no relay or more than three throws; of more, three are decoded', async (t) => {
  t.throws(() => encodeSharedRelays([]), RangeError);
  t.throws(() => encodeSharedRelays([...RELAYS, ...RELAYS]), RangeError);
  const four = Buffer.concat([encodeSharedRelays(RELAYS), encodeSharedRelays(RELAYS).subarray(1)]);
  t.equal(decodeSharedRelays(four)?.length, 3);
});

t.test('DHT nodes among them are left out', async (t) => {
  const nodes = encodePackedNodes([{ ...node('0c', '192.0.2.3'), transport: 'udp' }]);
  t.same(decodeSharedRelays(Buffer.concat([Buffer.from([17]), nodes])), []);
});

t.test('hostile bytes never throw', async (t) => {
  for (const bytes of mutations(1, [encodeSharedRelays(RELAYS)], 2_000)) {
    const relays = decodeSharedRelays(bytes);
    if ((relays?.length ?? 0) > 3) t.fail(bytes.toString('hex'));
  }
});
