import t from 'tap';
import { SelfProbe } from '../../../src/tox/network/self-probe.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const probe = (clock = new ManualClock()): SelfProbe => new SelfProbe({ clock, random: new SeededRandom(3) });

t.test('a datagram that returns ends the probe, once', async (t) => {
  const one = probe();
  const sent: Buffer[] = [];
  const proof = one.send((packet) => void sent.push(packet));
  const [packet] = sent as [Buffer];
  t.equal(one.take(Buffer.from('other')), false);
  t.equal(one.take(Buffer.alloc(24, 0xff)), false, 'nobody can guess it');
  t.equal(one.take(Buffer.from(packet)), true);
  t.equal(await proof, 'returned');
  t.equal(one.take(packet), false);
});

t.test('a datagram that returns late, or after another probe began, counts as lost', async (t) => {
  const clock = new ManualClock();
  const one = probe(clock);
  const lost = one.send(() => {});
  clock.advance(2_000);
  t.equal(await lost, 'lost');
  const first = one.send(() => {});
  const second = one.send(() => {});
  t.equal(await first, 'lost');
  one.stop();
  t.equal(await second, 'lost');
});

t.test('three copies are sent, so that a busy socket may lose two', async (t) => {
  const clock = new ManualClock();
  const one = probe(clock);
  const sent: Buffer[] = [];
  const proof = one.send((packet) => void sent.push(packet));
  clock.advance(1_999);
  t.equal(sent.length, 3);
  t.ok(one.take(sent[2] as Buffer));
  t.equal(await proof, 'returned');
  clock.advance(10_000);
  t.equal(sent.length, 3);
  t.equal(clock.pending, 0);
});

t.test('a datagram that the system refuses does not count as lost', async (t) => {
  const clock = new ManualClock();
  const one = probe(clock);
  let refuse = (): void => {};
  const first = one.send((_packet, onRefused) => {
    refuse = onRefused;
  });
  refuse();
  t.equal(await first, 'refused');
  t.equal(clock.pending, 0);
  const second = one.send(() => {});
  refuse();
  one.stop();
  t.equal(await second, 'lost', 'a refusal that comes late is of the one before');
});
