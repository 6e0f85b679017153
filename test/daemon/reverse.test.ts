/** Ports of a daemon for its clients (-R): what permits them, and what ends them, over fake stacks. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { rfc3339 } from '../../src/base/clock.js';
import { ManualClock } from '../support/manual-clock.js';
import { freeTcpPort } from '../support/processes.js';
import { settle, startEcho, type TestClient, TestDaemon } from './support/test-daemon.js';

const SECRET = 'canary of the server';

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await settle();
}

/** A client that asks for a port, which leads to an echo. */
async function ask(t: Test, client: TestClient, { port, secret }: { port: number; secret?: string }) {
  const target = { host: '127.0.0.1', port: await startEcho(t) };
  const server = client.connect(secret);
  await server.ping();
  const forward = await server.forward({ kind: 'reverse', at: { kind: 'port', bind: '127.0.0.1', port }, target });
  const state = (): string => {
    const now = forward.remote?.state;
    return now?.kind === 'refused' ? now.code : String(now?.kind);
  };
  await until(() => state() !== 'asking');
  return { forward, state };
}

async function open(t: Test, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {}).write('hello');
  await once(socket, 'data');
  return socket;
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(false)).once('connect', () => resolve(true));
    socket.on('connect', () => socket.destroy());
  });

/** A daemon with a client on the whitelist that may have a port, has it, and has a connection there. */
async function published(t: Test) {
  const clock = new ManualClock();
  const daemon = await TestDaemon.start(t, { clock });
  const client = await daemon.client();
  const port = await freeTcpPort();
  await daemon.call('whitelist.add', { id: client.id, name: 'laptop', allowReverse: [String(port)] });
  const asked = await ask(t, client, { port });
  t.equal(asked.state(), 'listening');
  const socket = await open(t, port);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  return { clock, daemon, client, port, ...asked, socket, closed };
}

t.test('a client has the port that its entry permits, and it is listed, counted and stored', async (t) => {
  const { daemon, port } = await published(t);
  const target = { host: '127.0.0.1', port };
  const { connections } = await daemon.call('connections.list', { client: 'laptop' });
  t.match(connections, [
    { id: 'c-1', kind: 'listener', state: 'listening', target, localPort: port, bytesReceived: 0 },
    { id: 'c-2', kind: 'reverse', state: 'open', target, bytesReceived: 5, bytesSent: 5 },
  ]);
  t.match(await daemon.call('status', {}), { sessions: { tunnels: 1, bytesReceived: 5 } });
  t.match((await daemon.call('metrics', {})).text, /\ntuntox_listening_ports 1\n/);
  const stored = JSON.parse(readFileSync(join(daemon.directory, 'whitelist.json'), 'utf8'));
  t.same(stored.entries[0].allow_reverse, [`localhost:${port}`]);
  t.match(daemon.said.join(''), new RegExp(`127\\.0\\.0\\.1:${port} is open for it`));
});

t.test('nothing but the entry permits a port: neither the secret nor a rule', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'access:\n  require: any\n' });
  await daemon.call('secret.set', { secret: SECRET });
  const port = await freeTcpPort();
  const stranger = await daemon.client();
  t.equal((await ask(t, stranger, { port, secret: SECRET })).state(), 'not-allowed');
  const listed = await daemon.client();
  await daemon.call('whitelist.add', { id: listed.id, name: 'laptop', allow: ['*:0'] });
  const asked = await ask(t, listed, { port });
  t.equal(asked.state(), 'not-allowed');
  t.match(asked.forward.remote?.state, {
    message: /of the server: the server does not permit it to this client, which has another key in each run/,
  });
  t.match((await daemon.call('status', {})).refusals.last24Hours, { 'port-not-allowed': 2 });
  t.match(daemon.said.join(''), new RegExp(`whitelist edit laptop --allow-reverse ${port}`), 'what permits it');
  t.notOk(await isOpen(port));
});

