/** Real commands without bootstrap nodes: the packets on a local network, and beyond it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Endpoint } from '../../src/base/endpoint.js';
import { TUNTOXD_COMMAND } from '../scenario/support/daemon-command.js';
import { type Flows, LAB_REQUIREMENTS, Lab } from '../support/lab.js';
import { startTuntoxIn } from '../support/lab-tunnel.js';
import type { Process } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';

/** ms in which a daemon asks its nodes twice, and looks for neighbours. */
const LONG = 4_000;

type Flow = Flows['all'][number];

/** All that a program of ours can send; the kernel greets the neighbours of a new cable by ICMP. */
const isOurs = ({ protocol }: Flow): boolean => protocol === 'tcp' || protocol === 'udp';
/** To everybody on the cable, or to one there. */
const staysLocal = ({ target }: Flow): boolean =>
  target === '255.255.255.255' || target.startsWith('ff02:') || Endpoint.of(target, 1)?.isLan === true;

function startDaemonIn(lab: Lab, network: string): Process {
  const directory = lab.directory();
  const config = join(directory, 'tuntox.yaml');
  const socket = join(directory, 'socket');
  writeFileSync(config, `state_dir: ${directory}\nsocket: { path: ${socket} }\naccess: { open: true }\n${network}`);
  return lab.start('alice', 'tuntoxd', [...TUNTOXD_COMMAND, '--config', config, '--log-level', 'debug']);
}

t.test('without bootstrap nodes, peers of a local network connect, and no packet leaves it', async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { topology: 'lan' });
  const cable = await lab.capture('nata:lan0');
  const outside = await lab.capture('nata');
  const daemon = startDaemonIn(lab, 'network: { bootstrap: [] }\n');
  await daemon.waitFor(
    /no bootstrap nodes, as configured: peers are found on the local network.*\n(.*\n)*.*is ready: /,
  );
  const server = startTuntoxIn(lab, 'alice', 'server', ['--insecure-open', '--bootstrap', 'none']);
  const [, toxId = ''] = await server.waitFor(/^([0-9A-F]{76})$/m);
  const client = startTuntoxIn(lab, 'bob', 'client', ['-p', '-d', '-i', toxId, '--bootstrap', 'none']);
  t.equal(await client.exited, 0, client.stderr);
  await sleep(LONG);
  const [inside, beyond] = [await cable.stop(), await outside.stop()];
  t.same(beyond.all.filter(isOurs), [], 'nothing beyond the router');
  t.ok(inside.all.some(isOurs), 'and something before it');
  t.same(
    inside.all.filter((flow) => isOurs(flow) && !staysLocal(flow)),
    [],
  );
  for (const one of [daemon, server]) t.equal(await one.stop('SIGTERM'), 0, one.stderr);
});

t.test('by default the daemon asks the public nodes, and this test detects it', async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
  const lab = await Lab.up(t, { topology: 'lan' });
  const outside = await lab.capture('nata');
  const daemon = startDaemonIn(lab, '');
  await daemon.waitFor(/is ready: /);
  await sleep(1_000);
  const flows = await outside.stop();
  t.ok(flows.all.filter((flow) => isOurs(flow) && !staysLocal(flow)).length > 10);
  await daemon.stop('SIGKILL');
});
