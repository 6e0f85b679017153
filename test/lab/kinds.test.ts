/** The lab itself: which hosts reach which in each kind of network, and how its NATs map and filter. */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import t from 'tap';
import { GATEWAY_REQUIREMENT, type Kind, LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { PATIENCE, ROOT } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';

// Most of the time is spent on waiting for what does not come.
t.jobs = 2;

const HUB = '203.0.113.1';
/** A host that alice has sent nothing to, ... */
const STRANGER = '198.18.1.1';
/** ... and ports of alice's, the hub's and the stranger's. */
const PORT = 7001;
const REFLECTORS = [3478, 3479] as const;

interface Expected {
  /** Whether all peers see the same port of alice's. */
  readonly keepsPort: boolean | 'no UDP';
  /** Whether strangers reach a port that alice has used. */
  readonly isOpen: boolean;
  /** Whether alice and bob, behind a port-preserving NAT, reach each other when both send. */
  readonly punches: boolean;
}

const KINDS: Partial<Record<Kind, Expected>> = {
  public: { keepsPort: true, isOpen: true, punches: true },
  nat: { keepsPort: true, isOpen: false, punches: true },
  'full-cone-nat': { keepsPort: true, isOpen: true, punches: true },
  'symmetric-nat': { keepsPort: false, isOpen: false, punches: false },
  'udp-blocked': { keepsPort: 'no UDP', isOpen: false, punches: false },
  upnp: { keepsPort: true, isOpen: false, punches: true },
};

/** The ports that the hub's reflectors see, or how they do not. */
async function seenPorts(lab: Lab): Promise<string[]> {
  const answers = await lab.probe('alice', 'ask', PORT, 0.2, HUB, ...REFLECTORS);
  return answers.map((answer) => answer.split(' ')[1] as string);
}

/** @param isExpected what it waits for: nothing takes a second to come, but a busy machine longer to show what came */
async function hears(
  lab: Lab,
  isExpected: boolean,
  port: number,
  from: 'hub' | 'bob' | 'h1',
  address: string,
  toPort = port,
): Promise<boolean> {
  const listener = await lab.startProbe('alice', 'listen', port);
  await lab.probe(from, 'say', 0, address, toPort);
  // Everything was sent.
  const isHeard = await listener.waitFor(/yes/, isExpected ? PATIENCE : 1_000).then(
    () => true,
    () => false,
  );
  await listener.stop();
  return isHeard;
}

for (const [kind, { keepsPort, isOpen, punches }] of Object.entries(KINDS) as [Kind, Expected][]) {
  t.test(`a site of the kind ${kind}`, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS, ...(kind === 'upnp' ? [GATEWAY_REQUIREMENT] : []))) return;
    const lab = await Lab.up(t, { alice: kind, bob: 'nat', hosts: 1 });
    await lab.startProbe('hub', 'reflect', ...REFLECTORS);
    await lab.startProbe('hub', 'accept', 7000);
    t.same(await lab.probe('alice', 'connect', HUB, 7000), ['yes'], 'reaches others by TCP');
    const ports = await seenPorts(lab);
    if (keepsPort === 'no UDP') t.same(ports, ['answer', 'answer'], 'and by UDP not at all');
    else if (keepsPort) t.same(ports, [`${PORT}`, `${PORT}`], 'keeps its port');
    else t.equal(new Set([...ports, `${PORT}`]).size, 3, 'has another port for each peer');
    const alice = await lab.addressOutside('alice');
    t.equal(await hears(lab, isOpen, PORT, 'h1', alice), isOpen, `${isOpen ? 'hears' : 'does not hear'} strangers`);
    const natb = await lab.addressOutside('bob');
    // On a busy machine one may begin much later than the other.
    const rounds = punches ? 100 : 15;
    const there = lab.probe('bob', 'punch', 7005, alice, 7006, rounds);
    const here = lab.probe('alice', 'punch', 7006, natb, 7005, rounds);
    t.same([await here, await there], [[punches ? 'yes' : 'no'], [punches ? 'yes' : 'no']], 'hole punching');
    if (kind !== 'upnp') return;
    t.match(await lab.probe('alice', 'find_gateway'), [/^http:\/\/10\.1\.0\.1:/], 'the gateway is found');
    const [mapped] = await lab.probe('alice', 'map_port', '10.1.0.1', 7010);
    t.ok(await hears(lab, true, 7010, 'h1', alice, Number(mapped)), 'hears strangers where it asked for a port');
  });
}

