/** The real commands where the system has nothing more to give: at the start, while they run, and with few descriptors. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { CommandNetwork, echo, SECRET } from '../support/command-network.js';
import {
  commandFile,
  freeTcpPort,
  type Prefix,
  type Process,
  startProgram,
  startTuntox,
} from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { controlOf, daemonPlace, spawnDaemon, startDaemon } from './support/daemon-command.js';

const FAILING_CALLS = fileURLToPath(new URL('../support/failing-calls.js', import.meta.url));
/** Puts a command where it may have so many descriptors. */
const withDescriptors = (count: number): Prefix => ['sh', '-c', `ulimit -n ${count}; exec "$@"`, 'sh'];

/** Has calls fail in a command, which begins with `env -u NODE_OPTIONS node`. Of sockets, only Node's own calls can. */
const failing = (calls: string): { readonly prefix: Prefix } => {
  const script = `shift 4; TUNTOX_NATIVE=off FAILING_CALLS='${calls}' exec '${process.execPath}' --import '${FAILING_CALLS}' "$@"`;
  return { prefix: ['sh', '-c', script, 'sh'] };
};

/** It ended by itself, with one line that gives the reason, and without a stack trace. */
async function refused(t: Test, command: Process, message: RegExp): Promise<void> {
  t.equal(await command.waitForEnd(), 1, command.stderr);
  t.match(command.stderr, message);
  t.notMatch(command.stderr, /^ {4}at /m);
}

const server = (t: Test, calls: string): Process => {
  const command = startTuntox(['--bootstrap', 'none', '--insecure-open'], failing(calls));
  t.teardown(() => command.stop('SIGKILL'));
  return command;
};

t.test('a start continues after a refusal that is not essential', async (t) => {
  for (const [calls, said] of [
    ['os.networkInterfaces=EMFILE@1', /cannot list the addresses of this machine \(EMFILE\)/],
    ['os.networkInterfaces=EACCES@1', /cannot list the addresses of this machine \(EACCES\)/],
    [
      'net.listen=EMFILE@1 net.listen=EMFILE@2',
      /this node is no TCP relay for others: cannot open a TCP port: .*EMFILE/,
    ],
  ] as const) {
    const command = server(t, calls);
    await command.waitFor(/^[0-9A-F]{76}\n/);
    t.match(command.stderr, said, calls);
    t.equal(await command.stop('SIGTERM'), 0, calls);
  }
});

t.test('a start fails after an essential refusal, with the reason', async (t) => {
  await refused(t, server(t, 'dgram.bind=EMFILE@1'), /^tuntox: cannot open a UDP port.*EMFILE/m);
  await refused(t, server(t, 'dgram.bind=ENOBUFS@1'), /^tuntox: cannot open a UDP port.*ENOBUFS/m);
  for (const [calls, message] of [
    ['dgram.bind=EMFILE@1', /^tuntoxd: cannot open a UDP port.*EMFILE/m],
    ['net.listen=EMFILE@1', /^tuntoxd: .*tuntoxd\.sock: .*EMFILE/m],
    ['child_process.spawnSync=ENOMEM@1', /^tuntoxd: cannot make sure that no other process uses .*ENOMEM/m],
  ] as const) {
    // Without a relay: it would try one or two TCP ports, depending on what other programs use.
    const place = daemonPlace(t, undefined, '  relay_port: 0\n');
    await refused(t, spawnDaemon(t, place, failing(calls)), message);
  }
});

