/** A daemon that is a client too: forwards over fake stacks, asked by a real client of the control socket. */
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ControlError } from '../../src/control/control-error.js';
import { FixedFactors } from '../../src/engine/access/access-factors.js';
import { AccessPolicy } from '../../src/engine/access/access-policy.js';
import { freeTcpPort } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { settle, startEcho, TestDaemon } from './support/test-daemon.js';

const SECRET = 'canary of the server';
const OTHER_ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

/** A server in the network of the daemon. @returns its Tox ID */
async function startServer(daemon: TestDaemon): Promise<string> {
  const { engine, id } = await daemon.server();
  const all = { secret: Buffer.from(SECRET), whitelist: [], isInsecureOpen: false };
  engine.serve(new AccessPolicy(new FixedFactors({ random: daemon.random }, all)));
  return id;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await settle();
}

const forwardOf = async (daemon: TestDaemon) => (await daemon.call('forwards.list', {})).forwards[0];

async function send(
  t: Test,
  port: number,
  text: string,
): Promise<{ readonly socket: Socket; readonly answer: string }> {
  const socket = connect({ host: '127.0.0.1', port });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {}).write(text);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return { socket, answer: bytes.toString() };
}

t.test('a forward carries connections, counts them, and is stored, private, with what is needed', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const echo = await startEcho(t);
  const port = await freeTcpPort();
  const added = await daemon.call('forwards.add', {
    server,
    name: 'nas',
    secret: SECRET,
    forward: `${port}:127.0.0.1:${echo}`,
  });
  t.match(added.forward, { bind: '127.0.0.1', port, target: `127.0.0.1:${echo}`, server: { name: 'nas' } });
  const { socket, answer } = await send(t, port, 'hello');
  t.equal(answer, 'hello');
  t.match(await forwardOf(daemon), { state: 'connected', path: 'direct', error: null, tunnels: 1, bytesSent: 5 });
  socket.destroy();
  await until(async () => (await forwardOf(daemon))?.tunnels === 0);
  t.match(await forwardOf(daemon), { tunnelsOpened: 1, bytesSent: 5, bytesReceived: 5 });
  const file = join(daemon.directory, 'forwards.json');
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.match(JSON.parse(readFileSync(file, 'utf8')), {
    version: 2,
    forwards: [{ server: { name: 'nas', secret: SECRET } }],
  });
  t.notMatch(JSON.stringify(await daemon.call('forwards.list', {})), /canary/);
  t.notMatch(daemon.said.join(''), /canary/);
});

