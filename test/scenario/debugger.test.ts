/** Node's debugger runs any code for everybody who can connect to its port: a signal must not open it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { commandFile, freeUdpPort, type Process, startProgram } from '../support/processes.js';
import { controlOf, daemonPlace } from './support/daemon-command.js';

/** On whatever port is free, where it would be 9229 for all. */
const NODE = ['env', '-u', 'NODE_OPTIONS', process.execPath, '--inspect-port=0'];
const SAYS_PORT = /Debugger listening on ws:\/\/127\.0\.0\.1:\d+/;

function start(t: Test, name: string, words: readonly string[]): Process {
  const one = startProgram(name, [...NODE, ...words], { env: { ...process.env, NOTIFY_SOCKET: '' } });
  t.teardown(() => one.stop('SIGKILL'));
  return one;
}

/** Ports on which the process takes connections by TCP. */
function tcpPorts({ pid }: Process): number[] {
  const directory = `/proc/${pid}/fd`;
  const links = readdirSync(directory).map((name) => {
    try {
      return readlinkSync(join(directory, name));
    } catch {
      return 'closed meanwhile';
    }
  });
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').split('\n').slice(1));
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const isOurs = state === '0A' && links.includes(`socket:[${inode}]`);
    return isOurs ? [Number.parseInt(local.slice(local.indexOf(':') + 1), 16)] : [];
  });
}

t.test('an unprotected program opens a port on SIGUSR1, and this test detects it', async (t) => {
  const one = start(t, 'careless', ['--eval', 'console.log("up"); process.stdin.resume()']);
  await one.waitFor(/^up/);
  t.same(tcpPorts(one), []);
  one.kill('SIGUSR1');
  await one.waitFor(SAYS_PORT);
  t.equal(tcpPorts(one).length, 1);
});

/** Often, and with time for a thread that would open it. */
async function signalled(t: Test, one: Process): Promise<void> {
  const before = tcpPorts(one);
  for (let count = 0; count < 5; count += 1) {
    one.kill('SIGUSR1');
    await sleep(60);
  }
  t.same(tcpPorts(one), before);
  t.notMatch(one.stderr, SAYS_PORT);
}

t.test('tuntoxd opens nothing on SIGUSR1, and continues', async (t) => {
  const place = daemonPlace(t, undefined);
  const daemon = start(t, 'tuntoxd', [commandFile('tuntoxd'), '--config', place.config]);
  await daemon.waitFor(/is ready: /);
  await signalled(t, daemon);
  t.equal((await (await controlOf(t, place)).call('status', {})).daemon.pid, daemon.pid);
  t.equal(await daemon.stop('SIGTERM'), 0);
});

t.test('the classic command does the same', async (t) => {
  const port = await freeUdpPort();
  const node = start(t, 'tuntox', [commandFile('tuntox'), '--node', '-u', `${port}:${port}`]);
  await node.waitFor(/^[0-9]+:[0-9A-F]{64}\n/);
  await signalled(t, node);
  t.equal(await node.stop('SIGTERM'), 0);
});
