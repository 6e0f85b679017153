import t from 'tap';
import { OwnWhereabouts } from '../../../src/tox/dht/own-whereabouts.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at, keyOf, named, node } from '../../support/nodes.js';

function start() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const nodes = Array.from({ length: 20 }, (_, index) => node((10 + index).toString(), '192.0.2.1', 1 + index));
  const whereabouts = new OwnWhereabouts({
    clock,
    nearest: (count) => nodes.slice(0, count),
    ask: (info) => asked.push(named(info)),
  });
  return { clock, asked, whereabouts };
}

t.test('the address that most nodes report comes first, until they have been silent for two minutes', async (t) => {
  const { clock, whereabouts } = start();
  whereabouts.reported(keyOf('01'), at('203.0.113.1'));
  for (const key of ['02', '03']) whereabouts.reported(keyOf(key), at('203.0.113.2'));
  t.same(
    whereabouts.reports.map(({ endpoint, count }) => `${endpoint.key} ${count}`),
    ['203.0.113.2:33445 2', '203.0.113.1:33445 1'],
  );
  clock.advance(123_000);
  t.same(whereabouts.reports, []);
});

t.test(
  'we show ourselves to the eight nodes nearest to us, however many friends want it in a quarter second',
  async (t) => {
    const { clock, asked, whereabouts } = start();
    for (let friend = 0; friend < 200; friend += 1) whereabouts.show();
    t.equal(asked.length, 8);
    t.equal(new Set(asked).size, 8);
    clock.advance(249);
    whereabouts.show();
    t.equal(asked.length, 8);
    clock.advance(1);
    whereabouts.show();
    t.equal(asked.length, 16);
  },
);
