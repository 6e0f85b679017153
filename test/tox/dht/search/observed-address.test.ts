import t from 'tap';
import { ObservedAddress } from '../../../../src/tox/dht/search/observed-address.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { at, keyOf, named, node } from '../../../support/nodes.js';

function start() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const nodes = Array.from({ length: 20 }, (_, index) => node((10 + index).toString(), '192.0.2.1', 1 + index));
  const observed = new ObservedAddress({
    clock,
    nearest: (count) => nodes.slice(0, count),
    ask: (info) => asked.push(named(info)),
  });
  return { clock, asked, observed };
}

t.test('the address that most nodes report comes first, until they have been silent for two minutes', async (t) => {
  const { clock, observed } = start();
  observed.reported(keyOf('01'), at('203.0.113.1'));
  for (const key of ['02', '03']) observed.reported(keyOf(key), at('203.0.113.2'));
  t.same(
    observed.reports.map(({ endpoint, count }) => `${endpoint.key} ${count}`),
    ['203.0.113.2:33445 2', '203.0.113.1:33445 1'],
  );
  clock.advance(123_000);
  t.same(observed.reports, []);
});

t.test('the eight nodes nearest to us are asked at most once in a quarter second', async (t) => {
  const { clock, asked, observed } = start();
  for (let friend = 0; friend < 200; friend += 1) observed.show();
  t.equal(asked.length, 8);
  t.equal(new Set(asked).size, 8);
  clock.advance(249);
  observed.show();
  t.equal(asked.length, 8);
  clock.advance(1);
  observed.show();
  t.equal(asked.length, 16);
});
