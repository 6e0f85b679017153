import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { Negotiation } from '../../../src/tunnel/link/negotiation.js';
import { RoundTrip } from '../../../src/tunnel/link/round-trip.js';
import { decodeFrame, type Frame } from '../../../src/tunnel/wire/frame.js';
import { encodeHello, VERSION } from '../../../src/tunnel/wire/hello.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const make = (clock = new ManualClock()): Negotiation => new Negotiation(clock, silentLogger);
const data = (packet: Buffer | undefined): Buffer => (decodeFrame(packet as Buffer) as Frame).data;
const reply = (negotiation: Negotiation, ping: Buffer): Buffer | undefined =>
  negotiation.onPing(ping) ?? negotiation.answers([], 1000)[0];
const theirs = encodeHello({ kind: 'hello', version: 9, initialWindow: 100_000 });

t.test('two peers with the extension agree on the lower version with one hello', async (t) => {
  const clock = new ManualClock();
  const [opener, acceptor] = [make(clock), make(clock)];
  const hello = opener.nextHello();
  t.equal(opener.nextHello(), undefined, 'one hello is enough');
  const answer = reply(acceptor, data(hello));
  t.equal(acceptor.terms.kind, 'extended');
  t.equal(acceptor.nextHello(), undefined, 'a peer that received a hello needs none');
  clock.advance(30);
  t.same(opener.onPong(data(answer)), { roundTrip: 30 }, 'the answer measures the round trip too');
  t.same(opener.terms, acceptor.terms);
  const newer = make();
  reply(newer, theirs);
  t.same(newer.terms, { kind: 'extended', version: VERSION, credit: 100_000 });
});

t.test('a peer of version 1 stays one', async (t) => {
  const acceptor = make();
  reply(acceptor, encodeHello({ kind: 'hello', version: 1, initialWindow: 100_000 }));
  t.same(acceptor.terms, { kind: 'extended', version: 1, credit: 100_000 });
});

t.test('the echo of a hello shows an upstream peer', async (t) => {
  const opener = make();
  opener.onPong(data(opener.nextHello()));
  t.equal(opener.terms.kind, 'upstream');
});

t.test('terms do not change: a hello that comes too late is echoed', async (t) => {
  const acceptor = make();
  acceptor.onUpstreamFrame();
  t.ok(data(reply(acceptor, theirs)).equals(theirs));
  t.equal(acceptor.terms.kind, 'upstream');
  const extended = make();
  reply(extended, theirs);
  extended.onUpstreamFrame();
  t.equal(extended.terms.kind, 'extended');
});

t.test('hellos that cross are both answered', async (t) => {
  const [a, b] = [make(), make()];
  const [fromA, fromB] = [a.nextHello(), b.nextHello()];
  const [answerB, answerA] = [reply(b, data(fromA)), reply(a, data(fromB))];
  a.onPong(data(answerB));
  b.onPong(data(answerA));
  t.same([a.terms.kind, b.terms.kind], ['extended', 'extended']);
});

t.test('an answer or echo to a hello that was not sent means nothing', async (t) => {
  const negotiation = make();
  t.equal(negotiation.onPong(encodeHello({ kind: 'answer', version: 1, initialWindow: 100_000 })), undefined);
  t.equal(negotiation.terms.kind, 'unknown');
});

t.test('services that do not fit one answer follow in further ones, and a later list replaces the first', async (t) => {
  const [opener, acceptor] = [make(), make()];
  const services = Array.from({ length: 64 }, (_, at) => ({ name: `service-number-${at}`, port: at + 1 }));
  t.equal(acceptor.onPing(data(opener.nextHello())), undefined);
  const answers = acceptor.answers(services, 500);
  t.ok(answers.length > 2);
  for (const [at, answer] of answers.entries()) {
    t.equal(opener.services, undefined, 'not before the last answer');
    t.ok(data(answer).length <= 500);
    t.equal(opener.onPong(data(answer))?.roundTrip, at === 0 ? 0 : undefined, 'only the first measures the round trip');
  }
  t.same(opener.services, services);
  for (const answer of acceptor.answers([{ name: 'web', port: 80 }], 500)) opener.onPong(data(answer));
  t.same(opener.services, [{ name: 'web', port: 80 }]);
});

t.test('a peer cannot make us remember more than 64 services', async (t) => {
  const opener = make();
  opener.nextHello();
  const services = Array.from({ length: 40 }, (_, at) => ({ name: `a${at}`, port: 1 }));
  for (let round = 0; round < 5; round += 1) {
    opener.onPong(encodeHello({ kind: 'answer', version: 1, initialWindow: 65536, services, hasMore: round < 4 }));
  }
  t.equal(opener.services?.length, 64);
});

t.test('a ping takes only its own pong, once, and times out after ten seconds', async (t) => {
  const clock = new ManualClock();
  const sent: Buffer[] = [];
  const roundTrip = new RoundTrip({ clock, random: new SeededRandom(1), send: (frame) => sent.push(frame) });
  const [first, second] = [roundTrip.ping(), roundTrip.ping()];
  clock.advance(40);
  roundTrip.onPong(Buffer.alloc(8));
  roundTrip.onPong(data(sent[1]));
  roundTrip.onPong(data(sent[1]));
  t.equal(await second, 40);
  const lost = t.rejects(first, { code: 'timeout' });
  clock.advance(9_960);
  await lost;
  t.equal(clock.pending, 0);
});

t.test('windows use the shortest recent round trip, which is measured again from time to time', async (t) => {
  const clock = new ManualClock();
  let pings = 0;
  const roundTrip = new RoundTrip({
    clock,
    random: new SeededRandom(1),
    send: () => {
      pings += 1;
    },
  });
  t.equal(roundTrip.current(), 100, 'the default');
  roundTrip.current();
  t.equal(pings, 1);
  roundTrip.onMeasured(20);
  roundTrip.onMeasured(100);
  t.equal(roundTrip.current(), 30);
  clock.advance(10_001);
  roundTrip.current();
  t.equal(pings, 2);
  roundTrip.close();
  t.equal(clock.pending, 0);
});
