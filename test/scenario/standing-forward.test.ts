/** Forwards that a daemon keeps up, with real commands: they outlive restarts of both sides, and a server that is away. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { CommandNetwork, echo } from '../support/command-network.js';
import { freeTcpPort, type Process, ROOT, startProgram } from '../support/processes.js';
import { type DaemonPlace, daemonPlace, startDaemon } from './support/daemon-command.js';

const TUNTOXCTL = ['env', '-u', 'NODE_OPTIONS', process.execPath, join(ROOT, 'dist/bin/tuntoxctl.js')];
/** Nothing here needs another network. */
const ALONE = '  lan_discovery: false\n  port_mapping: false\n';

function control(t: Test, { socket }: DaemonPlace, words: readonly string[], input = ''): Process {
  const command = startProgram('tuntoxctl', [...TUNTOXCTL, ...words, '--socket', socket]);
  t.teardown(() => command.stop('SIGKILL'));
  command.child.stdin.end(input);
  return command;
}

async function output(t: Test, place: DaemonPlace, words: readonly string[], input?: string): Promise<string> {
  const command = control(t, place, words, input);
  if ((await command.exited) !== 0) throw new Error(`tuntoxctl ${words.join(' ')}: ${command.stderr}`);
  return command.stdout;
}

/** A server and a client, both daemons, and a forward to a service that answers with what it gets. */
async function start(t: Test) {
  const network = await CommandNetwork.start(t);
  const [, node] = network.node;
  const [serverPlace, clientPlace] = [daemonPlace(t, node, ALONE), daemonPlace(t, node, ALONE)];
  const server = await startDaemon(t, serverPlace);
  const client = await startDaemon(t, clientPlace);
  const [toxId] = (await output(t, serverPlace, ['id'])).split('\n') as [string];
  await output(t, serverPlace, ['secret', 'set'], 'canary of the server\n');
  const port = await freeTcpPort();
  const service = await network.service(echo);
  const forward = `${port}:127.0.0.1:${service}`;
  await output(t, clientPlace, ['forward', 'add', toxId, forward, '--secret-file', '-'], 'canary of the server\n');
  return { serverPlace, clientPlace, server, client, port, service };
}

/** Sends until there is an answer: the port opens, and the server is found again, within moments. */
async function isServed(
  port: number,
  attempts = 60,
  { said, expected } = { said: 'hello', expected: /hello/ },
): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = new Promise<boolean>((resolve) => {
      socket.on('data', (bytes: Buffer) => resolve(expected.test(String(bytes))));
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
    });
    socket.write(said);
    const isAnswered = await answer;
    socket.destroy();
    if (isAnswered) return true;
    await sleep(500);
  }
  return false;
}

t.test('a forward survives restarts and the deaths of both daemons, with nothing said again', async (t) => {
  const { serverPlace, clientPlace, server, client, port } = await start(t);
  t.ok(await isServed(port));
  await server.stop('SIGTERM');
  const secondServer = await startDaemon(t, serverPlace);
  t.ok(await isServed(port), 'after a restart of the server');
  await client.stop('SIGTERM');
  const secondClient = await startDaemon(t, clientPlace);
  t.ok(await isServed(port), 'after a restart of the client');
  await Promise.all([secondServer.stop('SIGKILL'), secondClient.stop('SIGKILL')]);
  await Promise.all([startDaemon(t, serverPlace), startDaemon(t, clientPlace)]);
  t.ok(await isServed(port), 'after both were killed');
  t.match(await output(t, clientPlace, ['forward']), new RegExp(`127\\.0\\.0\\.1:${port} .* (?:direct|relayed)`));
});

t.test('a port that another program has is shown, and taken as soon as it is free', async (t) => {
  const { clientPlace, client, port } = await start(t);
  await client.stop('SIGTERM');
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  await startDaemon(t, clientPlace);
  t.match(await output(t, clientPlace, ['forward', 'list']), /no port[\s\S]*in use by another program[\s\S]*every 5 s/);
  other.close();
  t.ok(await isServed(port));
});

t.test('a removed forward closes its connections, and stays away after a restart', async (t) => {
  const { clientPlace, client, port } = await start(t);
  t.ok(await isServed(port));
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {}).write('hello');
  await once(socket, 'data');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  t.match(await output(t, clientPlace, ['forward', 'remove', String(port)]), /removed .*\nclosed +1 connection/);
  await closed;
  await client.stop('SIGTERM');
  await startDaemon(t, clientPlace);
  t.equal(
    await output(t, clientPlace, ['forward', 'list', '--json']),
    '{"schema":"tuntox.forwards/1","forwards":[]}\n',
  );
});

