/** Changes of access through the control socket, and what they do at once to connected clients. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { rfc3339, systemClock } from '../../src/base/clock.js';
import { hashSecret, NO_SECRET, secretFormat } from '../../src/engine/access/stored-secret.js';
import { ManualClock } from '../support/manual-clock.js';
import { SeededRandom } from '../support/seeded-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { settle, startEcho, type TestClient, TestDaemon } from './support/test-daemon.js';

const SECRET = 'a secret of some length';

/** A client with a tunnel to an echo service. */
async function clientWithTunnel(t: Test, daemon: TestDaemon, secret?: string) {
  return openTunnel(t, await daemon.client(), secret);
}

/** The same for one that is on the whitelist. @param options of its entry */
async function listedWithTunnel(t: Test, daemon: TestDaemon, options: object) {
  const client = await daemon.client();
  await list(daemon, client, options);
  return openTunnel(t, client);
}

async function openTunnel(t: Test, client: TestClient, secret?: string) {
  const server = client.connect(secret);
  const port = await startEcho(t);
  await server.ping();
  return { client, server, port, tunnel: await client.tunnel(server, port) };
}

async function list(daemon: TestDaemon, client: TestClient, options: object = {}) {
  return daemon.call('whitelist.add', { id: client.id, ...options });
}

t.test('a fresh daemon is closed and says what to do', async (t) => {
  const daemon = await TestDaemon.start(t);
  daemon.goOnline();
  const status = await daemon.call('status', {});
  t.match(status, { health: 'degraded', access: { closed: true, open: false } });
  t.same(
    status.warnings.map(({ code }) => code),
    ['closed'],
  );
  t.match(status.warnings[0]?.hint, /tuntoxctl whitelist add ID, or tuntoxctl secret rotate/);
  const stranger = await daemon.client();
  stranger.connect();
  await settle();
  t.same((await daemon.call('clients.list', {})).clients, []);
  t.match((await daemon.call('status', {})).refusals.last24Hours, { closed: 1 });
});

t.test('whitelist add lets a client in at once, and it reaches a service', async (t) => {
  const daemon = await TestDaemon.start(t);
  daemon.goOnline();
  const client = await daemon.client();
  const change = await list(daemon, client, { name: 'laptop', note: 'mine' });
  t.match(change.added, [{ publicKey: client.key, name: 'laptop', note: 'mine', expiresAt: null }]);
  t.match(change.notes, [/only clients on the whitelist are admitted/]);
  const server = client.connect();
  const port = await startEcho(t);
  await server.ping();
  await client.tunnel(server, port);
  const { connections } = await daemon.call('connections.list', { client: 'laptop' });
  t.match(connections, [
    {
      id: /^c-\d+$/,
      client: { publicKey: client.key, name: 'laptop' },
      target: { host: '127.0.0.1', port },
      state: 'open',
      path: { kind: 'direct', address: '192.0.2.1:33445' },
      bytesReceived: 5,
      bytesSent: 5,
    },
  ]);
  t.ok((connections[0]?.localPort ?? 0) > 0);
  const status = await daemon.call('status', {});
  t.match(status, { health: 'ok', warnings: [], sessions: { clients: 1, tunnels: 1, bytesReceived: 5, bytesSent: 5 } });
});

t.test('whitelist remove closes the tunnels of the client at once', async (t) => {
  const daemon = await TestDaemon.start(t);
  const { client, tunnel } = await listedWithTunnel(t, daemon, { name: 'laptop' });
  const dry = await daemon.call('whitelist.remove', { client: 'laptop', dryRun: true });
  t.equal(dry.closedTunnels, 1);
  t.equal((await daemon.call('connections.list', {})).connections.length, 1, 'a dry run changes nothing');
  const change = await daemon.call('whitelist.remove', { client: client.key.slice(0, 8) });
  t.match(change, { removed: [{ name: 'laptop' }], closedTunnels: 1, notes: [/now empty and stays on, so no client/] });
  t.match(await tunnel.over, { name: 'TunnelError' });
  t.same((await daemon.call('connections.list', {})).connections, []);
  t.match((await daemon.call('status', {})).access, { closed: true, whitelist: { enabled: true, entries: 0 } });
});

t.test('a client that also has the secret stays connected when its entry is removed, and a note says so', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'access:\n  require: any\n' });
  await daemon.call('secret.set', { secret: SECRET });
  const { client } = await clientWithTunnel(t, daemon, SECRET);
  await list(daemon, client, { name: 'laptop' });
  const change = await daemon.call('whitelist.remove', { client: 'laptop' });
  t.match(change, {
    closedTunnels: 0,
    notes: [/^laptop was admitted by the secret and stays connected; .*clients kick/],
  });
});

