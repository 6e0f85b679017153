import t from 'tap';
import { MemoryBudget } from '../../../../src/base/memory-budget.js';
import { LossyBytes } from '../../../../src/tox/net-crypto/stream/lossy-bytes.js';
import { PacketMemory } from '../../../../src/tox/net-crypto/stream/packet-memory.js';
import { SendWindow } from '../../../../src/tox/net-crypto/stream/send-window.js';
import { numbered } from '../crypto-peers.js';

t.test('a place has a copy of the packet, whatever its size', (t) => {
  const memory = new PacketMemory();
  const packet = numbered(1);
  const place = memory.take(packet);
  const copy = Buffer.from(packet);
  packet.fill(0);
  t.same(place.data, copy);
  memory.release(place);
  const longer = Buffer.alloc(1_373, 162);
  t.equal(memory.take(longer), place, 'what was released is used again');
  t.same(place.data, longer);
  t.end();
});

t.test('connections use the places of others that are acknowledged or closed', (t) => {
  const memory = new PacketMemory();
  const budget = new MemoryBudget({ total: 1 << 20, floor: 0 });
  const window = (): SendWindow => new SendWindow(budget.share(), 0, new LossyBytes(), memory);
  const first = window();
  first.push(numbered(0));
  first.push(numbered(1));
  const places = [first.dataOf(0).buffer, first.dataOf(1).buffer];
  first.onSent(0, 0);
  first.beginAck(10, 0, 0);
  first.acknowledge(1);
  first.close();
  const second = window();
  second.push(numbered(2));
  second.push(numbered(3));
  t.same(new Set([second.dataOf(0).buffer, second.dataOf(1).buffer]), new Set(places));
  t.end();
});

t.test('places beyond what one tick releases are left to the garbage collection', (t) => {
  const memory = new PacketMemory();
  const places = Array.from({ length: 1_000 }, () => memory.take(numbered(0)));
  for (const place of places) memory.release(place);
  const again = places.map(() => memory.take(numbered(0)));
  t.equal(again.filter((place) => places.includes(place)).length, 512);
  t.end();
});
