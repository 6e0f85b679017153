import t from 'tap';
import { PingQueue } from '../../../../src/tox/dht/bootstrap/ping-queue.js';
import { keyOf, node } from '../../../support/nodes.js';

const stranger = (index: number) => node(index.toString(16).padStart(4, '0'), '192.0.2.1', 1 + index);

function start() {
  const pinged: number[] = [];
  const wishes = { isWanted: (): boolean => true };
  const queue = new PingQueue(
    { ownKey: keyOf('00'), ping: ({ endpoint }) => pinged.push(endpoint.port - 1), isWanted: () => wishes.isWanted() },
    0,
  );
  return { pinged, wishes, queue };
}

t.test('a node that speaks to us first is pinged at once', async (t) => {
  const { pinged, queue } = start();
  queue.add(stranger(5), 0);
  t.same(pinged, [5]);
});

t.test('of many such nodes 16 a second are pinged, and the nearest to us wait', async (t) => {
  const { pinged, queue } = start();
  for (let index = 1000; index > 0; index -= 1) queue.add(stranger(index), 0);
  t.equal(pinged.length, 32);
  queue.tick(1000);
  t.equal(pinged.length, 48);
  queue.tick(60_000);
  t.equal(pinged.length, 64, 'the others were dropped');
  t.same(
    pinged.slice(32).sort((a, b) => a - b),
    Array.from({ length: 32 }, (_, index) => index + 1),
  );
});

t.test('a node that no list wants is not pinged', async (t) => {
  const { pinged, wishes, queue } = start();
  wishes.isWanted = () => false;
  queue.add(stranger(5), 0);
  queue.tick(1000);
  t.same(pinged, []);
});

t.test('a waiting node that is no longer wanted is not pinged', async (t) => {
  const { pinged, wishes, queue } = start();
  for (let index = 0; index < 40; index += 1) queue.add(stranger(index), 0);
  wishes.isWanted = () => false;
  queue.tick(1000);
  wishes.isWanted = () => true;
  queue.tick(60_000);
  t.equal(pinged.length, 32);
});
