/** The real command where packets above a size do not pass: everything arrives, and the system cuts nothing into fragments. */
import t from 'tap';
import { ipv4Fragments } from '../../src/tox/network/fragment-count.js';
import { LAB_REQUIREMENTS, Lab, type LinkSettings } from '../support/lab.js';
import { LabTunnel, startNodeAtHub } from '../support/lab-tunnel.js';
import { requirementsMet } from '../support/requirements.js';

/** So long that packets of every size go. */
const LENGTH = 4 << 20;

const CASES: readonly (readonly [what: string, settings: LinkSettings])[] = [
  ['those above 1,300 bytes vanish', { blackhole: 1300 }],
  ['ICMP tells of 1,420 bytes', { mtu: 1420 }],
];

t.jobs = 2;

for (const [what, settings] of CASES) {
  t.test(what, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const lab = await Lab.up(t, { topology: 'nat', delay: 5, ...settings });
    const node = await startNodeAtHub(lab);
    const tunnel = await LabTunnel.start(lab, { args: ['--bootstrap', node], length: LENGTH });
    const { firstByte, rest, isWhole } = await tunnel.download();
    t.ok(isWhole, 'everything arrives, and right');
    t.comment(`first byte after ${firstByte.toFixed(0)} ms, all after ${rest.toFixed(0)} ms more`);
    for (const host of ['alice', 'bob'] as const) {
      t.equal(ipv4Fragments(await lab.exec(host, 'cat', '/proc/net/snmp')), 0, `no fragments of ${host}`);
    }
  });
}