t.test('the tunnels of an entry are closed when it expires', async (t) => {
  const clock = new ManualClock();
  const daemon = await TestDaemon.start(t, { clock });
  const { tunnel } = await listedWithTunnel(t, daemon, { expiresAt: rfc3339(clock.unixTime() + 60) });
  clock.advance(60_000);
  t.match(await tunnel.over, { name: 'TunnelError' });
  t.match((await daemon.call('whitelist.list', {})).entries, [{ expired: true }]);
  t.match((await daemon.call('status', {})).access, { closed: true, whitelist: { entries: 1, expired: 1 } });
});

t.test('a whitelist that would disconnect clients asks first, and names them', async (t) => {
  const daemon = await TestDaemon.start(t);
  await daemon.call('secret.set', { secret: SECRET });
  const { client: admitted, tunnel } = await clientWithTunnel(t, daemon, SECRET);
  const other = await daemon.client();
  await t.rejects(list(daemon, other), {
    code: 'needs-confirmation',
    message: new RegExp(
      `have the secret and are not on the .*; it would disconnect ${admitted.key.slice(0, 8).toUpperCase()}`,
    ),
    hint: /use --adopt/,
  });
  t.equal((await daemon.call('whitelist.list', {})).enabled, false, 'and nothing has changed');
  const dry = await list(daemon, other, { dryRun: true });
  t.match(dry, {
    closedTunnels: 1,
    notes: [/^this would no longer admit .*; it would disconnect /, /needs both/, /from now on/],
  });
  await list(daemon, other, { confirmed: true });
  t.match(await tunnel.over, { name: 'TunnelError' });
});

t.test('--adopt also adds the connected clients, and they stay connected', async (t) => {
  const daemon = await TestDaemon.start(t);
  await daemon.call('secret.set', { secret: SECRET });
  const { client: admitted } = await clientWithTunnel(t, daemon, SECRET);
  const change = await list(daemon, await daemon.client(), { name: 'new', adopt: true });
  t.match(change, { added: [{ name: 'new' }, { publicKey: admitted.key, note: /adopted/ }], closedTunnels: 0 });
  t.equal((await daemon.call('connections.list', {})).connections.length, 1);
});

t.test('a new secret is shown once; sessions stay, or are dropped on request', async (t) => {
  const daemon = await TestDaemon.start(t);
  const first = await daemon.call('secret.rotate', {});
  t.match(first.secret, /^[a-z2-9]{32}$/);
  t.match(await daemon.call('secret.status', {}), { set: true, source: 'state', previousValidUntil: null });
  const { tunnel } = await clientWithTunnel(t, daemon, first.secret as string);
  const second = await daemon.call('secret.rotate', { graceMs: 60_000 });
  t.not(second.secret, first.secret);
  t.match(second, { closedTunnels: 0, notes: [/connected clients stay connected/] });
  t.equal((await daemon.call('secret.status', {})).previousValidUntil, second.previousValidUntil);
  t.ok((await daemon.client()).connect(first.secret as string).ping(), 'the previous one is valid for a while');
  t.equal((await daemon.call('connections.list', {})).connections.length, 1);
  const third = await daemon.call('secret.rotate', { dropSessions: true });
  t.equal(third.closedTunnels, 1);
  t.match(await tunnel.over, { name: 'TunnelError' });
  await settle();
  const all = [first, second, third].map(({ secret }) => secret as string);
  const kept = readFileSync(join(daemon.directory, 'secret.json'), 'utf8') + daemon.said.join('');
  for (const secret of all) t.notOk(kept.includes(secret), 'neither stored nor logged');
});

t.test('a proposed secret changes nothing until it is set', async (t) => {
  const daemon = await TestDaemon.start(t);
  const { secret } = await daemon.call('secret.rotate', { proposal: true });
  t.match(secret, /^[a-z2-9]{32}$/);
  t.equal((await daemon.call('secret.status', {})).set, false);
  await daemon.call('secret.set', { secret: secret as string });
  t.equal((await daemon.call('secret.status', {})).set, true);
  t.match(
    readFileSync(join(daemon.directory, 'secret.json'), 'utf8'),
    /"hmac_sha256": ?"/,
    'it is stored as one that the daemon generated',
  );
});

t.test('bad secrets are refused, and a dry run generates none', async (t) => {
  const daemon = await TestDaemon.start(t);
  const cases: readonly [object, RegExp][] = [
    [{ secret: 'ä'.repeat(461) }, /has 922 bytes/],
    [{ secret: 'a\0b' }, /zero byte/],
    [{ secret: SECRET, graceMs: 1_000, dropSessions: true }, /graceMs and dropSessions cannot be used together/],
    [{ secret: SECRET, graceMs: 1e18 }, /the grace period is too long/],
  ];
  for (const [params, message] of cases) {
    await t.rejects(daemon.call('secret.set', params as { secret: string }), { code: 'bad-params', message });
  }
  t.equal((await daemon.call('secret.rotate', { dryRun: true })).secret, null);
  t.match((await daemon.call('secret.set', { secret: 'short', dryRun: true })).notes, [
    /every client that has the secret/,
    /this secret is short/,
  ]);
  t.equal((await daemon.call('secret.status', {})).set, false);
  t.match(await daemon.call('secret.off', {}), { changed: false, notes: ['there is no secret to remove'] });
});

