/** The real command between two hosts without a direct way by UDP: over whose TCP port the bytes go, as the wire shows. */
import t from 'tap';
import { LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { LabTunnel, startNodeAtHub } from '../support/lab-tunnel.js';
import { requirementsMet } from '../support/requirements.js';
import { RELAY_TOPOLOGIES } from './topologies.js';

const LENGTH = 5 << 20;
/** Bytes: what may go another way, of a few seconds of searching, announcing and beginning. */
const CHATTER = LENGTH / 20;
/** ms, one way, of alice's and bob's links. */
const DELAY = 5;

t.jobs = 2;

for (const { name, options, args: further = [], route } of RELAY_TOPOLOGIES) {
  t.test(name, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const lab = await Lab.up(t, { delay: DELAY, ...options });
    const args = ['--bootstrap', await startNodeAtHub(lab), ...further];
    const tunnel = await LabTunnel.start(lab, { args, length: LENGTH });
    const capture = await lab.capture('nata');
    const { firstByte, rest, isWhole } = await tunnel.download();
    const flows = await capture.stop();
    t.comment(`first byte after ${firstByte.toFixed(0)} ms, the rest after ${rest.toFixed(0)} ms`);
    t.ok(isWhole, 'everything arrives, and right');
    const [alice, bob, hub] = [
      await lab.addressOutside('alice'),
      await lab.addressOutside('bob'),
      await lab.addressOf('hub'),
    ];
    const [way, other] = route === 'relay' ? [hub, bob] : [bob, hub];
    t.ok(flows.bytes({ between: [alice, way], by: 'tcp' }) > LENGTH, `by TCP with ${way}`);
    t.ok(flows.bytes({ between: [alice, other] }) < CHATTER, `and not with ${other}`);
    if (!t.passing()) t.comment(flows.toString());
  });
}
