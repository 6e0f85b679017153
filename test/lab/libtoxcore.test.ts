/**
 * The same with a libtoxcore peer as the server or the client: by which way the bytes go once 5 s have passed, as the wire
 * shows. All networks in both roles take minutes: `node dist/bench/reach.js 1 server` and `... client` have them.
 */
import t from 'tap';
import { C_WORLD } from '../support/c-peer.js';
import { LAB_REQUIREMENTS } from '../support/lab.js';
import { WAYS } from '../support/lab-route.js';
import { requirementsMet } from '../support/requirements.js';
import { startMeeting } from './support/meeting.js';
import { TOPOLOGIES, type Topology } from './topologies.js';

/** Not more: a libtoxcore sender over a relay was seen to fall to 10 kB/s. */
const LENGTH = 1 << 19;
/** Bytes: what may go another way meanwhile. */
const CHATTER = LENGTH / 4;
/** ms after the first byte in which the best way must have been found. */
const SETTLING = 5_000;

/** The networks in which something else decides than with our own peers; the role is libtoxcore's. */
const CASES: readonly (readonly [name: string, role: 'server' | 'client'])[] = [
  ['nat - nat', 'server'],
  ['nat - nat', 'client'],
  ['public - symmetric-nat', 'server'],
  ['symmetric-nat - public', 'client'],
  ['symmetric-nat - nat', 'server'],
  ['udp-blocked - nat', 'client'],
];

// Most of the time is spent on waiting for libtoxcore's timers.
t.jobs = 3;

for (const [name, role] of CASES) {
  t.test(`${name}, the ${role} is libtoxcore's`, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS, ...C_WORLD)) return;
    const topology = TOPOLOGIES.find((one) => one.name === name) as Topology;
    const meeting = await startMeeting(t, topology, { length: LENGTH, libtoxcore: role });
    const { first, second, bytes, flows } = await meeting.settled(SETTLING);
    t.comment(`first byte after ${first.firstByte.toFixed(0)} ms, all after ${first.rest.toFixed(0)} ms more`);
    t.ok(first.isWhole && second.isWhole, 'everything arrives, twice, and right');
    t.ok(bytes[topology.route] > LENGTH, topology.route);
    for (const way of WAYS) if (way !== topology.route) t.ok(bytes[way] < CHATTER, `not ${way}`);
    if (!t.passing()) t.comment(flows.toString());
  });
}
