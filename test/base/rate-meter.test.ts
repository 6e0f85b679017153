import t from 'tap';
import { RateMeter } from '../../src/base/rate-meter.js';

t.test('a steady flow has its rate soon after the beginning', async (t) => {
  const meter = new RateMeter();
  let worst = 0;
  for (let now = 10_000; now < 60_000; now += 10) {
    meter.add(50, now);
    if (now >= 11_000) worst = Math.max(worst, Math.abs(meter.rate(now) - 5_000));
  }
  t.ok(worst < 100, `at most ${worst} off 5,000 a second`);
  t.equal(meter.total, 5_000 * 50);
});

t.test('the rate falls to 0 within 5 s after the end, the total stays', async (t) => {
  const meter = new RateMeter();
  meter.add(1_000, 100);
  t.ok(meter.rate(4_000) > 0);
  t.equal(meter.rate(5_600), 0);
  t.equal(meter.total, 1_000);
});

t.test('after a long pause the rate has no earlier amounts', async (t) => {
  for (const pause of [5_000, 5_500, 7_777, 1_000_000_000]) {
    const meter = new RateMeter();
    for (let now = 0; now < 5_000; now += 100) meter.add(1_000_000, now);
    meter.add(10, 5_000 + pause);
    t.ok(meter.rate(5_000 + pause) < 100, `after ${pause} ms`);
  }
});

t.test('a single packet has a low rate', async (t) => {
  const meter = new RateMeter();
  meter.add(1_000, 7);
  t.equal(meter.rate(7), 2_000);
});

t.test('without packets the rate is 0', async (t) => t.equal(new RateMeter().rate(1_000), 0));
