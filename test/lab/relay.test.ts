/** The real command between two hosts without a direct way by UDP: to whose TCP port the bytes go, as the wire shows. */
import t from 'tap';
import { LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { bytesByWay, captureRoute } from '../support/lab-route.js';
import { LabTunnel, startNodeAtHub } from '../support/lab-tunnel.js';
import { requirementsMet } from '../support/requirements.js';
import { RELAY_TOPOLOGIES } from './topologies.js';

const LENGTH = 5 << 20;
/** Bytes: what may go another way, of a few seconds of searching, announcing and beginning. */
const CHATTER = LENGTH / 20;
/** ms, one way, of alice's and bob's links. */
const DELAY = 5;
/** ms until both know for certain why: a guard against never. */
const CERTAINTY = 60_000;

t.jobs = 3;

for (const { name, options, route, reasons = [], args: further = [] } of RELAY_TOPOLOGIES) {
  t.test(name, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const lab = await Lab.up(t, { delay: DELAY, ...options });
    const args = ['--bootstrap', await startNodeAtHub(lab), ...further];
    const tunnel = await LabTunnel.start(lab, { args, length: LENGTH });
    const capture = await captureRoute(lab, {});
    const client = await tunnel.connect();
    const { firstByte, rest, isWhole } = await client.first();
    const flows = await capture.stop();
    t.comment(`first byte after ${firstByte.toFixed(0)} ms, the rest after ${rest.toFixed(0)} ms`);
    t.ok(isWhole, 'everything arrives, and right');
    const bytes = await bytesByWay(lab, flows, {});
    const byTcp = flows.bytes({ with: await lab.addressOf('hub'), by: 'tcp' });
    if (route === 'relay') t.ok(byTcp > LENGTH, "over the hub's relay");
    else t.ok(bytes['relay of the peer'] > LENGTH, 'straight to the relay that one of the two is');
    t.ok(bytes.direct < CHATTER, 'not by UDP');
    t.ok(bytes[route === 'relay' ? 'relay of the peer' : 'relay'] < CHATTER, 'nor the other way by TCP');
    if (!t.passing()) t.comment(flows.toString());
    const [alice, bob] = reasons.map((reason) => new RegExp(`relayed \\(${reason}\\)`)) as [RegExp, RegExp];
    await Promise.all([client.process.waitFor(alice, CERTAINTY), tunnel.server.waitFor(bob, CERTAINTY)]);
    t.pass(`the reasons are given: ${reasons}`);
  });
}
