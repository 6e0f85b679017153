import t from 'tap';
import { SavedNodes } from '../../../../src/tox/dht/bootstrap/saved-nodes.js';
import { named, node } from '../../../support/nodes.js';

const nodes = (count: number) => Array.from({ length: count }, (_, index) => node('0a', '192.0.2.1', 1 + index));

t.test('eight saved nodes are asked a second, with a pause after each round', async (t) => {
  const asked: string[] = [];
  const saved = new SavedNodes((info) => asked.push(named(info)));
  saved.add(nodes(20));
  saved.tick(0, false);
  t.equal(asked.length, 8);
  saved.tick(1000, false);
  saved.tick(2000, false);
  t.equal(asked.length, 20);
  t.equal(new Set(asked).size, 20);
  saved.tick(3000, false);
  t.equal(asked.length, 20);
  saved.tick(6000, false);
  t.equal(asked.length, 28);
});

t.test('no saved node is asked while connected', async (t) => {
  const asked: string[] = [];
  const saved = new SavedNodes((info) => asked.push(named(info)));
  saved.add(nodes(20));
  saved.tick(0, true);
  t.equal(asked.length, 0);
  saved.tick(1000, false);
  t.equal(asked.length, 8, 'but when that is over');
});

t.test('the number of nodes is bounded', async (t) => {
  const asked = new Set<string>();
  const saved = new SavedNodes((info) => asked.add(named(info)));
  saved.add(nodes(5000));
  for (let now = 0; now < 1_000_000; now += 1000) saved.tick(now, false);
  t.equal(asked.size, 512);
});
