import t from 'tap';
import { AmplificationLimit } from '../../../../src/tox/net-crypto/path/amplification-limit.js';

const V4 = { key: 'a', kind: 'udp4' } as const;
const V6 = { key: 'b', kind: 'udp6' } as const;

/** A limit with two addresses that have sent nothing. */
function limit(): AmplificationLimit {
  const both = new AmplificationLimit();
  for (const route of [V4, V6]) both.begin(route);
  return both;
}

t.test('an address that sent nothing gets nothing', async (t) => {
  t.notOk(limit().take('a', 0));
});

t.test('an address gets three times what came from it, IP and UDP headers included', async (t) => {
  const both = limit();
  both.onReceived('a', 32);
  both.onReceived('b', 32);
  t.ok(both.allows('a', 180 - 28));
  t.notOk(both.allows('a', 180 - 27));
  t.ok(both.allows('b', 240 - 48));
  t.notOk(both.allows('b', 240 - 47));
  t.ok(both.take('a', 100));
  t.notOk(both.take('a', 25));
  t.ok(both.take('a', 24));
});

t.test('a proven address gets any amount, until its route is removed', async (t) => {
  const both = limit();
  both.onProven('a');
  t.ok(both.isProven('a') && both.take('a', 1_000_000));
  t.notOk(both.isProven('b'));
  both.forget('a');
  both.begin(V4);
  t.notOk(both.isProven('a') || both.allows('a', 0));
});

t.test('an address that others have named gets probes but no data', async (t) => {
  const both = limit();
  t.notOk(both.takeProbe('a', 145));
  both.onNamed('a');
  t.ok(both.takeProbe('a', 145));
  t.notOk(both.take('a', 145));
});

t.test('a relay has no limit, since it has no address to forge', async (t) => {
  const both = limit();
  both.begin({ key: 'relay', kind: 'relay' });
  t.ok(both.take('relay', 1_000_000));
});
