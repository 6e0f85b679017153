/** The real command between two hosts that can reach each other without help: by which way the bytes go, as the wire shows. */
import t from 'tap';
import { LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { LabTunnel, startNodeAtHub } from '../support/lab-tunnel.js';
import { requirementsMet } from '../support/requirements.js';
import { TOPOLOGIES } from './topologies.js';

const LENGTH = 5 << 20;
/** Bytes: what the hub may see of a few seconds of searching and announcing. */
const CHATTER = LENGTH / 20;
const only = process.env.LAB_ONLY;

for (const { name, options, hasBootstrapNode, isPrivate } of TOPOLOGIES.filter(({ route }) => route === 'direct')) {
  if (only && only !== name) continue;
  t.test(name, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const lab = await Lab.up(t, { delay: 5, ...options });
    const args = hasBootstrapNode ? ['--bootstrap', await startNodeAtHub(lab)] : [];
    const tunnel = await LabTunnel.start(lab, { args, length: LENGTH });
    const capture = await lab.capture(isPrivate ? 'alice' : 'nata');
    const { firstByte, rest, isWhole } = await tunnel.download();
    const flows = await capture.stop();
    t.ok(isWhole, 'everything arrives, and right');
    t.comment(`first byte after ${firstByte.toFixed(0)} ms, the rest after ${rest.toFixed(0)} ms`);
    const place = (host: 'alice' | 'bob'): Promise<string> =>
      isPrivate || options['ipv6-only'] ? lab.addressOf(host) : lab.addressOutside(host);
    const between = [await place('alice'), await place('bob')] as const;
    t.ok(flows.bytes({ between, by: 'udp' }) > LENGTH, `by UDP between ${between.join(' and ')}`);
    const hub = await lab.addressOf('hub');
    t.ok(flows.bytes({ with: hub }) < CHATTER, 'and not by the hub');
    if (!t.passing()) t.comment(flows.toString());
  });
}