t.test('a running daemon survives each refusal', async (t) => {
  const place = daemonPlace(t, undefined);
  const calls = 'os.networkInterfaces=EMFILE@4 process.memoryUsage.rss=EMFILE@2 child_process.spawn=EMFILE@1';
  const daemon = await startDaemon(t, place, { ...failing(calls), args: ['-S'] });
  await daemon.waitFor(/FAILED child_process\.spawn/);
  const control = await controlOf(t, place);
  while (!daemon.stderr.includes('FAILED process.memoryUsage.rss')) {
    t.match((await control.call('status', {})).daemon, { state: 'running' });
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await daemon.waitFor(/FAILED os\.networkInterfaces/);
  t.ok((await control.call('status', {})).daemon.memoryBytes > 1_000_000);
  t.equal(await daemon.stop('SIGTERM'), 0);
});

t.test('tuntoxctl needs no list of addresses', async (t) => {
  const place = daemonPlace(t, undefined);
  await startDaemon(t, place, failing('os.networkInterfaces=EACCES@1'));
  const command = [process.execPath, '--import', FAILING_CALLS, commandFile('tuntoxctl')];
  const env = { ...process.env, NODE_OPTIONS: '', FAILING_CALLS: 'os.networkInterfaces=EACCES@1' };
  const ctl = startProgram('tuntoxctl', [...command, 'id', '--socket', place.socket], { env });
  t.equal(await ctl.exited, 0, ctl.stderr);
});

t.test('an uncaught error ends each command, and one line of it or of its log says what to do', async (t) => {
  // As a callback of Node's would throw, once the command listens for that.
  const fault =
    'data:text/javascript,const wait = () => { if (process.listenerCount("uncaughtException") > 0) throw new TypeError("a fault"); ' +
    'setImmediate(wait); }; setImmediate(wait);';
  for (const [name, ...args] of [
    ['tuntox', '--bootstrap', 'none', '--insecure-open'],
    ['tuntoxd', '--state-dir', temporaryDirectory(t), '--network-bootstrap', 'none'],
    ['tuntoxctl', 'status', '--socket', '/nowhere'],
  ] as const) {
    const command = [process.execPath, '--import', fault, commandFile(name), ...args];
    const broken = startProgram(name, command, { env: { ...process.env, NODE_OPTIONS: '' } });
    t.equal(await broken.exited, 1, name);
    t.match(
      broken.stderr,
      new RegExp(
        `^(${name}|error): TypeError: a fault \\(at .*\\): this is a bug in the program: please report it .*$`,
        'm',
      ),
    );
    t.notMatch(broken.stderr, /^ {4}at /m);
  }
});

/** Opens so many connections. @returns those that stand, once it is known of each whether it does */
async function openMany(t: Test, port: number, count: number): Promise<Socket[]> {
  const opened = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(port, '127.0.0.1');
      t.teardown(() => socket.destroy());
      return (await answers(socket)) ? socket : undefined;
    }),
  );
  return opened.filter((socket) => socket !== undefined);
}

/** Whether something comes back. */
async function answers(socket: Socket): Promise<boolean> {
  socket.on('error', () => {});
  socket.write('x');
  return new Promise((resolve) => {
    socket.once('data', () => resolve(true)).once('close', () => resolve(false));
  });
}

/** A client of the network with a forward to an echo service. */
async function forward(t: Test, network: CommandNetwork, id: string, target: number, prefix: Prefix = []) {
  const port = await freeTcpPort();
  const args = ['-i', id, '-L', `${port}:127.0.0.1:${target}`, ...network.node];
  const client = startTuntox(args, { prefix, env: { TUNTOX_SHARED_SECRET: SECRET } });
  t.teardown(() => client.stop('SIGKILL'));
  await client.waitFor(/connected to|listening/);
  return { client, port };
}

t.test('with few descriptors', async (t) => {
  const network = await CommandNetwork.start(t);
  const target = await network.service(echo);

  await t.test('a server refuses the surplus tunnels of one client with the reason, and serves others', async (t) => {
    const env = { TUNTOX_SHARED_SECRET: SECRET };
    const few = startTuntox(network.node, { prefix: withDescriptors(96), env });
    t.teardown(() => few.stop('SIGKILL'));
    const [, id = ''] = await few.waitFor(/^([0-9A-F]{76})\n/);
    const [greedy, modest] = [await forward(t, network, id, target), await forward(t, network, id, target)];
    const held = await openMany(t, greedy.port, 200);
    t.ok(held.length >= 10 && held.length <= 24, `${held.length} of 200`);
    await few.waitFor(
      /refused: this client has \d+ connections, and \d+ of the \d+ that this process may have are left/,
    );
    await greedy.client.waitFor(/too many tunnels are open/);
    t.equal((await openMany(t, modest.port, 3)).length, 3, 'another client has its own');
    for (const socket of held) socket.destroy();
    while ((await openMany(t, greedy.port, 1)).length === 0);
    for (const { hasExited } of [few, greedy.client, modest.client]) t.notOk(hasExited);
  });

  await t.test('a client resets surplus connections, and continues', async (t) => {
    const { id } = await network.server();
    const { client, port } = await forward(t, network, id, target, withDescriptors(64));
    const held = await openMany(t, port, 150);
    t.ok(held.length >= 5 && held.length <= 16, `${held.length} of 150`);
    await client.waitFor(/no file descriptor is left for another connection: close some, or raise the limit/);
    for (const socket of held) {
      socket.destroy();
      await once(socket, 'close');
    }
    while ((await openMany(t, port, 1)).length === 0);
    t.equal(await client.stop('SIGINT'), 130);
  });
});