t.test('the metrics have the state of each forward, its connections and its bytes', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const [port, waiting] = [await freeTcpPort(), await freeTcpPort()];
  await daemon.call('forwards.add', { server, secret: SECRET, forward: `${port}:127.0.0.1:${await startEcho(t)}` });
  await daemon.call('forwards.add', { server: OTHER_ID, forward: `${waiting}:a:1` });
  await send(t, port, 'hello');
  const { text } = await daemon.call('metrics', {});
  for (const line of [
    'tuntox_forwards{state="connected"} 1',
    'tuntox_forwards{state="connecting"} 1',
    'tuntox_forwards{state="not-listening"} 0',
    `tuntox_forward_connected{forward="127.0.0.1:${port}"} 1`,
    `tuntox_forward_connected{forward="127.0.0.1:${waiting}"} 0`,
    `tuntox_forward_connections{forward="127.0.0.1:${port}"} 1`,
    `tuntox_forward_connections_opened_total{forward="127.0.0.1:${port}"} 1`,
    `tuntox_forward_sent_bytes_total{forward="127.0.0.1:${port}"} 5`,
    `tuntox_forward_received_bytes_total{forward="127.0.0.1:${port}"} 5`,
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  t.notMatch(text, /canary/);
  await daemon.call('forwards.remove', { forward: String(port) });
  t.notMatch((await daemon.call('metrics', {})).text, `:${port}"`);
});

t.test('after a restart of the daemon the forward is there again', async (t) => {
  const first = await TestDaemon.start(t);
  const server = await startServer(first);
  const port = await freeTcpPort();
  await first.call('forwards.add', { server, secret: SECRET, forward: `${port}:db:5432` });
  await first.stop();
  const second = await TestDaemon.start(t, { directory: first.directory });
  await until(async () => (await forwardOf(second))?.state === 'connecting');
  t.match(await forwardOf(second), { port, target: 'db:5432', error: /has not been found|no node/ });
});

t.test('a removed forward closes its connections, frees its port, and is not stored any more', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const echo = await startEcho(t);
  const port = await freeTcpPort();
  await daemon.call('forwards.add', { server, secret: SECRET, forward: `${port}:127.0.0.1:${echo}` });
  const { socket } = await send(t, port, 'hello');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const wanted = await daemon.call('forwards.remove', { forward: String(port), dryRun: true });
  t.equal(wanted.closedTunnels, 1);
  t.match(await forwardOf(daemon), { tunnels: 1 }, 'a dry run changes nothing');
  t.equal((await daemon.call('forwards.remove', { forward: String(port) })).closedTunnels, 1);
  await closed;
  t.equal(await forwardOf(daemon), undefined);
  const again = createServer().listen(port, '127.0.0.1');
  await once(again, 'listening');
  again.close();
  t.match(JSON.parse(readFileSync(join(daemon.directory, 'forwards.json'), 'utf8')), { forwards: [] });
});

t.test('a port in use is refused when it is added, and waited for when the daemon starts', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const forward = `${port}:127.0.0.1:80`;
  await t.rejects(daemon.call('forwards.add', { server, forward }), {
    code: 'failed',
    message: `port ${port} is in use by another program: choose another port`,
  });
  t.equal(await forwardOf(daemon), undefined);
  const entry = {
    bind: '127.0.0.1',
    port,
    target: { host: '127.0.0.1', port: 80 },
    server: { name: null, tox_id: server, secret: null },
    added_at: 1,
  };
  const state = { 'forwards.json': JSON.stringify({ version: 1, forwards: [entry] }) };
  const late = await TestDaemon.start(t, { state });
  await until(async () => /in use/.test((await forwardOf(late))?.error ?? ''));
  t.match(await forwardOf(late), { state: 'not-listening' });
  t.ok((await late.call('status', {})).warnings.some(({ code }) => code === 'forward-ports'));
});

t.test('wrong servers, targets and ports are refused with what to write, and show no secret', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const own = daemon.daemon.engine.id.toString();
  const cases: readonly [Parameters<typeof daemon.call<'forwards.add'>>[1], Partial<ControlError>][] = [
    [{ server: own, forward: '8080:a:1' }, { code: 'bad-params', message: /the Tox ID of the daemon itself/ } as never],
    [{ server: 'F4', forward: '8080:a:1' }, { code: 'bad-params', message: /a Tox ID has 76 hex digits/ } as never],
    [{ server, forward: '8080' }, { code: 'bad-params', message: /names no target/ } as never],
    [{ server, forward: '8080:80' }, { code: 'bad-params' } as never],
    [{ server, forward: '0:a:1' }, { code: 'bad-params' } as never],
    [
      { server: `tuntox://${server}/canary!/a:1`, forward: '8080' },
      { code: 'bad-params', message: /wrong character/ } as never,
    ],
  ];
  for (const [params, expected] of cases) {
    const error = await daemon.call('forwards.add', params).then(
      () => undefined,
      (caught: ControlError) => caught,
    );
    t.match(error, expected, params.forward);
    t.notMatch(error?.message, /canary/);
  }
  const port = await freeTcpPort();
  await daemon.call('forwards.add', {
    server: `tuntox://${server}/${SECRET.replaceAll(' ', '')}/a:1`,
    forward: `${port}`,
  });
  await t.rejects(daemon.call('forwards.add', { server, forward: `${port}:b:2` }), { code: 'exists' });
  await t.rejects(daemon.call('forwards.remove', { forward: '1' }), { code: 'not-found' });
  t.equal((await daemon.call('forwards.list', {})).forwards.length, 1);
});

