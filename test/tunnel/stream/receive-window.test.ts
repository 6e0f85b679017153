import t from 'tap';
import { BASE_WINDOW, ReceiveWindow, WINDOW_POOL, WindowPool } from '../../../src/tunnel/stream/receive-window.js';

const MIB = 1024 * 1024;

/** Runs a sender that uses all its credit, and a reader that takes everything at once, for some round trips. */
function run(window: ReceiveWindow, roundTrips: number, roundTrip: number, delivered = 1): void {
  let credit = BASE_WINDOW;
  for (let round = 1; round <= roundTrips; round += 1) {
    credit += window.due;
    window.onGranted();
    window.onReceived(credit);
    window.onDelivered(credit * delivered, round * roundTrip, roundTrip);
    credit = 0;
  }
}

t.test('a window is raised at once and grows while the reader keeps up', async (t) => {
  const window = new ReceiveWindow(new WindowPool(), 0);
  t.equal(window.due + BASE_WINDOW, 2 * MIB);
  run(window, 12, 100);
  t.equal(window.size, 16 * 1024 * 1024, 'to its limit');
});

t.test('a window does not grow when the reader is slow', async (t) => {
  const window = new ReceiveWindow(new WindowPool(), 0);
  for (let second = 1; second < 100; second += 1) {
    window.onReceived(window.due);
    window.onGranted();
    window.onDelivered(64 * 1024, second * 1000, 100);
  }
  t.equal(window.size, 2 * MIB);
});

t.test('a window grows to at least four times what the path holds, and then stays', async (t) => {
  const window = new ReceiveWindow(new WindowPool(), 0);
  // 10 MB/s at 200 ms: 2 MB in flight.
  const bytes = 10_000;
  window.onGranted();
  for (let now = 1; now <= 10_000; now += 1) {
    window.onReceived(bytes);
    window.onDelivered(bytes, now, 200);
    window.onGranted();
  }
  t.equal(window.size, 8 * MIB);
});

t.test('a window does not limit a sender whose rate grows as in start-up', async (t) => {
  const window = new ReceiveWindow(new WindowPool(), 0);
  const roundTrip = 40;
  let credit = BASE_WINDOW + window.due;
  window.onGranted();
  // Bytes in flight, for each ms, to the reader and back.
  const sent = new Array<number>(2 * roundTrip).fill(0);
  const granted = new Array<number>(2 * roundTrip).fill(0);
  for (let now = 1; now <= 500; now += 1) {
    credit += granted[now % roundTrip] as number;
    const rate = Math.min(40_000, 6500 * 2.885 ** (now / roundTrip));
    const arrived = sent[(now + roundTrip / 2) % roundTrip] as number;
    window.onReceived(arrived);
    window.onDelivered(arrived, now, roundTrip);
    granted[(now + roundTrip / 2) % roundTrip] = window.due;
    window.onGranted();
    t.ok(credit >= rate, `${credit} at ${now} ms`);
    credit -= rate;
    sent[now % roundTrip] = rate;
  }
});

t.test('many tunnels get less of the pool from the start', async (t) => {
  const pool = new WindowPool();
  const sizes = Array.from({ length: 200 }, () => new ReceiveWindow(pool, 0).size);
  t.equal(sizes[0], 2 * MIB);
  t.ok((sizes[50] as number) < MIB && (sizes[50] as number) > MIB / 4);
  t.ok(pool.free > 0, 'some of it is left to grow with');
});

t.test('granted, waiting and delivered bytes make up the window', async (t) => {
  const window = new ReceiveWindow(new WindowPool(), 0);
  window.onGranted();
  t.ok(window.onReceived(2 * MIB), 'the whole window');
  t.notOk(window.onReceived(1), 'and no byte more');
  t.notOk(window.onDelivered(256 * 1024 - 1, 1e6, 1), 'a grant is not due for every byte');
  t.ok(window.onDelivered(1, 1e6, 1));
  t.notOk(window.onReceived(1), 'a grant counts after it is sent');
  window.onGranted();
  t.ok(window.onReceived(256 * 1024));
  t.notOk(window.onReceived(1));
});

t.test('the pool bounds all windows beyond their base, and closed windows return their part', async (t) => {
  const pool = new WindowPool();
  const windows = Array.from({ length: 1024 }, () => new ReceiveWindow(pool, 0));
  for (const window of windows) run(window, 12, 100);
  const total = windows.reduce((sum, window) => sum + window.size, 0);
  t.ok(total <= 1024 * BASE_WINDOW + WINDOW_POOL, `${total}`);
  for (const window of windows) window.close();
  t.ok(pool.take(WINDOW_POOL));
});
