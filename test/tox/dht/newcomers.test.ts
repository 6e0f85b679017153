import t from 'tap';
import { Newcomers } from '../../../src/tox/dht/newcomers.js';
import { keyOf, node } from '../../support/nodes.js';

const stranger = (index: number) => node(index.toString(16).padStart(4, '0'), '192.0.2.1', 1 + index);

function start() {
  const pinged: number[] = [];
  const wishes = { isWanted: (): boolean => true };
  const newcomers = new Newcomers(
    { ping: ({ endpoint }) => pinged.push(endpoint.port - 1), isWanted: () => wishes.isWanted() },
    { ownKey: keyOf('00'), now: 0 },
  );
  return { pinged, wishes, newcomers };
}

t.test('a newcomer is pinged at once', async (t) => {
  const { pinged, newcomers } = start();
  newcomers.add(stranger(5), 0);
  t.same(pinged, [5]);
});

t.test('a flood of them is pinged 16 a second, and those nearest to us wait', async (t) => {
  const { pinged, newcomers } = start();
  for (let index = 1000; index > 0; index -= 1) newcomers.add(stranger(index), 0);
  t.equal(pinged.length, 32);
  newcomers.tick(1000);
  t.equal(pinged.length, 48);
  newcomers.tick(60_000);
  t.equal(pinged.length, 64, 'the others were dropped');
  t.same(
    pinged.slice(32).sort((a, b) => a - b),
    Array.from({ length: 32 }, (_, index) => index + 1),
  );
});

t.test('one that no list wants is not pinged', async (t) => {
  const { pinged, wishes, newcomers } = start();
  wishes.isWanted = () => false;
  newcomers.add(stranger(5), 0);
  newcomers.tick(1000);
  t.same(pinged, []);
});

t.test('one that is no longer wanted is not pinged', async (t) => {
  const { pinged, wishes, newcomers } = start();
  for (let index = 0; index < 40; index += 1) newcomers.add(stranger(index), 0);
  wishes.isWanted = () => false;
  newcomers.tick(1000);
  wishes.isWanted = () => true;
  newcomers.tick(60_000);
  t.equal(pinged.length, 32);
});
