import t from 'tap';
import { ReceiveWindow } from '../../../src/tox/net-crypto/receive-window.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { numbered } from './crypto-peers.js';

/** Gives a packet to a window; what comes out of it in order. */
function give(window: ReceiveWindow, number: number, data = numbered(number)): Buffer[] {
  if (window.arrived(number, data) !== 'next') return [];
  const out = [data];
  for (let next = window.takeNext(); next !== undefined; next = window.takeNext()) out.push(next);
  return out;
}

t.test('packets come out in order, whatever the order in which they come in, also over the wrap', async (t) => {
  const random = new SeededRandom(1);
  for (const first of [0, 0xffff_fe00]) {
    const window = new ReceiveWindow(first);
    const numbers = Array.from({ length: 1000 }, (_, at) => (first + at) >>> 0);
    const shuffled = [...numbers].sort(() => random.fraction() - 0.5);
    const out = shuffled.flatMap((number) => give(window, number));
    t.same(
      out.map((data) => data.readUInt32BE(1)),
      numbers,
    );
    t.equal(window.heldBytes, 0);
    t.notOk(window.hasHoles);
  }
});

t.test('what came before, or waits already, is a duplicate', async (t) => {
  const window = new ReceiveWindow();
  t.equal(window.arrived(0, numbered(0)), 'next');
  t.equal(window.arrived(0, numbered(0)), 'duplicate');
  t.equal(window.arrived(5, numbered(5)), 'early');
  t.equal(window.arrived(5, numbered(5)), 'duplicate');
});

t.test('what lies 32,768 numbers ahead is outside', async (t) => {
  const window = new ReceiveWindow();
  t.equal(window.arrived(32_768, numbered(0)), 'outside');
  t.equal(window.arrived(32_767, numbered(0)), 'early');
  t.equal(window.arrived(0x7fff_ffff, numbered(0)), 'outside');
});

t.test('a peer that leaves out one packet cannot fill our memory', async (t) => {
  const window = new ReceiveWindow();
  let last = '';
  for (let number = 1; number < 32_768; number += 1) last = window.arrived(number, Buffer.alloc(1373, 162));
  t.equal(last, 'no room');
  t.ok(window.heldBytes <= 24 * 1024 * 1024);
  t.equal(give(window, 0).length > 10_000, true, 'the missing one opens the way');
  t.equal(window.heldBytes, 0);
});

t.test('a hole is new once', async (t) => {
  const window = new ReceiveWindow();
  give(window, 0);
  t.notOk(window.takeNewHole());
  window.arrived(2, numbered(2));
  t.ok(window.takeNewHole());
  t.notOk(window.takeNewHole());
  window.arrived(3, numbered(3));
  t.notOk(window.takeNewHole(), 'the next one in the row leaves no hole');
});

t.test('the end that the peer tells makes what is missing at the tail known', async (t) => {
  const window = new ReceiveWindow();
  give(window, 0);
  window.advertised(3);
  t.ok(window.takeNewHole());
  t.ok(window.hasHoles);
  t.ok(window.isMissing(1) && window.isMissing(2));
  window.advertised(2);
  t.equal(window.end, 3, 'a stale end is ignored');
  window.advertised(1 + 32_769);
  t.equal(window.end, 3, 'an absurd one, too');
  window.advertised(0);
  t.equal(window.end, 3);
});