t.test('a full cone opens only what was used from inside', { buffered: true }, async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { topology: 'full-cone-nat' });
  t.notOk(await hears(lab, false, PORT, 'hub', await lab.addressOutside('alice')));
});

t.test('a site that has only proxies', { buffered: true }, async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { topology: 'proxy' });
  await lab.startProbe('hub', 'accept', 7000);
  t.same(await lab.probe('alice', 'connect', HUB, 7000), ['no'], 'reaches nobody directly');
  const socks = (password: string, port: number): Promise<string[]> =>
    lab.probe('alice', 'socks', '10.1.0.1', 1080, 'alice', password, HUB, port);
  t.same(await socks('wonderland', 7000), ['0'], 'but by SOCKS5');
  t.same(await socks('wonderland', 7001), ['5'], 'where nobody listens there is an error');
  t.same(await socks('looking-glass', 7000), ['wrong password']);
  const http = (port: number): Promise<string[]> => lab.probe('alice', 'http_connect', '10.1.0.1', 3128, HUB, port);
  t.same(await http(7000), ['200'], 'and by HTTP');
  t.same(await http(7001), ['502']);
});

t.test('hosts in a LAN are neighbours, and UDP can be blocked while in use', { buffered: true }, async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { topology: 'lan', ipv6: true });
  const alice = await lab.addressOf('alice');
  t.ok(await hears(lab, true, PORT, 'bob', '10.1.0.255'), 'hears broadcasts');
  t.ok(await lab.canReach('alice', '2001:db8:f::1'), 'reaches the hub by IPv6');
  await lab.blockUdp('alice');
  t.notOk(await hears(lab, false, PORT, 'bob', alice), 'hears nothing once UDP is blocked');
  t.ok(await lab.canReach('bob', alice), 'other packets pass');
  await lab.unblockUdp('alice');
  t.ok(await hears(lab, true, PORT, 'bob', alice), 'hears again');
});

t.test('IPv6 without IPv4', { buffered: true }, async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { topology: 'nat', 'ipv6-only': true });
  t.ok(await lab.canReach('alice', '2001:db8:f::1'));
  t.notOk(await lab.canReach('hub', await lab.addressOf('alice')), 'behind a firewall');
  t.notOk(await lab.canReach('alice', HUB));
});

t.test(
  'many hosts have delays of their own, and flows show the bytes between each two',
  { buffered: true },
  async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const lab = await Lab.up(t, { topology: 'nat', hosts: 3, 'hosts-delay': 5 });
    await lab.set('h2', { delay: 30 });
    const capture = await lab.capture('nata');
    const ping = await lab.exec('h1', 'ping', '-n', '-c', '1', '198.18.2.1');
    t.ok(Number(/time=([\d.]+)/.exec(ping)?.[1]) >= 70, 'a round trip of twice 5 and twice 30 ms');
    await lab.probe('alice', 'say', PORT, STRANGER, 7002);
    const flows = await capture.stop();
    t.equal(flows.bytes({ between: ['192.0.2.1', STRANGER], by: 'udp' }), 5 * (20 + 8 + 'hello'.length));
    t.equal(flows.bytes({ with: HUB }), 0);
    const [flow] = flows.all.filter(({ protocol }) => protocol === 'udp');
    t.match(flow, { source: '192.0.2.1', sourcePort: PORT, target: STRANGER, targetPort: 7002 });
  },
);

t.test('a sweep takes down a lab whose owner has ended, and no other', { buffered: true }, async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { topology: 'wan' });
  const owner = spawn('sleep', ['60']);
  const env = { ...process.env, LAB: `stale-${process.pid}` };
  execFileSync(`${ROOT}test/lab/lab`, ['up', '--owner', String(owner.pid)], { env });
  const namespaces = (): string => readdirSync('/run/netns').join();
  t.match(namespaces(), `stale-${process.pid}-hub`);
  owner.kill('SIGKILL');
  await new Promise((resolve) => owner.once('close', resolve));
  const second = await Lab.up(t, { topology: 'wan' });
  t.notMatch(namespaces(), `stale-${process.pid}-hub`);
  t.ok((await lab.canReach('alice', HUB)) && (await second.canReach('alice', HUB)));
});