t.test('a port of the server is opened again after restarts of both, once its owner permits it', async (t) => {
  const { serverPlace, clientPlace, server, client, service } = await start(t);
  const [key] = (await output(t, clientPlace, ['id'])).split('\n') as [string];
  const [toxId] = (await output(t, serverPlace, ['id'])).split('\n') as [string];
  const port = await freeTcpPort();
  await output(t, clientPlace, ['forward', 'add', toxId, '-R', `${port}:127.0.0.1:${service}`]);
  t.match(await output(t, clientPlace, ['forward', 'list']), new RegExp(`-R 127\\.0\\.0\\.1:${port} `));
  await output(t, serverPlace, ['whitelist', 'add', key, '--allow-reverse', String(port), '--yes']);
  t.ok(await isServed(port), 'it asks again until the owner permits it');
  await Promise.all([server.stop('SIGKILL'), client.stop('SIGKILL')]);
  await Promise.all([startDaemon(t, serverPlace), startDaemon(t, clientPlace)]);
  t.ok(await isServed(port));
  t.match(await output(t, clientPlace, ['forward', 'remove', '-R', String(port)]), /removed .* of this machine/);
  while (await isServed(port, 1));
  t.match(await output(t, clientPlace, ['forward', 'add', toxId, '-R', String(port)]), /to any target of this machine/);
  t.match(await output(t, clientPlace, ['forward', 'list']), new RegExp(`-R 127\\.0\\.0\\.1:${port} +any `));
  const said = `CONNECT 127.0.0.1:${service} HTTP/1.1\r\n\r\n`;
  t.ok(await isServed(port, 60, { said, expected: /^HTTP\/1\.1 200 / }), 'without a target it is a proxy');
});

t.test('a target may be the name of a service', async (t) => {
  const { serverPlace, clientPlace, service } = await start(t);
  await output(t, serverPlace, ['expose', 'web', String(service)]);
  const [toxId] = (await output(t, serverPlace, ['id'])).split('\n') as [string];
  const port = await freeTcpPort();
  await output(t, clientPlace, ['forward', 'add', toxId, `${port}:web`]);
  t.ok(await isServed(port));
  t.match(await output(t, clientPlace, ['forward']), new RegExp(`127\\.0\\.0\\.1:${port} +web `));
});

t.test('a forward by the link of an invitation for a service leads to it, and goes with the service', async (t) => {
  const network = await CommandNetwork.start(t);
  const [, node] = network.node;
  const [serverPlace, clientPlace] = [daemonPlace(t, node, ALONE), daemonPlace(t, node, ALONE)];
  for (const place of [serverPlace, clientPlace]) await startDaemon(t, place);
  await output(t, serverPlace, ['expose', 'web', String(await network.service(echo))]);
  const invitation = await output(t, serverPlace, ['invite', 'create', '--name', 'office', '--allow', 'web']);
  const [link = ''] = /tuntox:\/\/\S+/.exec(invitation) ?? [];
  const port = await freeTcpPort();
  t.match(await output(t, clientPlace, ['forward', 'add', link, String(port)]), /web/);
  t.ok(await isServed(port));
  t.match(await output(t, clientPlace, ['forward']), new RegExp(`127\\.0\\.0\\.1:${port} +web .* (?:direct|relayed)`));
  t.match(await output(t, serverPlace, ['whitelist', 'list']), /^office .* web .*invited/m);
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {}).write('hello');
  await once(socket, 'data');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await output(t, serverPlace, ['services', 'remove', 'web', '--yes']);
  await closed;
});

t.test('two that add the same forward at once: one of them does, and the other is told', async (t) => {
  const { clientPlace, serverPlace } = await start(t);
  const [toxId] = (await output(t, serverPlace, ['id'])).split('\n') as [string];
  const port = await freeTcpPort();
  const both = [1, 2].map(() => control(t, clientPlace, ['forward', 'add', toxId, `${port}:a:1`]));
  t.same((await Promise.all(both.map(({ exited }) => exited))).sort(), [0, 1]);
  t.match(both.map(({ stderr }) => stderr).join(''), /in use by another program|there is a forward at/);
});

t.test('two daemons are server and client of each other, each by its own rules', async (t) => {
  const { serverPlace, clientPlace, server, port } = await start(t);
  t.ok(await isServed(port));
  const [serverId, clientId] = await Promise.all(
    [serverPlace, clientPlace].map(async (place) => (await output(t, place, ['id'])).trim()),
  );
  const service = createServer(echo).listen(0, '127.0.0.1');
  t.teardown(() => service.close());
  await once(service, 'listening');
  const target = `127.0.0.1:${(service.address() as AddressInfo).port}`;
  const back = await freeTcpPort();
  await output(t, serverPlace, ['forward', 'add', clientId as string, `${back}:${target}`]);
  const refused = connect({ host: '127.0.0.1', port: back }).on('error', () => {});
  await new Promise((resolve) => refused.once('close', resolve));
  t.match(
    await output(t, serverPlace, ['forward']),
    /direct|relayed/,
    'they are connected, and it is not admitted there',
  );
  await output(t, clientPlace, ['whitelist', 'add', serverId as string, '--allow', target]);
  t.ok(await isServed(back), 'after it was put on the whitelist');
  t.match(await output(t, clientPlace, ['clients', 'list']), new RegExp((serverId as string).slice(0, 8)));
  t.ok(await isServed(port), 'and the first direction goes on');
  await output(t, clientPlace, ['whitelist', 'remove', (serverId as string).slice(0, 8)]);
  t.ok(await isServed(port), 'also when the other is no client any more');
  await output(t, clientPlace, ['whitelist', 'add', serverId as string]);
  await server.stop('SIGTERM');
  await startDaemon(t, serverPlace);
  t.ok(await isServed(port), 'after a restart');
  t.ok(await isServed(back), 'in both directions');
});
