import t from 'tap';
import { UdpHealthRecord } from '../../../../src/tox/dht/rpc/udp-health.js';

const WORLD = { isLan: false };
const LAN = { isLan: true };

t.test('UDP is untried until there was time for an answer', async (t) => {
  const udp = new UdpHealthRecord();
  t.same(udp.at(0), { kind: 'untried' });
  for (const now of [0, 250, 750]) udp.asked(WORLD, false, now);
  t.same(udp.at(3_999), { kind: 'untried' });
});

t.test('UDP is silent since the first of several unanswered requests', async (t) => {
  const udp = new UdpHealthRecord();
  for (const now of [100, 250, 750]) udp.asked(WORLD, false, now);
  t.same(udp.at(4_100), { kind: 'silent', since: 100 });
});

t.test('one or two lost requests do not make UDP silent', async (t) => {
  const udp = new UdpHealthRecord();
  udp.answered(WORLD, 50);
  for (const now of [1_000, 2_000]) udp.asked(WORLD, true, now);
  t.same(udp.at(30_000), { kind: 'answers', since: 50 });
});

t.test('dead nodes among others that answer do not make UDP silent', async (t) => {
  const udp = new UdpHealthRecord();
  udp.answered(WORLD, 50);
  for (let now = 1_000; now < 20_000; now += 100) udp.asked(WORLD, false, now);
  t.same(udp.at(20_000), { kind: 'answers', since: 50 });
});

t.test('UDP is silent when all nodes that answered stop, until the first answer', async (t) => {
  const udp = new UdpHealthRecord();
  udp.answered(WORLD, 50);
  for (const now of [60_000, 61_000, 62_000]) udp.asked(WORLD, true, now);
  t.same(udp.at(64_000), { kind: 'silent', since: 60_000 });
  udp.answered(WORLD, 90_000);
  t.same(udp.at(100_000), { kind: 'answers', since: 90_000 });
});

t.test('a neighbour that answers does not hide a gateway that swallows UDP', async (t) => {
  const udp = new UdpHealthRecord();
  for (const now of [0, 250, 750]) {
    udp.asked(WORLD, false, now);
    udp.answered(LAN, now);
  }
  t.same(udp.at(4_000), { kind: 'silent', since: 0 });
});

t.test('nodes of the local network count where there are no others', async (t) => {
  const udp = new UdpHealthRecord();
  udp.asked(LAN, false, 0);
  udp.answered(LAN, 1);
  t.same(udp.at(5_000), { kind: 'answers', since: 1 });
});