t.test('after a restart a secret that a person chose admits clients once a slow check is done', async (t) => {
  const current = await hashSecret(new SeededRandom(1), Buffer.from(SECRET), false);
  const kept = secretFormat.encode({ ...NO_SECRET, current, changedAt: 1 });
  const daemon = await TestDaemon.start(t, { state: { 'secret.json': JSON.stringify({ version: 1, ...kept }) } });
  const [client, wrong] = [await daemon.client(), await daemon.client()];
  wrong.connect('a wrong secret');
  t.ok((await client.connect(SECRET).ping()) >= 0);
  t.same(
    (await daemon.call('clients.list', {})).clients.map((one) => one.client.publicKey),
    [client.key],
  );
});

t.test('secret off admits no client without a whitelist', async (t) => {
  const daemon = await TestDaemon.start(t);
  await daemon.call('secret.set', { secret: SECRET });
  const { tunnel } = await clientWithTunnel(t, daemon, SECRET);
  await t.rejects(daemon.call('secret.off', {}), {
    code: 'needs-confirmation',
    message:
      /^this would no longer admit clients that have the secret and are not on the whitelist; it would disconnect /,
    hint: /so no client is admitted/,
  });
  t.match((await daemon.call('secret.off', { dryRun: true })).notes, [
    /^this would no longer admit clients that have the secret and are not on the whitelist; it would disconnect /,
    /so no client is admitted/,
  ]);
  t.match(await daemon.call('secret.off', { confirmed: true }), {
    closedTunnels: 1,
    notes: [/so no client is admitted/],
  });
  t.match(await tunnel.over, { name: 'TunnelError' });
});

t.test('a first secret that listed clients would need too asks first', async (t) => {
  const daemon = await TestDaemon.start(t);
  const { client } = await listedWithTunnel(t, daemon, { name: 'laptop' });
  for (const ask of [() => daemon.call('secret.rotate', {}), () => daemon.call('secret.set', { secret: SECRET })]) {
    await t.rejects(ask(), {
      code: 'needs-confirmation',
      message: 'this would no longer admit clients on the whitelist that do not have the secret',
      hint: /access.require to any/,
    });
  }
  t.equal((await daemon.call('secret.status', {})).set, false, 'and nothing has changed');
  t.match((await daemon.call('secret.rotate', { dryRun: true })).notes, [
    'this would no longer admit clients on the whitelist that do not have the secret',
    /need the secret too/,
    /stay connected/,
  ]);
  await daemon.call('secret.rotate', { confirmed: true });
  await daemon.call('secret.rotate', {});
  t.equal((await daemon.call('clients.list', {})).clients[0]?.client.publicKey, client.key, 'a connected client stays');
});

t.test('a first secret asks before it disconnects clients that access.open admitted', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'access:\n  open: true\n' });
  const { client, tunnel } = await clientWithTunnel(t, daemon);
  await t.rejects(daemon.call('secret.set', { secret: SECRET }), {
    code: 'needs-confirmation',
    message: `this would disconnect ${client.key.slice(0, 8).toUpperCase()}`,
  });
  t.equal((await daemon.call('secret.set', { secret: SECRET, confirmed: true })).closedTunnels, 1);
  t.match(await tunnel.over, { name: 'TunnelError' });
});

t.test('whitelist off asks before it disconnects listed clients without the secret', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'access:\n  require: any\n' });
  await daemon.call('secret.set', { secret: SECRET });
  await listedWithTunnel(t, daemon, { name: 'laptop' });
  await t.rejects(daemon.call('whitelist.off', {}), {
    code: 'needs-confirmation',
    message:
      /^this would remove one entry .*; this would no longer admit clients on the whitelist that do not have the secret$/,
  });
  t.match((await daemon.call('whitelist.off', { dryRun: true })).notes, [
    /^this would no longer admit clients on the whitelist that do not have the secret; it would disconnect laptop$/,
    /from now on every client that has the secret is admitted/,
  ]);
});

t.test('a reload asks before it disconnects clients; SIGHUP does not', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'access:\n  require: any\n' });
  await daemon.call('secret.set', { secret: SECRET });
  const { tunnel } = await clientWithTunnel(t, daemon, SECRET);
  const other = await daemon.client();
  await list(daemon, other, { name: 'other' });
  daemon.configure('');
  const message =
    /^this would no longer admit clients on the .* do not have the secret, or clients that have .*; it would disconnect [0-9A-F]{8}$/;
  await t.rejects(daemon.call('config.reload', {}), { code: 'needs-confirmation', message });
  t.match((await daemon.call('config.reload', { dryRun: true })).notes, [message], 'a dry run names them');
  t.match((await daemon.call('status', {})).access, { require: 'any' });
  daemon.daemon.reload();
  t.match((await daemon.call('status', {})).access, { require: 'all' });
  t.match(await tunnel.over, { name: 'TunnelError' });
});

