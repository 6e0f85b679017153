import t from 'tap';
import { fullBar, sparkline, TrafficHistory } from '../../../../src/cli/ctl/top/traffic-history.js';

const totals = (received: number, sent = 0) => new Map([['a', { received, sent }]]);

t.test('rates are made of totals, the latest last, each way', async (t) => {
  const history = new TrafficHistory();
  history.add(totals(1_000), 0);
  t.match(history.ratesOf('a'), { received: [], sent: [] }, 'one total says nothing');
  history.add(totals(3_000, 500), 1_000);
  history.add(totals(3_000, 1_500), 2_000);
  t.match(history.ratesOf('a'), { received: [2_000, 0], sent: [500, 1_000] });
  t.equal(history.trafficOf('a'), 3_500);
});

t.test('a list that was left out counts for the seconds before it, and a minute is stored', async (t) => {
  const history = new TrafficHistory();
  history.add(totals(0), 0);
  history.add(totals(3_000), 3_000);
  t.same(history.ratesOf('a').received, [1_000, 1_000, 1_000]);
  for (let second = 4; second <= 100; second += 1) history.add(totals(3_000 + second), second * 1_000);
  t.equal(history.ratesOf('a').received.length, 60);
  history.add(totals(10_000), 900_000);
  t.equal(history.ratesOf('a').received.length, 60);
});

t.test('totals that begin at 0 again, after a restart of the daemon, are no negative rate', async (t) => {
  const history = new TrafficHistory();
  history.add(totals(1_000_000), 0);
  history.add(totals(500), 1_000);
  t.same(history.ratesOf('a').received, [500]);
});

t.test('what is gone is forgotten', async (t) => {
  const history = new TrafficHistory();
  history.add(totals(0), 0);
  history.add(totals(1_000), 1_000);
  history.add(new Map(), 2_000);
  history.add(totals(2_000), 3_000);
  t.same(history.ratesOf('a').received, []);
});

t.test('a sparkline shows a minute in any width, and no peak is left out', async (t) => {
  const full = 8_192;
  t.equal(sparkline([], full, 6), '      ');
  t.equal(sparkline([0, 1, 4_096, 8_192], full, 60), `${' '.repeat(57)}▁▄█`);
  t.equal(sparkline([8_192, ...Array<number>(59).fill(0)], full, 6), '█     ');
  t.equal(sparkline(Array<number>(60).fill(8_192), full, 11), '█'.repeat(11));
  t.equal(sparkline([99_999], full, 60).at(-1), '█');
});

t.test('bars stand for the same rate both ways, and a few packets are no full bar', async (t) => {
  t.equal(fullBar({ received: [100_000, 5], sent: [7] }), 100_000);
  t.equal(fullBar({ received: [5], sent: [7] }), 8_192);
});
