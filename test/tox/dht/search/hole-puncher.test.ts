import t from 'tap';
import {
  HolePuncher,
  mostCommonAddress,
  portsFromBottom,
  portsNear,
} from '../../../../src/tox/dht/search/hole-puncher.js';
import { at } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

function start() {
  const requests: bigint[] = [];
  const pinged: string[] = [];
  const puncher = new HolePuncher({
    random: new SeededRandom(1),
    requestNatPing: (id) => requests.push(id),
    ping: (endpoint) => pinged.push(endpoint.key),
  });
  return { requests, pinged, puncher };
}

const ONE_PORT = [at('192.0.2.1', 5), at('192.0.2.1', 5)];
const TWO_PORTS = [at('192.0.2.1', 5000), at('192.0.2.1', 6000)];

t.test(
  'the first report starts NAT pings, one every three seconds with the same id until it is answered',
  async (t) => {
    const { requests, puncher } = start();
    puncher.drive([], 0);
    t.equal(requests.length, 0);
    puncher.drive(ONE_PORT.slice(0, 1), 0);
    puncher.drive(ONE_PORT, 2999);
    puncher.drive(ONE_PORT, 3000);
    t.equal(requests.length, 2);
    t.equal(requests[0], requests[1]);
    puncher.answered(requests[0] as bigint, ONE_PORT, 3100);
    puncher.drive(ONE_PORT, 6000);
    t.not(requests[2], requests[0]);
  },
);

t.test('an answer makes us ping every reported address once', async (t) => {
  const { requests, pinged, puncher } = start();
  const reports = [...ONE_PORT, at('192.0.2.9', 7)];
  puncher.drive(reports, 0);
  t.same(pinged, []);
  puncher.answered(requests[0] as bigint, reports, 100);
  t.same(pinged, ['192.0.2.1:5', '192.0.2.9:7']);
});

t.test('an answer with another id is ignored', async (t) => {
  const { requests, pinged, puncher } = start();
  puncher.drive(ONE_PORT, 0);
  puncher.answered((requests[0] as bigint) + 1n, ONE_PORT, 100);
  t.same(pinged, []);
});

t.test('a request of the friend makes us ping its addresses, at most once a second', async (t) => {
  const { pinged, puncher } = start();
  puncher.requested(ONE_PORT, 0);
  puncher.requested(ONE_PORT, 999);
  t.same(pinged, ['192.0.2.1:5']);
  puncher.requested(ONE_PORT, 1000);
  t.equal(pinged.length, 2);
});

t.test('when reports differ in the port and both sides try, ports are guessed', async (t) => {
  const { requests, pinged, puncher } = start();
  puncher.drive(TWO_PORTS, 0);
  puncher.requested(TWO_PORTS, 0);
  t.equal(pinged.length, 2);
  puncher.answered(requests[0] as bigint, TWO_PORTS, 100);
  t.equal(pinged.length, 2 + 48);
  t.ok(pinged.includes('192.0.2.1:5011') && pinged.includes('192.0.2.1:5989'));
});

t.test('no ports are guessed while the friend does not try as well', async (t) => {
  const { requests, pinged, puncher } = start();
  puncher.drive(TWO_PORTS, 0);
  puncher.answered(requests[0] as bigint, TWO_PORTS, 100);
  t.equal(pinged.length, 2);
  puncher.requested(TWO_PORTS, 200);
  t.equal(pinged.length, 2 + 48, 'but as soon as it does');
});

/** Rounds of both sides trying, one every three seconds; how many packets each of them sent. */
function rounds(count: number, reports = TWO_PORTS): number[] {
  const { requests, pinged, puncher } = start();
  const sent: number[] = [];
  for (let now = 0; sent.length < count; now += 3000) {
    const before = pinged.length;
    puncher.requested(reports, now);
    puncher.answered(requests.at(-1) as bigint, reports, now);
    sent.push(pinged.length - before);
  }
  return sent;
}

t.test('after six rounds ports from 1024 upwards are tried too', async (t) => {
  t.same(rounds(8), [50, 50, 50, 50, 50, 50, 98, 98]);
  t.same(rounds(8, ONE_PORT), [2, 2, 2, 2, 2, 2, 50, 50], 'also when all reports agree');
});

t.test('guesses continue from round to round, and start again after a pause of 40 s', async (t) => {
  const { requests, pinged, puncher } = start();
  const round = (now: number): string[] => {
    const before = pinged.length;
    puncher.requested(TWO_PORTS, now);
    puncher.answered(requests.at(-1) as bigint, TWO_PORTS, now);
    return pinged.slice(before);
  };
  const first = round(0);
  t.not(round(3000).join(), first.join());
  t.same(round(43_001), first);
});

t.test('the address that most reports agree on wins, with a port from each of them', async (t) => {
  const reports = [at('192.0.2.1', 1), at('192.0.2.2', 2), at('192.0.2.2', 3), at('192.0.2.2', 2)];
  t.same(mostCommonAddress(reports), { address: '192.0.2.2', ports: [2, 3, 2] });
  t.equal(mostCommonAddress([]), undefined);
});

// Worked out by hand from c-toxcore's punch_holes: step 0 and 1 try the first port seen, 2 and 3 the second, and so on;
// each round over all the ports goes one farther away, upwards on even steps and downwards on odd ones.
t.test('48 ports around those seen, as c-toxcore guesses them', async (t) => {
  const guesses = portsNear([1000, 2000], 0);
  t.equal(guesses.length, 48);
  t.same(guesses.slice(0, 12), [1000, 1000, 2000, 2000, 1001, 999, 2001, 1999, 1002, 998, 2002, 1998]);
});

t.test('the next 48 ports continue where the last ones ended', async (t) => {
  t.same(portsNear([1000, 2000], 48).slice(0, 4), [1012, 988, 2012, 1988]);
});

t.test('ports wrap around at 16 bits', async (t) => {
  t.same(portsNear([65535, 0], 4).slice(0, 4), [0, 65534, 1, 65535]);
});

t.test('48 ports from 1024 upwards', async (t) => {
  t.same(portsFromBottom(0).slice(0, 2), [1024, 1025]);
  t.equal(portsFromBottom(24)[0], 1048);
  t.equal(portsFromBottom(24).length, 48);
  t.equal(portsFromBottom(70_000)[0], (1024 + 70_000) % 65_536);
});
