/** Every way in which a client of the real command fails: its status, and one message that says what to do. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { CommandNetwork, echo } from '../support/command-network.js';
import { freeTcpPort, freeUdpPort, type Process, startTuntox } from '../support/processes.js';

/** The Tox ID of a peer that does not exist. */
const NOBODY = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const TARGET = '127.0.0.1:9';

/** What a client can be there for. */
async function jobs(): Promise<readonly (readonly string[])[]> {
  return [['-L', `${await freeTcpPort()}:${TARGET}`], ['-W', TARGET], ['-p']];
}

function start(t: Test, args: readonly string[], env: NodeJS.ProcessEnv = {}): Process {
  const command = startTuntox(args, { env });
  t.teardown(() => command.stop('SIGKILL'));
  return command;
}

/** The command ends with this status and one error, and prints nothing to standard output. */
async function fails(t: Test, command: Process, status: number, message: RegExp): Promise<void> {
  t.equal(await command.exited, status, command.stderr);
  const errors = command.stderr.split('\n').filter((line) => line.startsWith('error: '));
  t.match(errors, [message]);
  t.equal(command.stdout, '');
}

/** A service of this process. @returns its port */
async function service(t: Test, onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

/** A network whose only node is not there. */
const nowhere = async (): Promise<string[]> => [
  '--bootstrap',
  `127.0.0.1:${await freeUdpPort()}:${NOBODY.slice(0, 64)}`,
];

t.test('without a Tox network the status is 6, after Ctrl-C while connecting 130', async (t) => {
  const node = await nowhere();
  const impatient = (await jobs()).map((job) =>
    start(t, ['-i', NOBODY, ...job, ...node, '--timeout', '300ms', '--max-retries', '1']),
  );
  const patient = (await jobs()).map((job) => start(t, ['-i', NOBODY, ...job, ...node, '-d']));
  for (const command of impatient) {
    await fails(t, command, 6, /^error: no node of the Tox network has answered for [0-9.]+ s: check that/);
    t.match(command.stderr, /^warning: no node of the Tox network .* trying again in [0-9.]+ s, the last try$/m);
  }
  for (const command of patient) {
    await command.waitFor(/connecting to/);
    t.equal(await command.stop('SIGINT'), 130);
    t.equal(command.stdout, '');
  }
});

t.test('against a network', async (t) => {
  const network = await CommandNetwork.start(t);
  const { process: server, id } = await network.server();
  const client = (...args: string[]): Process => network.command('client', args);

  // Their time passes while the others work; longer than a busy machine needs to come online.
  const stranger = client('-i', NOBODY, '-p', '--timeout', '15');
  const wrongSecret = { TUNTOX_SHARED_SECRET: 'canary guess' };
  const refused = start(t, ['-i', id, '-W', TARGET, ...network.node, '--timeout', '15s'], wrongSecret);

  await t.test('a target that refuses means status 5 for -W, and for -L a reset with the reason', async (t) => {
    const closed = await freeTcpPort();
    const port = await freeTcpPort();
    const pipe = client('-i', id, '-W', `127.0.0.1:${closed}`);
    const forward = client('-i', id, '-L', `${port}:127.0.0.1:${closed}`);
    await fails(t, pipe, 5, /: the target refused the connection: check the port, and that the service is running/);
    await forward.waitFor(/connected to/);
    const [error] = (await once(connect(port, '127.0.0.1'), 'error', { signal: AbortSignal.timeout(30_000) }).catch(
      (thrown) => [thrown],
    )) as [NodeJS.ErrnoException];
    t.equal(error.code, 'ECONNRESET');
    await forward.waitFor(
      /warning: .*the target refused the connection: check the port, and that the service is running/,
    );
    t.equal(await forward.stop('SIGINT'), 130);
  });

  await t.test('an unknown server means status 3, one that does not admit us 8', async (t) => {
    await fails(t, stranger, 3, /^error: E776E9A9 has not been found for [0-9.]+ s: check that it runs/);
    await fails(
      t,
      refused,
      8,
      /^error: .* is reachable, but has not admitted this client for [0-9.]+ s: check the secret/,
    );
    t.notMatch(refused.stderr, 'canary');
  });

  await t.test('a lost server means status 3 for -W, while -L waits as long as its options say', async (t) => {
    const port = await network.service(echo);
    const pipe = client('-i', id, '-W', `127.0.0.1:${port}`);
    pipe.child.stdin.write('hello');
    // Two of the few nodes here have just gone away, and onion paths through them with them: it may take some seconds.
    const forward = client('-i', id, '-L', `${await freeTcpPort()}:${TARGET}`, '--timeout', '10', '--max-retries', '1');
    await pipe.waitFor(/hello/);
    await forward.waitFor(/connected to/);
    t.equal(await server.stop(), 0);
    t.equal(await pipe.exited, 3, pipe.stderr);
    t.match(pipe.stderr, /^error: 127\.0\.0\.1 port \d+: .*\n$/);
    const status = await forward.exited;
    // Nodes remember it for some time, so it might also be a refusal, as the message of status 8 says (docs/tuntox.md).
    t.ok([3, 7, 8].includes(status as number), `status ${status}`);
    t.match(forward.stderr, /^warning: lost the connection to [\s\S]*\nwarning: .*; trying again in [\s\S]*\nerror: /m);
  });
});

t.test('an unusable proxy means status 9, and is named at once and at the end, without its password', async (t) => {
  const node = await nowhere();
  const other = await service(t, (socket) => void socket.end('SSH-2.0-x\r\n\r\n'));
  const strict = await service(t, (socket) => {
    socket.on('data', (bytes) => void socket.write(Buffer.from(bytes[0] === 5 ? '0502' : '0101', 'hex')));
  });
  const refuses = await service(t, (socket) => void socket.end('HTTP/1.1 403 no\r\n\r\n'));
  const closed = await freeTcpPort();
  const cases: [string, RegExp][] = [
    [`http://me:canary@localhost:${closed}`, /http:..localhost:\d+: the proxy cannot be reached: .*: check that it/],
    [`socks5://127.0.0.1:${other}`, /does not speak SOCKS5: check its kind/],
    [`socks5://me:canary@127.0.0.1:${strict}`, /refuses this user and password: write the right ones/],
    [`http://me:canary@127.0.0.1:${refuses}`, /cannot reach it: HTTP status 403: have its owner allow/],
  ];
  const commands = cases.map(([url]) =>
    start(t, ['-p', '-dd', '-i', NOBODY, ...node, '--timeout', '8s'], { ALL_PROXY: url }),
  );
  const url = `socks5://me:canary@127.0.0.1:${closed}`;
  const patient = start(t, ['-i', NOBODY, ...((await jobs())[0] ?? []), ...node, '--proxy', url]);
  await patient.waitFor(/warning: other users can see the password of --proxy/);
  await patient.waitFor(/error: socks5:.*cannot be reached/);
  t.equal(await patient.stop('SIGINT'), 130);
  t.notMatch(patient.stderr, 'canary');
  for (const [index, command] of commands.entries()) {
    t.equal(await command.exited, 9, command.stderr);
    const told = command.stderr.split('\n').filter((line) => line.includes('error: '));
    t.equal(told.length, 2, command.stderr);
    for (const line of told) t.match(line, cases[index]?.[1]);
    t.notMatch(command.stderr, 'canary');
  }
});

t.test('with a proxy, nodes that only have names are unusable, and a message says so', async (t) => {
  const named = ['--bootstrap', `node.invalid:1:${NOBODY.slice(0, 64)}`];
  const command = start(t, ['-p', '-i', NOBODY, ...named], { ALL_PROXY: 'socks5://127.0.0.1:9' });
  t.equal(await command.exited, 1);
  t.match(command.stderr, /with a proxy no name is looked up, and none of the nodes has a literal address: give one/);
});
