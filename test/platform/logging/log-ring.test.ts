import t from 'tap';
import { type LogRecord, LogRing } from '../../../src/platform/logging/log-ring.js';

const record = (message: string): LogRecord => ({ at: 1, level: 'info', message });
const fill = (ring: LogRing, count: number): void => {
  for (let index = 1; index <= count; index += 1) ring.add(record(String(index)));
};
const messages = (ring: LogRing, count: number): string[] => ring.last(count).map(({ message }) => message);

t.test('the newest lines are returned, the oldest of them first', async (t) => {
  const ring = new LogRing(3);
  t.same(messages(ring, 10), []);
  fill(ring, 2);
  t.same(messages(ring, 10), ['1', '2']);
  fill(ring, 5);
  t.same(messages(ring, 10), ['3', '4', '5']);
  t.same(messages(ring, 2), ['4', '5']);
  t.same(messages(ring, 0), []);
});

t.test('the default capacity is a thousand lines', async (t) => {
  const ring = new LogRing();
  fill(ring, 2_500);
  t.equal(ring.last(5_000).length, 1_000);
  t.equal(messages(ring, 1_000)[0], '1501');
});

t.test('a long line is cut', async (t) => {
  const ring = new LogRing();
  ring.add(record('x'.repeat(1_000_000)));
  t.equal(messages(ring, 1)[0]?.length, 2_000);
});

t.test('a follower gets each new line until it stops', async (t) => {
  const ring = new LogRing(2);
  const first: string[] = [];
  const second: string[] = [];
  const end = ring.follow(({ message }) => {
    first.push(message);
    if (message === '2') end();
  });
  ring.follow(({ message }) => second.push(message));
  fill(ring, 3);
  t.same(first, ['1', '2']);
  t.same(second, ['1', '2', '3']);
});