t.test('a forward may be between Unix sockets, and is removed by its path', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const directory = temporaryDirectory(t);
  const [path, remote] = [join(directory, 'a.sock'), join(directory, 'b.sock')];
  const service = createServer((socket) => void socket.pipe(socket)).listen(remote);
  t.teardown(() => service.close());
  const added = await daemon.call('forwards.add', { server, secret: SECRET, forward: `${path}:${remote}` });
  t.match(added.forward, { kind: 'local', socket: path, bind: null, port: 0, target: remote });
  const socket = connect(path);
  t.teardown(() => socket.destroy());
  const [error] = await once(socket, 'close').then(
    () => [undefined],
    (caught) => [caught],
  );
  t.equal(error, undefined);
  t.match(await forwardOf(daemon), { tunnelsOpened: 0 }, 'no rule of the server names the socket');
  await daemon.call('forwards.remove', { forward: path });
  t.notOk(existsSync(path));
});

t.test('a dynamic forward is a proxy, and its place is taken for all kinds', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const echo = await startEcho(t);
  const port = await freeTcpPort();
  const added = await daemon.call('forwards.add', { server, secret: SECRET, forward: `${port}`, kind: 'dynamic' });
  t.match(added.forward, { kind: 'dynamic', port, target: null });
  const { socket, answer } = await send(t, port, `CONNECT 127.0.0.1:${echo} HTTP/1.1\r\n\r\n`);
  t.match(answer, /^HTTP\/1\.1 200 /);
  socket.write('hello');
  t.equal(String((await once(socket, 'data'))[0]), 'hello');
  t.match(await forwardOf(daemon), { tunnels: 1 });
  await t.rejects(daemon.call('forwards.add', { server, forward: `${port}:a:1` }), { code: 'exists' });
  await daemon.call('forwards.remove', { forward: `${port}` });
  t.equal(await forwardOf(daemon), undefined);
});

t.test('a link to a server that is connected already is not used, which a note says', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const port = await freeTcpPort();
  const linkWith = (secret: string): string => `tuntox://${server}/${secret}`;
  const add = async (given: string, at: number) =>
    (await daemon.call('forwards.add', { server: given, forward: `${at}:127.0.0.1:9` })).notes;
  await daemon.call('forwards.add', { server, secret: SECRET, forward: `${port}:127.0.0.1:9` });
  await until(async () => (await forwardOf(daemon))?.state === 'connected');
  t.match(await add(linkWith('another'), await freeTcpPort()), [/the link was not used/]);
  t.same(await add(linkWith('another'), await freeTcpPort()), [], 'once');
  t.same(await add(server, await freeTcpPort()), [], 'a Tox ID has nothing to use');
});

t.test('a reverse forward says why the server does not listen', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const forward = '8080:127.0.0.1:80';
  const added = await daemon.call('forwards.add', { server, secret: SECRET, forward, kind: 'reverse' });
  t.match(added.forward, { kind: 'reverse', bind: '127.0.0.1', port: 8080, target: '127.0.0.1:80' });
  await until(async () => (await forwardOf(daemon))?.state === 'not-listening');
  t.match(await forwardOf(daemon), { error: /^127\.0\.0\.1:8080 of the server: / });
  t.ok((await daemon.call('status', {})).warnings.some(({ code }) => code === 'forward-ports'));
  const label = `-R 127.0.0.1:8080 of ${server.slice(0, 8)}`;
  t.match((await daemon.call('metrics', {})).text, `tuntox_forward_connected{forward="${label}"}`);
  await t.rejects(daemon.call('forwards.remove', { forward: '8080' }), { code: 'not-found' }, 'it is no port here');
  await daemon.call('forwards.remove', { forward: '8080', reverse: true });
  t.equal(await forwardOf(daemon), undefined);
});

