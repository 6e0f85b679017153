/** The real commands on both sides: a client is refused, its owner compares the words and approves it, and it works. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork, echo } from '../support/command-network.js';
import { type Process, ROOT, startProgram, startTuntox } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { type DaemonPlace, daemonPlace, startDaemon } from './support/daemon-command.js';

const TUNTOXCTL = ['env', '-u', 'NODE_OPTIONS', process.execPath, join(ROOT, 'dist/bin/tuntoxctl.js')] as const;
const WORDS = /words of your key: tuntoxctl clients approve ([a-z]+(?: [a-z]+){5});/;

async function start(t: Test) {
  const network = await CommandNetwork.start(t);
  const place = daemonPlace(t, network.node[1]);
  await startDaemon(t, place);
  const [toxId = ''] = (await control(place, 'id')).split('\n');
  return { network, place, toxId };
}

async function control({ socket }: DaemonPlace, words: string): Promise<string> {
  const child = startProgram('tuntoxctl', [...TUNTOXCTL, '--socket', socket, ...words.split(' ')]);
  const status = await child.exited;
  if (status !== 0) throw new Error(`tuntoxctl ${words}: ${status}, ${child.stderr}`);
  return child.stdout;
}

/** Resolves once the daemon lists a pending client. */
async function pendingOf(place: DaemonPlace): Promise<string> {
  for (;;) {
    const list = await control(place, 'clients pending');
    if (!list.startsWith('no client')) return list;
  }
}

t.test('a client that was refused reads its words, is approved by them, and is admitted the next time', async (t) => {
  const { network, place, toxId } = await start(t);
  const directory = temporaryDirectory(t);
  const ping = (...more: readonly string[]): Process =>
    network.command('client', ['-i', toxId, '-p', '-C', directory, ...more]);
  let refused = ping('--timeout', '7');
  // It may need longer than that to find the daemon.
  for (let left = 5; (await refused.exited) !== 8 && left > 0; left -= 1) refused = ping('--timeout', '7');
  const [, words = ''] = WORDS.exec(refused.stderr) ?? [];
  const [, key = ''] = new RegExp(`^([0-9A-F]{8})  ${words}\n`).exec(await control(place, 'clients pending')) ?? [];
  t.match(key, /^[0-9A-F]{8}$/, refused.stderr);
  const approved = await control(place, `clients approve ${words} --name laptop --expires 30d`);
  t.match(approved, `laptop ${key} is admitted  (${words})`);
  t.match(await control(place, 'clients pending'), /^no client is pending/);
  const admitted = ping();
  t.equal(await admitted.exited, 0, admitted.stderr);
});

t.test('a client that waits is admitted as soon as it is approved, and reaches a service', async (t) => {
  const { network, place, toxId } = await start(t);
  const service = await network.service(echo);
  const client = network.command('client', ['-i', toxId, '-W', `127.0.0.1:${service}`, '--timeout', '0']);
  const list = await pendingOf(place);
  t.match(list, /came by the node 127\.0\.0\.1:\d+ in the local network\n/);
  const key = list.slice(0, 8);
  t.match(await control(place, `clients approve ${key} --name laptop`), /^ *laptop [0-9A-F]{8} is admitted /m);
  client.child.stdin.write('hello');
  await client.waitFor(/^hello/);
});

t.test('a client that stores the server by its Tox ID waits, is approved, and keeps that identity', async (t) => {
  const { network, place, toxId } = await start(t);
  const env = { HOME: temporaryDirectory(t) };
  const run = (...words: string[]): Process => startTuntox([...words, ...network.node], { env });
  t.teardown(() => startTuntox(['agent', 'stop'], { env }).exited);
  const joining = run('join', toxId, 'nas');
  const [, words = ''] = /^[0-9A-F]{8} {2}([a-z ]+)\n/.exec(await pendingOf(place)) ?? [];
  t.match(await control(place, `clients approve ${words} --name laptop`), /is admitted/);
  t.equal(await joining.exited, 0, joining.stderr);
  t.match(joining.stdout, /^nas is stored/);
  const ping = run('ping', 'nas');
  t.equal(await ping.exited, 0, ping.stderr);
});