t.test('another secret in access.secret_file ends sessions, after a question', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'secret');
  writeFileSync(file, 'the first secret', { mode: 0o600 });
  const config = `access:\n  secret_file: ${file}\n`;
  const daemon = await TestDaemon.start(t, { config });
  const { tunnel } = await clientWithTunnel(t, daemon, 'the first secret');
  writeFileSync(file, 'the second secret');
  await t.rejects(daemon.call('config.reload', {}), { code: 'needs-confirmation', message: /that have the secret/ });
  t.same((await daemon.call('config.reload', { confirmed: true })).changed, ['access.secret_file']);
  t.match(await tunnel.over, { name: 'TunnelError' });
});

t.test('whitelist off asks before it removes entries', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'access:\n  open: true\n' });
  const client = await daemon.client();
  await list(daemon, client);
  await t.rejects(daemon.call('whitelist.off', {}), {
    code: 'needs-confirmation',
    message: 'this would remove one entry from the whitelist',
    hint: /whitelist export FILE/,
  });
  t.match(await daemon.call('whitelist.off', { confirmed: true }), {
    removed: [{ publicKey: client.key }],
    notes: [/every client that knows the Tox ID is admitted \(access.open\)/],
  });
  t.match(await daemon.call('status', {}), {
    access: { open: true },
    warnings: [{}, { code: 'open', message: /OPEN/ }],
  });
  t.match((await daemon.call('whitelist.off', {})).notes, ['the whitelist is already off']);
});

t.test('the error says what is wrong with an ID, a name, a target or a time', async (t) => {
  const daemon = await TestDaemon.start(t);
  const client = await daemon.client();
  await list(daemon, client, { name: 'laptop' });
  const other = await daemon.client();
  const wrong = `${other.id.slice(0, 74)}${other.id.endsWith('00') ? '01' : '00'}`;
  const cases: readonly [object, string, RegExp][] = [
    [{ id: other.id.slice(1) }, 'bad-params', /76 hex digits and a public key 64, this one has 75/],
    [{ id: `${other.id.slice(0, -1)}x` }, 'bad-params', /character 76 of this one is "x"/],
    [{ id: wrong }, 'bad-params', /checksum/],
    [{ id: daemon.daemon.engine.id.toString() }, 'bad-params', /daemon's own/],
    [{ id: client.id }, 'exists', /already on the whitelist/],
    [{ id: other.id, name: 'laptop' }, 'exists', /already has the name "laptop"/],
    [{ id: other.id, name: 'laptop', dryRun: true }, 'exists', /already has the name "laptop"/],
    [{ id: other.id, allow: ['127.0.0.1'] }, 'bad-params', /not a rule/],
    [{ id: other.id, expiresAt: '2001-01-01T00:00:00Z' }, 'bad-params', /is in the past/],
    [{ id: other.id, expiresAt: '2099-02-31T00:00:00Z' }, 'bad-params', /there is no time 2099-02-31/],
    [{ id: other.id, expiresAt: 'tomorrow' }, 'bad-params', /RFC 3339/],
  ];
  for (const [params, code, message] of cases) {
    await t.rejects(daemon.call('whitelist.add', params as { id: string }), { code, message });
  }
  await t.rejects(daemon.call('whitelist.edit', { client: 'lpatop' }), {
    code: 'not-found',
    hint: 'did you mean "laptop"?',
  });
  await t.rejects(daemon.call('clients.show', { client: 'laptop' }), { code: 'away' });
  await t.rejects(daemon.call('ping', { client: 'nobody' }), { code: 'not-found' });
});

t.test('the log has the whole key of a refused client, by which the owner can add it', async (t) => {
  const daemon = await TestDaemon.start(t);
  await list(daemon, await daemon.client());
  const client = await daemon.client();
  client.connect();
  await settle();
  const key = /refused, it is not on the whitelist \(public key ([0-9A-F]{64})\)/.exec(daemon.said.join(''))?.[1] ?? '';
  t.equal(key.toLowerCase(), client.key);
  await t.rejects(daemon.call('whitelist.add', { id: key.slice(0, 8) }), {
    code: 'bad-params',
    message: /a Tox ID has 76 hex digits and a public key 64, this one has 8/,
    hint: /tuntoxctl clients pending has those of clients that were refused/,
  });
  await daemon.call('whitelist.add', { id: key });
  t.equal((await daemon.call('clients.list', {})).clients[0]?.client.publicKey, client.key);
});

t.test('the log names clients as their owner does, and says why one is disconnected', async (t) => {
  const clock = new ManualClock();
  const daemon = await TestDaemon.start(t, { clock });
  const client = await daemon.client();
  await list(daemon, client, { name: 'laptop', expiresAt: rfc3339(clock.unixTime() + 60) });
  client.connect();
  await settle();
  clock.advance(60_000);
  await settle();
  client.connect();
  await settle();
  const short = client.key.slice(0, 8).toUpperCase();
  const said = daemon.said.join('');
  t.match(said, new RegExp(`laptop ${short}: admitted by the whitelist`));
  t.match(said, new RegExp(`laptop ${short}: connected, `));
  t.match(said, new RegExp(`laptop ${short}: disconnected: its entry on the whitelist has expired`));
  t.match(said, new RegExp(`laptop ${short}: refused, its entry on the whitelist has expired \\(public key ${short}`));
});

t.test('a client that repeats a wrong secret counts as one refusal', async (t) => {
  const clock = new ManualClock();
  const daemon = await TestDaemon.start(t, { clock });
  await daemon.call('secret.set', { secret: SECRET });
  const client = await daemon.client();
  for (let time = 0; time < 3; time += 1) {
    client.connect('a wrong secret');
    await settle();
    clock.advance(60 * 60_000);
  }
  t.same((await daemon.call('status', {})).refusals.last24Hours, { 'wrong-secret': 1 });
});

t.test('with ifAbsent an existing entry stays as it is, and is no error', async (t) => {
  const daemon = await TestDaemon.start(t);
  const [client, other] = [await daemon.client(), await daemon.client()];
  await list(daemon, client, { name: 'laptop' });
  const same = await list(daemon, client, { name: 'another', ifAbsent: true });
  t.match(same, {
    added: [],
    changed: [],
    notes: ['the client is already on the whitelist; its entry stays as it is'],
  });
  const items = [{ id: client.id }, { id: other.id, name: 'other' }];
  await t.rejects(daemon.call('whitelist.import', { items }), { code: 'exists' });
  const change = await daemon.call('whitelist.import', { items, ifAbsent: true });
  t.match(change.added, [{ name: 'other' }]);
  t.same(
    (await daemon.call('whitelist.list', {})).entries.map(({ name }) => name),
    ['laptop', 'other'],
  );
});

t.test('removing a limited entry warns that the secret still admits the client without those limits', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'access:\n  require: any\n' });
  await daemon.call('secret.set', { secret: SECRET });
  await list(daemon, await daemon.client(), { name: 'laptop', allow: ['127.0.0.1:22'] });
  const { notes } = await daemon.call('whitelist.remove', { client: 'laptop' });
  t.match(notes, [/^the secret still admits laptop .* without the limits of its entry; .*: tuntoxctl secret rotate/]);
});

