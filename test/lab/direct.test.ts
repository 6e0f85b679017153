/** The real command between two hosts that can reach each other without help: by which way the bytes go, as the wire shows. */
import t from 'tap';
import { GATEWAY_REQUIREMENT, LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { LabTunnel, startNodeAtHub } from '../support/lab-tunnel.js';
import { requirementsMet } from '../support/requirements.js';
import { DIRECT_TOPOLOGIES } from './topologies.js';

const LENGTH = 5 << 20;
/** Bytes: what the hub may see of a few seconds of searching and announcing. */
const CHATTER = LENGTH / 20;
/** ms, one way, of alice's and bob's links. */
const DELAY = 5;

t.jobs = 2;

for (const { name, options, hasBootstrapNode, isPrivate, needs } of DIRECT_TOPOLOGIES) {
  t.test(name, { buffered: true }, async (t) => {
    const gateway = needs === 'gateway' ? [GATEWAY_REQUIREMENT] : [];
    if (!requirementsMet(t, ...LAB_REQUIREMENTS, ...gateway)) return;
    const lab = await Lab.up(t, { delay: DELAY, ...options });
    const args = hasBootstrapNode ? ['--bootstrap', await startNodeAtHub(lab)] : [];
    const tunnel = await LabTunnel.start(lab, { args, length: LENGTH });
    const capture = await lab.capture(isPrivate ? 'alice' : 'nata');
    const { firstByte, rest, isWhole } = await tunnel.download();
    const flows = await capture.stop();
    t.comment(`first byte after ${firstByte.toFixed(0)} ms, the rest after ${rest.toFixed(0)} ms`);
    t.ok(isWhole, 'everything arrives, and right');
    const isUntranslated = isPrivate || options['ipv6-only'];
    const between = [
      await (isUntranslated ? lab.addressOf('alice') : lab.addressOutside('alice')),
      await (isUntranslated ? lab.addressOf('bob') : lab.addressOutside('bob')),
    ] as const;
    t.ok(flows.bytes({ between, by: 'udp' }) > LENGTH, `by UDP between ${between.join(' and ')}`);
    t.ok(flows.bytes({ with: await lab.addressOf('hub') }) < CHATTER, 'and not by the hub');
    if (!t.passing()) t.comment(flows.toString());
  });
}