t.test('a reverse forward without a target is a proxy at the server, and may be for some users only', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const asked = { server, secret: SECRET, forward: '*:1080', kind: 'reverse', users: 'ann:canary\n' } as const;
  await t.rejects(daemon.call('forwards.add', { ...asked, forward: '1080:127.0.0.1:80' }), {
    message: /users are only for/,
  });
  const added = await daemon.call('forwards.add', asked);
  t.match(added.forward, { kind: 'reverse', bind: null, port: 1080, target: null });
  t.notMatch(JSON.stringify(added), /canary/);
  const { forwards } = JSON.parse(readFileSync(join(daemon.directory, 'forwards.json'), 'utf8'));
  t.match(forwards, [{ kind: 'reverse', users: [{ name: 'ann', password: 'canary' }] }]);
});

t.test('a dynamic forward may be for some users only, also after a restart', async (t) => {
  const daemon = await TestDaemon.start(t);
  const server = await startServer(daemon);
  const port = await freeTcpPort();
  const asked = { server, secret: SECRET, forward: `${port}`, kind: 'dynamic', users: 'ann:canary\n' } as const;
  await t.rejects(daemon.call('forwards.add', { ...asked, users: 'canary' }), {
    code: 'bad-params',
    message: 'line 1 of the file of users is not USER:PASSWORD',
  });
  await t.rejects(daemon.call('forwards.add', { ...asked, forward: `${port}:a:1`, kind: 'local' }), {
    message: /users are only for/,
  });
  const added = await daemon.call('forwards.add', asked);
  t.notMatch(JSON.stringify(added), /canary/);
  const { answer } = await send(t, port, 'CONNECT 127.0.0.1:9 HTTP/1.1\r\n\r\n');
  t.match(answer, /^HTTP\/1\.1 407 /);
  const { forwards } = JSON.parse(readFileSync(join(daemon.directory, 'forwards.json'), 'utf8'));
  t.match(forwards, [{ kind: 'dynamic', users: [{ name: 'ann', password: 'canary' }] }]);
});

t.test('forwards that cannot be read are a serious warning, and stay as they are', async (t) => {
  const daemon = await TestDaemon.start(t, { state: { 'forwards.json': '{"version":1,"forwards":[{"port":1}]}' } });
  const { health, warnings } = await daemon.call('status', {});
  t.equal(health, 'degraded');
  t.match(warnings.find(({ code }) => code === 'forwards')?.message, /forward 1: its "bind" is invalid/);
  const server = await startServer(daemon);
  await t.rejects(daemon.call('forwards.add', { server, forward: `${await freeTcpPort()}:a:1` }), { code: 'failed' });
  t.match(readFileSync(join(daemon.directory, 'forwards.json'), 'utf8'), /"port":1/);
});

t.test('a server that the daemon is a client of opens no tunnels here, whatever the rules allow', async (t) => {
  const daemon = await TestDaemon.start(t);
  const { engine, id } = await daemon.server();
  engine.serve(
    new AccessPolicy(
      new FixedFactors({ random: daemon.random }, { secret: undefined, whitelist: [], isInsecureOpen: true }),
    ),
  );
  const echo = await startEcho(t);
  await daemon.call('forwards.add', { server: id, forward: `${await freeTcpPort()}:a:1` });
  await settle();
  const peerId = daemon.daemon.engine.id.publicKey.hex;
  const answer = await new Promise((resolve) => {
    engine.tunnels
      .opener(peerId)
      .open({ host: '127.0.0.1', port: echo }, { onAccepted: () => resolve('accepted') as never, onRefused: resolve });
  });
  t.equal(answer, 'not-allowed');
});
