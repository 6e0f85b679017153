/** The real command between two hosts that can reach each other without help: by which way the bytes go, as the wire shows. */
import t from 'tap';
import { GATEWAY_REQUIREMENT, LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { bytesByWay, captureRoute } from '../support/lab-route.js';
import { LabTunnel, startNodeAtHub } from '../support/lab-tunnel.js';
import { requirementsMet } from '../support/requirements.js';
import { DIRECT_TOPOLOGIES, isUntranslated } from './topologies.js';

const LENGTH = 5 << 20;
/** Bytes: what the hub may see of a few seconds of searching and announcing. */
const CHATTER = LENGTH / 20;
/** ms, one way, of alice's and bob's links. */
const DELAY = 5;

t.jobs = 2;

for (const topology of DIRECT_TOPOLOGIES) {
  t.test(topology.name, { buffered: true }, async (t) => {
    const gateway = topology.needs === 'gateway' ? [GATEWAY_REQUIREMENT] : [];
    if (!requirementsMet(t, ...LAB_REQUIREMENTS, ...gateway)) return;
    const place = { ...topology, isUntranslated: isUntranslated(topology) };
    const lab = await Lab.up(t, { delay: DELAY, ...topology.options });
    const args = topology.hasBootstrapNode ? ['--bootstrap', await startNodeAtHub(lab)] : [];
    const tunnel = await LabTunnel.start(lab, { args, length: LENGTH });
    const capture = await captureRoute(lab, place);
    const { firstByte, rest, isWhole } = await tunnel.download();
    const flows = await capture.stop();
    t.comment(`first byte after ${firstByte.toFixed(0)} ms, the rest after ${rest.toFixed(0)} ms`);
    t.ok(isWhole, 'everything arrives, and right');
    const bytes = await bytesByWay(lab, flows, place);
    t.ok(bytes.direct > LENGTH, 'by UDP between their own addresses');
    t.ok(bytes.relay < CHATTER, 'and not by the hub');
    if (!t.passing()) t.comment(flows.toString());
  });
}
