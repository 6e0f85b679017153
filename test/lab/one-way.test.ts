/**
 * The real command where a host hears what others send by UDP, and its own datagrams leave it never, from the start: everything
 * arrives, by TCP, as the wire shows. The same in mid-transfer is in changes.ts.
 */
import t from 'tap';
import { C_WORLD } from '../support/c-peer.js';
import { LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { bytesByWay, captureRoute } from '../support/lab-route.js';
import { LabTunnel, startNodeAtHub } from '../support/lab-tunnel.js';
import { requirementsMet } from '../support/requirements.js';

/** Few enough for a libtoxcore sender over a relay. */
const LENGTH = 1 << 19;
/** Bytes: what is tried by UDP meanwhile. */
const CHATTER = LENGTH / 4;
/** ms until it is known for certain why: a guard against never. */
const CERTAINTY = 60_000;
const RULES =
  'add table inet t; add chain inet t c { type filter hook output priority 0; }; ' +
  'add rule inet t c oifname != "lo" meta l4proto udp drop';

const CASES = [
  { name: 'the client', mute: 'alice', libtoxcore: false },
  { name: 'the server', mute: 'bob', libtoxcore: false },
  { name: "the client, whose server is libtoxcore's,", mute: 'alice', libtoxcore: true },
] as const;

t.jobs = 3;

for (const { name, mute, libtoxcore } of CASES) {
  t.test(`${name} cannot send by UDP`, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS, ...(libtoxcore ? C_WORLD : []))) return;
    const lab = await Lab.up(t, { topology: 'wan', delay: 5 });
    const node = await startNodeAtHub(lab);
    await lab.exec(mute, 'nft', RULES);
    const args = ['--bootstrap', node];
    const peer = { role: 'server', args: [...args, '--relay', node] } as const;
    const tunnel = await LabTunnel.start(lab, { args, length: LENGTH, ...(libtoxcore && { libtoxcore: peer }) });
    const capture = await captureRoute(lab, {});
    const client = await tunnel.connect();
    const { firstByte, rest, isWhole } = await client.first();
    const flows = await capture.stop();
    t.comment(`first byte after ${firstByte.toFixed(0)} ms, the rest after ${rest.toFixed(0)} ms`);
    t.ok(isWhole, 'everything arrives, and right');
    t.ok((await bytesByWay(lab, flows, {})).direct < CHATTER, 'not by UDP');
    if (!t.passing()) t.comment(flows.toString());
    const muted = mute === 'alice' ? client.process : tunnel.server;
    await muted.waitFor(/relayed \(udp-blocked\)/, CERTAINTY);
    t.pass('who is mute says why it is relayed');
  });
}