t.test('lifting a ban of a client that is not banned is an error', async (t) => {
  const daemon = await TestDaemon.start(t);
  await list(daemon, await daemon.client(), { name: 'ci' });
  await t.rejects(daemon.call('bans.clear', { client: 'ci' }), { code: 'not-found', message: 'ci is not banned' });
  await t.rejects(daemon.call('bans.clear', { client: 'cj' }), {
    code: 'not-found',
    message: 'there is no client "cj"',
  });
});

t.test('import adds all clients or none', async (t) => {
  const daemon = await TestDaemon.start(t);
  const [one, two] = [await daemon.client(), await daemon.client()];
  const items = [{ id: one.id, name: 'one' }, { id: two.key }];
  await t.rejects(daemon.call('whitelist.import', { items: [...items, { id: one.key }] }), {
    code: 'bad-params',
    message: /^entry 3: .* entry 1/,
  });
  t.equal((await daemon.call('whitelist.import', { items, dryRun: true })).added.length, 2);
  t.equal((await daemon.call('whitelist.list', {})).entries.length, 0);
  await daemon.call('whitelist.import', { items });
  t.equal((await daemon.call('whitelist.list', {})).entries.length, 2);
});

t.test('an imported client that came by an invitation needs nothing else, and disconnects nobody', async (t) => {
  const daemon = await TestDaemon.start(t);
  await daemon.call('secret.set', { secret: SECRET });
  const [invited, other] = [await daemon.client(), await daemon.client()];
  await other.connect(SECRET).ping();
  const change = await daemon.call('whitelist.import', { items: [{ id: invited.id, invited: true }] });
  t.match(change, { added: [{ invited: true }], closedTunnels: 0, notes: [] });
  t.equal((await daemon.call('whitelist.list', {})).enabled, false);
  t.type(await invited.connect().ping(), 'number');
  t.equal((await daemon.call('clients.list', {})).clients.length, 2);
});

t.test('an edited allow list applies at once, to open tunnels too', async (t) => {
  const daemon = await TestDaemon.start(t);
  const client = await daemon.client();
  await list(daemon, client, { name: 'laptop' });
  const server = client.connect();
  const port = await startEcho(t);
  await server.ping();
  const tunnel = await client.tunnel(server, port);
  const change = await daemon.call('whitelist.edit', { client: 'laptop', allow: ['127.0.0.1:1'], name: 'lap' });
  t.match(change, { changed: [{ name: 'lap', allow: ['127.0.0.1:1'] }], closedTunnels: 1 });
  t.match(await tunnel.over, { name: 'TunnelError' });
  await t.rejects(client.tunnel(server, port), { code: 'not-allowed' });
  t.match((await daemon.call('status', {})).refusals.last24Hours, { 'target-not-allowed': 1 });
  await daemon.call('whitelist.edit', { client: 'lap', allow: [], name: null, note: '' });
  await client.tunnel(server, port);
});

