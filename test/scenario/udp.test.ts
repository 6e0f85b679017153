/** UDP forwarding with the real commands, and dig at both ends of every way to have it. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { freeUdpPort, type Process, ROOT, startProgram, startTuntox } from '../support/processes.js';
import { requirementsMet, tool } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { type DaemonPlace, daemonPlace, startDaemon } from './support/daemon-command.js';
import { startNameServer } from './support/name-server.js';

const DIG = tool('dig', 'bind9-dnsutils');
const LONG = 'x'.repeat(3_000);
const TUNTOXCTL = ['env', '-u', 'NODE_OPTIONS', process.execPath, join(ROOT, 'dist/bin/tuntoxctl.js')];
/** Nothing here needs another network. */
const ALONE = '  lan_discovery: false\n  port_mapping: false\n';

async function dig(t: Test, port: number, ...words: readonly string[]): Promise<string> {
  const command = ['dig', '@127.0.0.1', '-p', `${port}`, '+short', '+tries=20', '+time=2', '+bufsize=4096', ...words];
  const run = startProgram('dig', command);
  t.teardown(() => run.stop('SIGKILL'));
  await run.exited;
  return run.stdout;
}

async function ctl(t: Test, { socket }: DaemonPlace, words: readonly string[], input = ''): Promise<string> {
  const command = startProgram('tuntoxctl', [...TUNTOXCTL, ...words, '--socket', socket]);
  t.teardown(() => command.stop('SIGKILL'));
  command.child.stdin.end(input);
  if ((await command.exited) !== 0) throw new Error(`tuntoxctl ${words.join(' ')}: ${command.stderr}`);
  return command.stdout;
}

t.test('dig asks a name server behind a tunnel, also for an answer of several packets', async (t) => {
  if (!requirementsMet(t, DIG)) return;
  const network = await CommandNetwork.start(t);
  const [names, local] = [await startNameServer(t, LONG), await freeUdpPort()];
  const { id } = await network.server();
  const client = network.command('client', ['-i', id, '-L', `udp:${local}:127.0.0.1:${names}`]);
  await client.waitFor(/listening/);
  t.equal(await dig(t, local, 'www.lab'), '192.0.2.53\n');
  t.equal((await dig(t, local, 'www.lab', 'TXT')).replaceAll(/[" \n]/g, ''), LONG);
  const many = await Promise.all(Array.from({ length: 20 }, (_, at) => dig(t, local, `n${at}.lab`)));
  t.ok(many.every((answer) => answer === '192.0.2.53\n'));
  t.equal(await client.stop('SIGINT'), 130);
});

t.test('a port where no name server is gives one clear line', async (t) => {
  if (!requirementsMet(t, DIG)) return;
  const network = await CommandNetwork.start(t);
  const [dead, local] = [await freeUdpPort(), await freeUdpPort()];
  const { id } = await network.server();
  const client = network.command('client', ['-i', id, '-L', `udp:${local}:127.0.0.1:${dead}`]);
  await client.waitFor(/listening/);
  await dig(t, local, 'www.lab', '+tries=1');
  await client.waitFor(/refused/);
  t.notMatch(client.stderr, /\bat .*\.js:/);
});

/** A user whose host `nas` is a server of this machine, by the agent. */
async function agentUser(t: Test, network: CommandNetwork) {
  const home = temporaryDirectory(t);
  const start = (args: readonly string[]): Process => {
    const command = startTuntox(args, { env: { HOME: home } });
    t.teardown(() => command.stop('SIGKILL'));
    return command;
  };
  t.teardown(() => start(['agent', 'stop']).exited);
  const place = daemonPlace(t, network.node[1], ALONE);
  await startDaemon(t, place);
  const [, link = ''] = /(tuntox:\/\/\S+)/.exec(await ctl(t, place, ['invite', 'create', '--name', 'laptop'])) ?? [];
  const joined = start(['join', link, 'nas', ...network.node]);
  t.equal(await joined.exited, 0, joined.stderr);
  return { place, start };
}

t.test('over the agent a service with a UDP target is reached by its name, and its sessions are listed', async (t) => {
  if (!requirementsMet(t, DIG)) return;
  const network = await CommandNetwork.start(t);
  const { place, start } = await agentUser(t, network);
  const [names, local] = [await startNameServer(t, LONG), await freeUdpPort()];
  await ctl(t, place, ['expose', 'dns', `udp:127.0.0.1:${names}`]);
  const client = start(['nas', '-L', `udp:${local}:dns`]);
  await client.waitFor(/listening/);
  t.equal(await dig(t, local, 'www.lab'), '192.0.2.53\n', client.stderr);
  t.equal((await dig(t, local, 'www.lab', 'TXT')).replaceAll(/[" \n]/g, ''), LONG);
  t.match(await ctl(t, place, ['connections']), /udp:/);
  t.equal(await client.stop('SIGINT'), 130);
});

t.test('a kept forward of UDP is there again after a restart', async (t) => {
  if (!requirementsMet(t, DIG)) return;
  const network = await CommandNetwork.start(t);
  const [server, clientPlace] = [daemonPlace(t, network.node[1], ALONE), daemonPlace(t, network.node[1], ALONE)];
  await startDaemon(t, server);
  const client = await startDaemon(t, clientPlace);
  const [toxId = ''] = (await ctl(t, server, ['id'])).split('\n');
  await ctl(t, server, ['secret', 'set'], 'canary of the server\n');
  const [names, local] = [await startNameServer(t, LONG), await freeUdpPort()];
  const forward = `udp:${local}:127.0.0.1:${names}`;
  await ctl(t, clientPlace, ['forward', 'add', toxId, forward, '--secret-file', '-'], 'canary of the server\n');
  t.equal(await dig(t, local, 'www.lab'), '192.0.2.53\n');
  await client.stop('SIGTERM');
  await startDaemon(t, clientPlace);
  t.equal(await dig(t, local, 'www.lab'), '192.0.2.53\n');
  t.match(await ctl(t, clientPlace, ['forward']), /udp:/);
});