t.test('each end of the permission closes the port and breaks its connections at once', async (t) => {
  const ends: Record<string, (daemon: TestDaemon, clock: ManualClock) => Promise<unknown>> = {
    'its entry permits no port any more': (daemon) =>
      daemon.call('whitelist.edit', { client: 'laptop', allowReverse: [] }),
    'its entry permits another port': (daemon) =>
      daemon.call('whitelist.edit', { client: 'laptop', allowReverse: ['1'] }),
    'its entry expires': async (daemon, clock) => {
      await daemon.call('whitelist.edit', { client: 'laptop', expiresAt: rfc3339(clock.unixTime() + 60) });
      clock.advance(60_000);
    },
    'it is removed from the whitelist': (daemon) => daemon.call('whitelist.remove', { client: 'laptop' }),
    'it is kicked': (daemon) => daemon.call('clients.kick', { client: 'laptop' }),
    'it is banned': (daemon) => daemon.call('clients.kick', { client: 'laptop', banForMs: 60_000 }),
    'the owner closes the port': (daemon) => daemon.call('connections.close', { connection: 'c-1' }),
    'the owner closes all of the client': (daemon) => daemon.call('connections.close', { client: 'laptop' }),
  };
  for (const [name, end] of Object.entries(ends)) {
    await t.test(name, async (t) => {
      const { clock, daemon, port, closed } = await published(t);
      await end(daemon, clock);
      await closed;
      t.notOk(await isOpen(port));
      t.same((await daemon.call('connections.list', {})).connections, []);
    });
  }
});

t.test('an edit says how many connections it closes, and a dry run closes none', async (t) => {
  const { daemon, port } = await published(t);
  const edit = { client: 'laptop', allowReverse: ['*:0'] };
  t.equal((await daemon.call('whitelist.edit', { ...edit, dryRun: true })).closedTunnels, 0);
  t.equal((await daemon.call('whitelist.edit', { ...edit, allowReverse: [], dryRun: true })).closedTunnels, 1);
  t.ok(await isOpen(port));
  const change = await daemon.call('whitelist.edit', { ...edit, allow: ['127.0.0.1:22'] });
  t.match(change, { closedTunnels: 0, changed: [{ allow: ['127.0.0.1:22'], allowReverse: ['*:0'] }] });
  t.ok(await isOpen(port), 'targets have nothing to do with ports');
});

t.test('invitations and imports carry the permission, and what is none is refused', async (t) => {
  const daemon = await TestDaemon.start(t);
  const port = await freeTcpPort();
  const { invitation, link } = await daemon.call('invite.create', { name: 'phone', allowReverse: [`*:${port}`] });
  t.same(invitation.allowReverse, [`*:${port}`]);
  const client = await daemon.client();
  const secret = new URL(link?.link as string).pathname.split('/').at(-1) as string;
  t.ok(secret);
  const { id } = await daemon.client();
  await daemon.call('whitelist.import', { items: [{ id, name: 'imported', allowReverse: ['[::1]:8080'] }] });
  const { entries } = await daemon.call('whitelist.list', {});
  t.match(entries, [{ name: 'imported', allowReverse: ['[::1]:8080'] }]);
  for (const text of ['web', '70000', '1:2:3'])
    await t.rejects(daemon.call('whitelist.add', { id: client.id, allowReverse: [text] }), {
      code: 'bad-params',
      message: /is not \[BIND:]PORT|is not a port/,
    });
  t.match(JSON.parse(readFileSync(join(daemon.directory, 'whitelist.json'), 'utf8')), {
    invitations: [{ allow_reverse: [`*:${port}`] }],
  });
});

t.test('a whitelist of an older version permits no port', async (t) => {
  const { key } = await (await TestDaemon.start(t)).client();
  const entry = { key: key.toUpperCase(), alias: 'old', allow: [], expires_at: null, note: '', added_at: 1 };
  const state = { 'whitelist.json': JSON.stringify({ version: 1, is_factor: true, entries: [entry] }) };
  const daemon = await TestDaemon.start(t, { state });
  t.match((await daemon.call('whitelist.list', {})).entries, [{ name: 'old', allowReverse: [] }]);
});
