import t from 'tap';
import { Lookup } from '../../../../src/tox/dht/routing/lookup.js';
import type { NodeInfo } from '../../../../src/tox/packet/node-info.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { keyOf, node } from '../../../support/nodes.js';

const hex = (value: number): string => value.toString(16).padStart(2, '0');
/** A node at that distance from the target. */
const far = (distance: number): NodeInfo => node(hex(distance), `192.0.2.${distance}`);
const TARGET = node('00', '192.0.2.200');

function start(wants: (node: NodeInfo) => boolean = () => true) {
  const clock = new ManualClock();
  const asked: number[] = [];
  const ask = ({ publicKey }: NodeInfo): void => {
    asked.push(publicKey.bytes[0] as number);
  };
  const lookup = new Lookup({ clock, ask, wants }, { target: keyOf('00') });
  return { clock, asked, lookup };
}

t.test('a node is asked at once', async (t) => {
  const { asked, lookup } = start();
  lookup.offer(far(1));
  lookup.offer(far(1));
  t.same(asked, [1], 'and only once');
});

t.test('eight requests are in flight at most, and an answer lets the nearest waiting node be asked', async (t) => {
  const { asked, lookup } = start();
  for (const distance of [20, 21, 22, 23, 24, 25, 26, 27, 30, 10, 40]) lookup.offer(far(distance));
  t.same(asked, [20, 21, 22, 23, 24, 25, 26, 27]);
  lookup.answered(far(23));
  t.equal(asked.at(-1), 10);
  t.equal(asked.length, 9);
});

t.test('silent nodes give way to others after half a second', async (t) => {
  const { clock, asked, lookup } = start();
  for (let distance = 20; distance < 30; distance += 1) lookup.offer(far(distance));
  t.equal(asked.length, 8);
  clock.advance(500);
  t.same(asked.slice(8, 10), [28, 29]);
});

t.test('a node is asked three times, then left alone for 30 s', async (t) => {
  const { clock, asked, lookup } = start();
  lookup.offer(far(1));
  clock.advance(10_000);
  t.same(asked, [1, 1, 1]);
  lookup.offer(far(1));
  t.equal(asked.length, 3);
  clock.advance(30_000);
  lookup.offer(far(1));
  t.equal(asked.length, 4);
});

t.test('the node looked for is asked eight times, for its NAT may open late', async (t) => {
  const { clock, asked, lookup } = start();
  lookup.offer(TARGET);
  clock.advance(60_000);
  t.equal(asked.length, 8);
});

t.test('askNow asks a silent node and a node that no list wants', async (t) => {
  const { clock, asked, lookup } = start(() => false);
  lookup.offer(far(1));
  t.equal(asked.length, 0);
  lookup.askNow(far(1));
  clock.advance(10_000);
  t.equal(asked.length, 3);
  lookup.askNow(far(1));
  t.equal(asked.length, 4);
});

t.test('a node that is no longer wanted when its turn comes is not asked', async (t) => {
  let isWanted = true;
  const { clock, asked, lookup } = start(() => isWanted);
  for (let distance = 20; distance < 30; distance += 1) lookup.offer(far(distance));
  isWanted = false;
  clock.advance(10_000);
  t.equal(asked.length, 8);
  t.equal(clock.pending, 0, 'and nothing is left to do');
});

t.test('one key cannot fill the lookup with addresses', async (t) => {
  const { asked, lookup } = start();
  for (let index = 1; index <= 20; index += 1) lookup.offer(node('00', `198.51.100.${index}`));
  t.equal(asked.length, 4);
  lookup.offer(far(1));
  t.equal(asked.at(-1), 1);
});

t.test('a lookup keeps at most 32 candidates', async (t) => {
  const { clock, asked, lookup } = start();
  for (let distance = 1; distance <= 200; distance += 1) lookup.offer(far(distance));
  clock.advance(60_000);
  t.equal(new Set(asked).size, 32);
});

t.test('a closed lookup has no timer left', async (t) => {
  const { clock, asked, lookup } = start();
  lookup.offer(far(1));
  lookup.close();
  clock.advance(10_000);
  t.same(asked, [1]);
  t.equal(clock.pending, 0);
});