t.test('a client can be named by its loopback address', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'targets:\n  source: per-client\n' });
  const { client } = await listedWithTunnel(t, daemon, { name: 'laptop' });
  const { clients } = await daemon.call('clients.list', {});
  const address = clients[0]?.loopbackAddress ?? '';
  t.match(address, /^127\./);
  t.match(await daemon.call('clients.show', { client: address }), { client: { client: { publicKey: client.key } } });
  t.match(await daemon.call('connections.list', { client: address }), {
    connections: [{ client: { name: 'laptop' } }],
  });
  t.match(await daemon.call('whitelist.edit', { client: address, note: 'x' }), { changed: [{ name: 'laptop' }] });
  t.match(await daemon.call('clients.kick', { client: address, banForMs: 60_000 }), { client: { name: 'laptop' } });
  t.match(await daemon.call('bans.clear', { client: address }), { bans: [{ publicKey: client.key }] });
  await t.rejects(daemon.call('clients.show', { client: '127.64.0.1' }), {
    code: 'not-found',
    message: 'no client has the address 127.64.0.1',
  });
});

t.test('a damaged file of addresses is a warning where addresses are needed', async (t) => {
  const state = { 'client-addresses.json': '{"version":1}' };
  const codes = async (config: string): Promise<string[]> => {
    const daemon = await TestDaemon.start(t, { state, config });
    return (await daemon.call('status', {})).warnings.map(({ code }) => code);
  };
  t.ok((await codes('targets:\n  source: per-client\n')).includes('addresses'));
  t.notOk((await codes('')).includes('addresses'));
});

t.test('limits of an entry are shown, exported, and count at once for open tunnels', async (t) => {
  const daemon = await TestDaemon.start(t);
  const limits = { rate: 1024 * 1024, maxTunnels: 1 };
  const { client, server, port } = await listedWithTunnel(t, daemon, { name: 'laptop', ...limits });
  t.match(await daemon.call('clients.show', { client: 'laptop' }), limits);
  t.match(await daemon.call('whitelist.list', {}), { entries: [limits] });
  await t.rejects(client.tunnel(server, port), { code: 'too-many-tunnels' });
  await daemon.call('whitelist.edit', { client: 'laptop', maxTunnels: null });
  const second = await client.tunnel(server, port);
  const edit = { client: 'laptop', maxTunnels: 1 };
  t.match(await daemon.call('whitelist.edit', { ...edit, dryRun: true }), { closedTunnels: 1 });
  t.match(await daemon.call('whitelist.edit', edit), { changed: [limits], closedTunnels: 1 });
  t.match(await second.over, { code: 'too-many-tunnels' });
  const { changed } = await daemon.call('whitelist.edit', { client: 'laptop', rate: null, maxTunnels: null });
  t.match(changed, [{ rate: null, maxTunnels: null }]);
  await t.rejects(daemon.call('whitelist.edit', { client: 'laptop', rate: 5 }), { code: 'bad-params' });
});

t.test('rules and allow lists for addresses apply to the addresses of a name', async (t) => {
  const directory = temporaryDirectory(t);
  const rules = join(directory, 'rules');
  writeFileSync(rules, '*:0\n');
  const daemon = await TestDaemon.start(t, { directory, config: `targets:\n  rules_file: ${rules}\n` });
  daemon.goOnline();
  const { client, server, port } = await listedWithTunnel(t, daemon, { name: 'laptop' });
  await client.tunnel(server, port, 'localhost');
  writeFileSync(rules, '*:0\ndeny class:loopback:0\n');
  await daemon.call('config.reload', {});
  await t.rejects(client.tunnel(server, port, 'localhost'), { code: 'not-allowed' });
  writeFileSync(rules, '*:0\n');
  await daemon.call('config.reload', {});
  await daemon.call('whitelist.edit', { client: 'laptop', allow: ['*:0', 'deny class:loopback:0'] });
  await t.rejects(client.tunnel(server, port, 'localhost'), { code: 'not-allowed' });
});

t.test('rules and allow list decide together, and the answer has the deciding line', async (t) => {
  const daemon = await TestDaemon.start(t);
  const rules = join(daemon.directory, 'rules');
  writeFileSync(rules, '# ours\n127.0.0.1:22\n\n*:80\n');
  daemon.configure(`targets:\n  rules_file: ${rules}\n`);
  t.same((await daemon.call('config.reload', {})).changed, ['targets.rules_file']);
  t.match(await daemon.call('rules.list', {}), {
    file: rules,
    rules: [
      { line: 2, text: '127.0.0.1:22' },
      { line: 4, text: '*:80' },
    ],
  });
  const client = await daemon.client();
  await list(daemon, client, { name: 'laptop', allow: ['*:80'] });
  const check = async (target: string) => daemon.call('rules.check', { client: 'laptop', target });
  t.match(await check('example.org:80'), {
    allowed: true,
    decidedBy: `line 4 of ${rules}: *:80; and *:80 on the allow list of laptop`,
  });
  t.match(await check('127.0.0.1:22'), { allowed: false, decidedBy: 'the allow list of laptop has only *:80' });
  t.match(await check('127.0.0.1:23'), { allowed: false, decidedBy: `no line of ${rules} allows it` });
  t.match(await daemon.call('rules.check', { client: 'F'.repeat(64), target: '127.0.0.1:22' }), { allowed: true });
  await t.rejects(check('127.0.0.1'), { code: 'bad-params', message: /host:port/ });
});

