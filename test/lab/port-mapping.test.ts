/** Ports at a real router (miniupnpd): opened by each of the three protocols, used by strangers, and gone afterwards. */
import t from 'tap';
import { type Flow, GATEWAY_REQUIREMENT, LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { startNodeAtHub, startTuntoxIn } from '../support/lab-tunnel.js';
import { requirementsMet } from '../support/requirements.js';

t.jobs = 2;

/** Rules for the router: packets of these protocols get lost before it. */
const DROP_PCP = 'iifname lan0 udp dport 5351 @th,64,8 2 drop';
const DROP_PCP_AND_NAT_PMP = 'iifname lan0 udp dport 5351 drop';
const PROTOCOLS = [
  { name: 'PCP', rule: '' },
  { name: 'NAT-PMP', rule: DROP_PCP },
  { name: 'UPnP', rule: DROP_PCP_AND_NAT_PMP },
] as const;

/** What the router has opened, such as `0x11 10.2.0.10:7000`: the protocol and the destination. */
async function openPorts(lab: Lab): Promise<string[]> {
  const rules = await lab.exec('natb', 'nft', 'list', 'chain', 'inet', 'lab', 'upnp_in');
  return [...rules.matchAll(/(0x\w+) th dport \d+ dnat ip to ([\d.:]+)/g)].map(
    ([, protocol, to]) => `${protocol} ${to}`,
  );
}

t.test(
  'a server opens its ports by any protocol of its router, and closes them at the end',
  { buffered: true },
  async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS, GATEWAY_REQUIREMENT)) return;
    const lab = await Lab.up(t, { alice: 'symmetric-nat', bob: 'upnp', hosts: 1 });
    const bootstrap = await startNodeAtHub(lab);
    for (const { name, rule } of PROTOCOLS) {
      if (rule !== '') await lab.exec('natb', 'nft', 'insert', 'rule', 'inet', 'lab', 'input', ...rule.split(' '));
      const server = startTuntoxIn(lab, 'bob', 'server', ['-C', lab.directory(), '-d', '--bootstrap', bootstrap]);
      const open = (protocol: string): RegExp =>
        new RegExp(`${protocol} port (\\d+): reachable at 11\\.2\\.0\\.1:\\d+ \\(${name}\\)`);
      const [, udp = ''] = await server.waitFor(open('UDP'));
      const [, tcp = ''] = await server.waitFor(open('TCP'));
      t.same((await openPorts(lab)).sort(), [`0x11 10.2.0.10:${udp}`, `0x6 10.2.0.10:${tcp}`], `by ${name}`);
      t.same(await lab.probe('h1', 'connect', '11.2.0.1', tcp), ['yes'], 'strangers reach the relay');
      await server.stop();
      t.same(await openPorts(lab), [], 'nothing is left');
    }
  },
);

t.test('the router is not asked if that is turned off, nor by one-shot clients', { buffered: true }, async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS, GATEWAY_REQUIREMENT)) return;
  const lab = await Lab.up(t, { alice: 'upnp', bob: 'upnp' });
  const bootstrap = await startNodeAtHub(lab);
  const capture = await lab.capture('natb:lan0');
  const silent = await lab.capture('nata:lan0');
  const args = ['-C', lab.directory(), '--no-port-mapping', '--bootstrap', bootstrap];
  const server = startTuntoxIn(lab, 'bob', 'server', args);
  const [id] = await server.waitFor(/^[0-9A-F]{76}$/m);
  const client = startTuntoxIn(lab, 'alice', 'client', ['-i', id, '-p', '--bootstrap', bootstrap]);
  await client.waitFor(/round trips/, 60_000);
  // The routers themselves call out by SSDP.
  const isAsking = ({ source, targetPort }: Flow): boolean =>
    source.endsWith('.0.10') && (targetPort === 5351 || targetPort === 1900);
  const asked = [capture, silent].map(async (one) => (await one.stop()).all.filter(isAsking));
  t.same(await Promise.all(asked), [[], []]);
});
