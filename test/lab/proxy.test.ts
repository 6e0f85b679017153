/** The real command behind a proxy: every packet on alice's cable is to or from the proxy. */
import t, { type Test } from 'tap';
import { type Flows, LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { LabTunnel, startNodeAtHub, startTuntoxIn } from '../support/lab-tunnel.js';
import { requirementsMet } from '../support/requirements.js';

const LENGTH = 1 << 19;
/** Alice's own cable, before the router that only serves the proxies. */
const CABLE = 'nata:lan0';
/** The proxies' address there, and their ports. */
const PROXY = '10.1.0.1';
const SOCKS_PORT = 1080;
const HTTP_PORT = 3128;
const CLOSED_PORT = 1081;
/** The Tox ID of a peer that does not exist. */
const NOBODY = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

/** Without a proxy the command would use all of these: UDP, broadcasts, names, relays. */
const isBeside = (port: number) => (flow: Flows['all'][number]) =>
  flow.protocol !== 'tcp' ||
  ![flow.source, flow.target].includes(PROXY) ||
  ![flow.sourcePort, flow.targetPort].includes(port);

/** All that a program of ours can send; the kernel greets the neighbours of a new cable by ICMP. */
const isOurs = ({ protocol }: Flows['all'][number]): boolean => protocol === 'tcp' || protocol === 'udp';

function nothingBeside(t: Test, flows: Flows, ...ports: readonly number[]): void {
  const beside = flows.all.filter(isOurs).filter((flow) => ports.every((port) => isBeside(port)(flow)));
  t.same(beside, [], 'nothing on the wire beside the proxy');
}

for (const [name, proxy, port] of [
  ['SOCKS5', `socks5://alice:wonderland@${PROXY}:${SOCKS_PORT}`, SOCKS_PORT],
  ['HTTP CONNECT', `http://${PROXY}:${HTTP_PORT}`, HTTP_PORT],
] as const) {
  t.test(`${name}: the tunnel comes up by a relay, and nothing goes beside the proxy`, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const lab = await Lab.up(t, { topology: 'proxy', delay: 5 });
    const args = ['--bootstrap', await startNodeAtHub(lab)];
    const tunnel = await LabTunnel.start(lab, { args, clientArgs: ['--proxy', proxy], length: LENGTH });
    const cable = await lab.capture(CABLE);
    const outside = await lab.capture('nata');
    const { firstByte, rest, isWhole } = await tunnel.download();
    const [inside, beyond] = [await cable.stop(), await outside.stop()];
    t.comment(`first byte after ${firstByte.toFixed(0)} ms, the rest after ${rest.toFixed(0)} ms`);
    t.ok(isWhole, 'everything arrives, and right');
    nothingBeside(t, inside, port);
    t.ok(inside.bytes({ with: PROXY, by: 'tcp' }) > LENGTH, 'it all comes from the proxy');
    const between = [await lab.addressOutside('alice'), await lab.addressOf('hub')] as const;
    t.ok(beyond.bytes({ between, by: 'tcp' }) > LENGTH, 'which has it from the relay at the hub');
    if (!t.passing()) t.comment(`${inside}\n--- beyond\n${beyond}`);
  });
}

t.test('with an unusable proxy nothing is on the wire, and the error says why', async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { topology: 'proxy', delay: 5 });
  // Without --bootstrap: what there is for everybody, the public nodes and LAN discovery, is what must not be touched.
  const cases: [string, RegExp][] = [
    [`socks5://alice:canary@${PROXY}:${SOCKS_PORT}`, /the proxy refuses this user and password: write/],
    [`socks5://${PROXY}:${SOCKS_PORT}`, /the proxy requires a user and a password: write/],
    [`http://alice:canary@${PROXY}:${CLOSED_PORT}`, /the proxy cannot be reached: .*ECONNREFUSED.*: check/],
  ];
  const cable = await lab.capture(CABLE);
  const client = ['-i', NOBODY, '-p', '-dd', '--timeout', '8'];
  const server = ['-C', lab.directory(), '-dd'];
  const commands = cases.map(([proxy], index) => {
    const command = startTuntoxIn(lab, 'alice', proxy, [...(index === 0 ? server : client), '--proxy', proxy]);
    t.teardown(() => command.stop('SIGKILL'));
    return command;
  });
  for (const [index, command] of commands.entries()) {
    if (index === 0) {
      await command.waitFor(/error: .*nothing goes around the proxy/);
      t.equal(await command.stop('SIGTERM'), 0, 'a server goes on trying');
    } else {
      t.equal(await command.exited, 9, command.stderr);
    }
    t.match(command.stderr, cases[index]?.[1]);
    t.notMatch(command.stderr, 'canary');
  }
  const flows = await cable.stop();
  nothingBeside(t, flows, SOCKS_PORT, CLOSED_PORT);
  t.ok(flows.bytes({ with: PROXY, by: 'tcp' }) > 0);
  if (!t.passing()) t.comment(flows.toString());
});