t.test('with a full disk a change fails, and nothing has changed', async (t) => {
  const daemon = await TestDaemon.start(t);
  const client = await daemon.client();
  await list(daemon, client, { name: 'laptop' });
  const before = readFileSync(join(daemon.directory, 'whitelist.json'), 'utf8');
  for (const [code, reason] of [
    ['ENOSPC', /disk full/],
    ['EROFS', /read-only/],
  ] as const) {
    daemon.disk.fault = code;
    const error = { code: 'not-saved', message: reason, hint: /then try again/ };
    await t.rejects(daemon.call('whitelist.remove', { client: 'laptop' }), error);
    await t.rejects(daemon.call('secret.rotate', { confirmed: true }), error);
  }
  const codes = async () => (await daemon.call('status', {})).warnings.map(({ code }) => code);
  t.ok((await codes()).includes('not-saved'), 'status shows it');
  daemon.disk.fault = undefined;
  t.equal(readFileSync(join(daemon.directory, 'whitelist.json'), 'utf8'), before);
  t.equal((await daemon.call('whitelist.list', {})).entries.length, 1);
  t.equal((await daemon.call('secret.status', {})).set, false);
  await daemon.call('whitelist.remove', { client: 'laptop' });
  t.notOk((await codes()).includes('not-saved'), 'until a change is saved');
});

t.test(
  'with a read-only disk a client can be banned in memory, as the error says, and is admitted again later',
  async (t) => {
    const daemon = await TestDaemon.start(t);
    const { client, tunnel } = await listedWithTunnel(t, daemon, { name: 'laptop' });
    daemon.disk.fault = 'EROFS';
    await t.rejects(daemon.call('whitelist.remove', { client: 'laptop' }), {
      code: 'not-saved',
      hint: /make the directory writable.*; until then, this works without the disk: tuntoxctl clients kick laptop --for 1h$/,
    });
    await t.rejects(daemon.call('secret.rotate', { confirmed: true }), {
      code: 'not-saved',
      hint: /clients kick CLIENT --for 1h/,
    });
    await t.rejects(daemon.call('clients.kick', { client: 'laptop', banForMs: 1e15 }), { code: 'bad-params' });
    const dry = await daemon.call('clients.kick', { client: 'laptop', banForMs: 3_600_000, dryRun: true });
    t.same((await daemon.call('bans.list', {})).bans, [], 'a dry run changes nothing');
    const kicked = await daemon.call('clients.kick', { client: 'laptop', banForMs: 3_600_000 });
    for (const one of [dry, kicked]) {
      t.match(one, { client: { publicKey: client.key, name: 'laptop' }, wasConnected: true, closed: [{}], notes: [] });
      t.ok((one.bannedUntil ?? '') > rfc3339(systemClock.unixTime() + 3_590));
    }
    t.match(await tunnel.over, { name: 'TunnelError' });
    t.match((await daemon.call('bans.list', {})).bans, [
      { publicKey: client.key, reason: 'banned by clients kick', until: kicked.bannedUntil, persistent: false },
    ]);
    client.connect();
    await settle();
    t.same((await daemon.call('clients.list', {})).clients, [], 'it is refused');
    t.match((await daemon.call('status', {})).refusals, { last24Hours: { banned: 1 }, banned: 1 });
    t.equal((await daemon.call('bans.clear', { client: 'laptop' })).bans.length, 1);
    t.equal((await daemon.call('clients.list', {})).clients.length, 1, 'and is admitted as soon as it may be');
  },
);

t.test('a client that is away is banned by its name, and an unknown one by its whole key', async (t) => {
  const daemon = await TestDaemon.start(t);
  await daemon.call('secret.set', { secret: SECRET });
  const [client, stranger] = [await daemon.client(), await daemon.client()];
  const banForMs = 60_000;
  await t.rejects(daemon.call('clients.kick', { client: stranger.key.slice(0, 8), banForMs }), { code: 'not-found' });
  await t.rejects(daemon.call('clients.kick', { client: `${'f'.repeat(75)}x`, banForMs }), { code: 'bad-params' });
  const kicked = await daemon.call('clients.kick', { client: stranger.id, banForMs });
  t.match(kicked, {
    wasConnected: false,
    closed: [],
    notes: [/another key; to prevent that: tuntoxctl secret rotate$/],
  });
  t.match(await daemon.call('clients.kick', { client: stranger.key.slice(0, 8), banForMs: 120_000 }), {
    client: { publicKey: stranger.key },
  });
  t.equal((await daemon.call('bans.list', {})).bans.length, 1);
  stranger.connect(SECRET);
  t.ok((await client.connect(SECRET).ping()) >= 0);
  const { clients } = await daemon.call('clients.list', {});
  t.same(
    clients.map((one) => one.client.publicKey),
    [client.key],
  );
});

