import t from 'tap';
import { BySource, sourceOf } from '../../../src/tox/relay/by-source.js';
import { at } from '../../support/nodes.js';

const item = (source: string, id: number): { source: string; id: number } => ({ source, id });

t.test('a host is an IPv4 address, or a /64 of IPv6', async (t) => {
  t.equal(sourceOf(at('192.0.2.1', 1)), sourceOf(at('192.0.2.1', 2)));
  t.not(sourceOf(at('192.0.2.1', 1)), sourceOf(at('192.0.2.2', 1)));
  t.equal(sourceOf(at('2001:db8::1', 1)), sourceOf(at('2001:db8::ffff:0:2', 1)));
  t.not(sourceOf(at('2001:db8::1', 1)), sourceOf(at('2001:db8:0:1::1', 1)));
});

t.test('the hosts take turns, however many items each has', async (t) => {
  const items = new BySource<{ source: string; id: number }>();
  for (const id of [1, 2, 3, 4]) items.add(item('a', id));
  items.add(item('b', 5));
  items.add(item('c', 6));
  t.equal(items.size, 6);
  const order: number[] = [];
  for (let next = items.next(); next !== undefined; next = items.next()) order.push(next.id);
  t.same(order, [1, 5, 6, 2, 3, 4]);
  t.equal(items.size, 0);
});

t.test('the oldest item of the host with the most items is found, and removed items are gone', async (t) => {
  const items = new BySource<{ source: string; id: number }>();
  const all = [item('a', 1), item('b', 2), item('b', 3)];
  for (const one of [...all, ...all]) items.add(one);
  t.equal(items.size, 3);
  t.equal(items.oldestOfLargest()?.id, 2);
  items.delete(all[1] as (typeof all)[number]);
  items.delete(all[1] as (typeof all)[number]);
  t.equal(items.oldestOfLargest()?.id, 1);
  t.same(
    [...items].map(({ id }) => id),
    [1, 3],
  );
  t.equal(new BySource().oldestOfLargest(), undefined);
});