t.test('with unreadable state no client is admitted, and a warning says why', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'access:\n  open: true\n', state: { 'bans.json': '{' } });
  daemon.goOnline();
  const status = await daemon.call('status', {});
  t.match(status, { health: 'degraded', access: { closed: true } });
  t.match(status.warnings, [{ code: 'state', message: /bans\.json is damaged/, hint: 'then restart the daemon' }]);
  t.equal(daemon.said.join('').split('bans.json is damaged').length, 2, 'it is logged once');
  (await daemon.client()).connect();
  await settle();
  t.same((await daemon.call('clients.list', {})).clients, []);
  await t.rejects(daemon.call('bans.clear', { client: 'abcdef' }), { code: 'not-found' });
  const { notes } = await daemon.call('whitelist.add', { id: 'F'.repeat(64) });
  t.match(notes, [/only clients on the whitelist/, /^still no client is admitted: .*bans\.json is damaged/]);
});

t.test('a list that could not be read is an error, and not empty', async (t) => {
  const state = {
    'whitelist.json': '{',
    'secret.json': '{',
    'bans.json': '{',
    'services.json': '{',
    'forwards.json': '{',
  };
  const daemon = await TestDaemon.start(t, { state });
  for (const [method, file] of [
    ['whitelist.list', 'whitelist'],
    ['invite.list', 'whitelist'],
    ['secret.status', 'secret'],
    ['bans.list', 'bans'],
    ['services.list', 'services'],
    ['forwards.list', 'forwards'],
  ] as const) {
    const message = new RegExp(`${file}\\.json is damaged`);
    await t.rejects(daemon.call(method, {}), { code: 'failed', message, hint: 'then restart the daemon' }, method);
  }
});

t.test('a client that is added twice is called by the name that it has', async (t) => {
  const daemon = await TestDaemon.start(t);
  const id = 'F'.repeat(64);
  await daemon.call('whitelist.add', { id, name: 'laptop', confirmed: true });
  await t.rejects(daemon.call('whitelist.add', { id, name: 'phone' }), {
    code: 'exists',
    message: 'laptop is already on the whitelist',
  });
});

t.test('clients kick and connections close end what they name', async (t) => {
  const daemon = await TestDaemon.start(t);
  const client = await daemon.client();
  await list(daemon, client, { name: 'laptop' });
  const server = client.connect();
  const port = await startEcho(t);
  await server.ping();
  const tunnels = [await client.tunnel(server, port), await client.tunnel(server, port)] as const;
  const [first] = (await daemon.call('connections.list', {})).connections;
  await t.rejects(daemon.call('connections.close', {}), { code: 'bad-params' });
  await t.rejects(daemon.call('connections.close', { connection: 'c-99' }), { code: 'not-found' });
  const closed = await daemon.call('connections.close', { connection: first?.id as string });
  t.match(closed.closed, [{ id: first?.id }]);
  t.match(await tunnels[0].over, { name: 'TunnelError' });
  t.equal((await daemon.call('connections.list', {})).connections.filter(({ state }) => state === 'open').length, 1);
  t.match(await daemon.call('ping', { client: 'laptop' }), { client: { name: 'laptop' } });
  t.match(await daemon.call('clients.show', { client: 'laptop' }), {
    client: { online: true, admittedBy: 'whitelist', tunnels: 1 },
    allow: [],
    connections: [{ state: 'open' }],
  });
  const kicked = await daemon.call('clients.kick', { client: 'laptop' });
  t.match(kicked, { wasConnected: true, closed: [{ target: { port } }], bannedUntil: null, notes: [] });
  t.match(await tunnels[1].over, { name: 'TunnelError' });
});

t.test('a tunnel whose target does not answer is shown as connecting, and can be closed', async (t) => {
  const daemon = await TestDaemon.start(t);
  const client = await daemon.client();
  await list(daemon, client);
  const server = client.connect();
  await server.ping();
  // An address for documentation: no host has it.
  const opening = client.tunnel(server, 9, '192.0.2.77').catch((error: unknown) => error);
  await sleep(100);
  const { connections } = await daemon.call('connections.list', {});
  if (connections.length === 0) t.comment('this machine reports at once that there is no route');
  else {
    t.match(connections, [{ state: 'connecting', localPort: null }]);
    await daemon.call('connections.close', { connection: connections[0]?.id as string });
    t.same((await daemon.call('connections.list', {})).connections, []);
  }
  t.match(await opening, { name: 'TunnelError' });
});
