/** Settings, log, metrics and health of a running daemon. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { StreamEvent } from '../../src/control/protocol.js';
import { freeTcpPort } from '../support/processes.js';
import { settle, startEcho, TestDaemon } from './support/test-daemon.js';

const get = async (port: number, path: string, method = 'GET') => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
};

t.test('config show lists each setting and its source; config check lists errors and applies nothing', async (t) => {
  const daemon = await TestDaemon.start(t, { environment: { TUNTOX_NETWORK_PROXY: 'socks5://u:canary@127.0.0.1:9' } });
  const { settings, file } = await daemon.call('config.show', {});
  t.match(file, /tuntox\.yaml$/);
  const setting = (key: string) => settings.find((one) => one.key === key);
  t.match(setting('state_dir'), { value: daemon.directory, source: 'file' });
  t.match(setting('network.proxy'), { value: '[set]', source: 'environment' });
  t.match(setting('log.level'), { value: 'info', source: 'default' });
  t.equal((await daemon.call('net', {})).proxy, 'socks5://127.0.0.1:9', 'without the password');
  daemon.configure('log:\n  level: loud\n  fromat: json\n');
  t.match(await daemon.call('config.check', {}), {
    valid: false,
    errors: [/line 6: .*"log\.fromat".*log\.format/, /line 5/],
  });
  t.equal((await daemon.call('status', {})).daemon.logLevel, 'info');
});

t.test('a warning lasts from a change of the file to its reload, and a dry run applies nothing', async (t) => {
  const daemon = await TestDaemon.start(t);
  const codes = async () => (await daemon.call('status', {})).warnings.map(({ code }) => code);
  t.notOk((await codes()).includes('stale'));
  daemon.configure('log:\n  level: debug\nuser: nobody\n');
  t.ok((await codes()).includes('stale'));
  const dry = await daemon.call('config.reload', { dryRun: true });
  t.match(dry, { changed: ['log.level'], needsRestart: ['user'] });
  t.equal((await daemon.call('status', {})).daemon.logLevel, 'info');
  t.same(await daemon.call('config.reload', {}), dry);
  t.equal((await daemon.call('status', {})).daemon.logLevel, 'debug');
  t.notOk((await codes()).includes('stale'));
  t.ok((await codes()).includes('restart'));
});

t.test('without bootstrap nodes a warning says what that means', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'network:\n  bootstrap: []\n' });
  const { settings } = await daemon.call('config.show', {});
  t.match(
    settings.find(({ key }) => key === 'network.bootstrap'),
    { value: [], source: 'file' },
  );
  const { warnings } = await daemon.call('status', {});
  t.match(warnings.find(({ code }) => code === 'connecting')?.message, /no bootstrap nodes are configured/);
  daemon.configure('network:\n  bootstrap: auto\n');
  t.match(await daemon.call('config.reload', {}), { changed: [], needsRestart: ['network.bootstrap'] });
  const after = (await daemon.call('status', {})).warnings.find(({ code }) => code === 'connecting');
  t.match(after?.message, /no bootstrap nodes are configured/, 'until a restart');
});

t.test('a reload with a bad rules file or secret changes nothing', async (t) => {
  const daemon = await TestDaemon.start(t);
  const rules = join(daemon.directory, 'rules');
  writeFileSync(rules, '127.0.0.1:1\n');
  daemon.configure(`targets:\n  rules_file: ${rules}\n`);
  await daemon.call('config.reload', {});
  writeFileSync(rules, 'nonsense\n');
  daemon.configure(`targets:\n  rules_file: ${rules}\nlog:\n  level: debug\n`);
  await t.rejects(daemon.call('config.reload', {}), {
    code: 'failed',
    message: /the settings were not reloaded: .*rules, line 1/,
  });
  t.equal((await daemon.call('rules.list', {})).rules.length, 1);
  t.equal((await daemon.call('status', {})).daemon.logLevel, 'info');
  const files = { nodes: join(daemon.directory, 'nodes'), secret: join(daemon.directory, 'nothing') };
  daemon.configure(
    `targets:\n  rules_file: ${rules}\naccess:\n  secret_file: ${files.secret}\nnetwork:\n  nodes_file: ${files.nodes}\n`,
  );
  t.match(await daemon.call('config.check', {}), {
    valid: false,
    errors: [
      /^access\.secret_file: .*nothing/,
      /^targets\.rules_file: .*rules, line 1/,
      /^network\.nodes_file: .*nodes/,
    ],
  });
  await t.rejects(daemon.call('config.reload', { dryRun: true }), {
    code: 'failed',
    message: /could not be reloaded: access\.secret_file: .*and 1 more/,
  });
  t.notOk((await daemon.call('status', {})).warnings.some(({ message }) => /could not be reloaded/.test(message)));
  daemon.configure(`access:\n  secret_file: ${daemon.directory}/nothing\nlog:\n  level: debug\n`);
  await t.rejects(daemon.call('config.reload', {}), { code: 'failed', message: /nothing: there is no such file/ });
  t.match((await daemon.call('status', {})).warnings.find(({ code }) => code === 'reload')?.message, /no such file/);
  writeFileSync(rules, '127.0.0.1:2\n');
  daemon.configure(`targets:\n  rules_file: ${rules}\n`);
  t.same((await daemon.call('config.reload', {})).changed, ['targets.rules_file'], 'by its contents');
});

t.test('a configured secret replaces the stored one, which cannot be changed then', async (t) => {
  const daemon = await TestDaemon.start(t);
  await daemon.call('secret.set', { secret: 'the stored secret' });
  const file = join(daemon.directory, 'secret');
  writeFileSync(file, 'of the configuration\n', { mode: 0o600 });
  daemon.configure(`access:\n  secret_file: ${file}\n`);
  await daemon.call('config.reload', {});
  t.match(await daemon.call('secret.status', {}), { set: true, source: 'configuration' });
  for (const request of [daemon.call('secret.rotate', {}), daemon.call('secret.off', {})]) {
    await t.rejects(request, { code: 'failed', message: /access\.secret_file/, hint: /reload/ });
  }
  const [good, bad] = [await daemon.client(), await daemon.client()];
  bad.connect('the stored secret');
  t.ok((await good.connect('of the configuration').ping()) >= 0);
  t.same(
    (await daemon.call('clients.list', {})).clients.map(({ client }) => client.publicKey),
    [good.key],
  );
});

t.test('without its secret file the daemon admits no client, and it takes a systemd credential', async (t) => {
  const missing = await TestDaemon.start(t, { config: 'access:\n  secret_file: /nowhere/secret\n  open: true\n' });
  t.match(await missing.call('status', {}), {
    access: { closed: true },
    warnings: [{ code: 'state', message: /nowhere/ }, {}],
  });
  const daemon = await TestDaemon.start(t, {
    state: { 'tuntox.secret': 'by systemd' },
    environment: { CREDENTIALS_DIRECTORY: '' },
  });
  t.equal((await daemon.call('secret.status', {})).source, 'none');
  const environment = { CREDENTIALS_DIRECTORY: daemon.directory };
  const other = await TestDaemon.start(t, { environment });
  t.match(await other.call('secret.status', {}), { set: true, source: 'credential' });
});

t.test('log tail sends past lines, then new ones until it is cancelled; the level changes at once', async (t) => {
  const daemon = await TestDaemon.start(t);
  const lines: StreamEvent<'log.tail'>[] = [];
  const stop = new AbortController();
  const tail = daemon.control.stream(
    'log.tail',
    { lines: 1, follow: true },
    { onEvent: (line) => void lines.push(line), signal: stop.signal },
  );
  t.match(await daemon.call('log.level', { level: 'debug', dryRun: true }), { before: 'info', now: 'debug' });
  t.match(await daemon.call('log.level', { level: 'debug' }), { before: 'info', now: 'debug' });
  await daemon.client().then((client) => client.connect());
  await settle();
  stop.abort();
  await tail;
  t.match(lines[0], { level: 'warn', message: /not yet connected to the Tox network/ });
  t.match(lines.at(-1), { level: 'warn', message: /refused, this server admits no clients/ });
  t.ok(lines.some(({ message }) => message === 'log level changed to debug'));
  const past: string[] = [];
  await daemon.control.stream('log.tail', { lines: 2 }, { onEvent: ({ message }) => void past.push(message) });
  t.equal(past.length, 2);
});

t.test('a client that is refused often leaves room in the log, and its refusals are counted exactly', async (t) => {
  const daemon = await TestDaemon.start(t);
  daemon.goOnline();
  const rules = join(daemon.directory, 'rules');
  writeFileSync(rules, '127.0.0.1:1\n');
  daemon.configure(`targets:\n  rules_file: ${rules}\n`);
  await daemon.call('config.reload', {});
  const client = await daemon.client();
  await daemon.call('whitelist.add', { id: client.id, name: 'laptop' });
  await client.connect().ping();
  const opener = client.engine.tunnels.opener(daemon.daemon.engine.id.publicKey.hex);
  const refused = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const onAccepted = (): never => {
        reject(new Error('it was let through'));
        throw new Error('it was let through');
      };
      opener.open({ host: '127.0.0.1', port: 2 }, { onAccepted, onRefused: () => resolve() });
    });
  for (let round = 0; round < 6; round += 1) await Promise.all(Array.from({ length: 500 }, refused));
  const lines: string[] = [];
  await daemon.control.stream('log.tail', { lines: 1_000 }, { onEvent: ({ message }) => void lines.push(message) });
  // A few more where this machine needs seconds for them.
  const about = lines.filter((line) => line.includes('127.0.0.1:2 refused')).length;
  t.ok(about >= 200 && about < 300, `${about} lines about 3,000 requests`);
  t.ok(lines.includes(`whitelist: laptop ${client.key.slice(0, 8).toUpperCase()} added`));
  t.match((await daemon.call('status', {})).refusals.last24Hours, { 'target-not-allowed': 3_000 });
  t.match((await daemon.call('metrics', {})).text, /^tuntox_refusals_total\{reason="target-not-allowed"\} 3000$/m);
});

t.test('connections.watch sends a list each interval', async (t) => {
  const daemon = await TestDaemon.start(t);
  const stop = new AbortController();
  let lists = 0;
  await daemon.control.stream(
    'connections.watch',
    { intervalMs: 200 },
    {
      onEvent: () => {
        lists += 1;
        if (lists === 3) stop.abort();
      },
      signal: stop.signal,
    },
  );
  t.equal(lists, 3);
  await t.rejects(daemon.control.stream('connections.watch', { client: 'nobody' }, { onEvent: () => {} }), {
    code: 'not-found',
  });
});

t.test('clients.watch sends the list of the clients at once and each interval', async (t) => {
  const daemon = await TestDaemon.start(t);
  const client = await daemon.client();
  await daemon.call('whitelist.add', { id: client.id, name: 'laptop' });
  const server = client.connect();
  await server.ping();
  const stop = new AbortController();
  const lists: unknown[] = [];
  await daemon.control.stream(
    'clients.watch',
    { intervalMs: 200 },
    {
      onEvent: ({ clients }) => {
        lists.push(clients);
        if (lists.length === 2) stop.abort();
      },
      signal: stop.signal,
    },
  );
  t.match(lists, [[{ client: { name: 'laptop' }, online: true }], [{ client: { name: 'laptop' } }]]);
});

async function withTraffic(t: Test, config: string): Promise<TestDaemon> {
  const daemon = await TestDaemon.start(t, { config });
  daemon.stack.networkFacts = { ...daemon.stack.networkFacts, dropped: { onion: 3, netCrypto: 4 }, lossyDropped: 5 };
  daemon.goOnline();
  const client = await daemon.client();
  await daemon.call('whitelist.add', { id: client.id });
  const server = client.connect();
  await server.ping();
  await client.tunnel(server, await startEcho(t));
  return daemon;
}

t.test('metrics are OpenMetrics, over the socket and over HTTP; health is a page', async (t) => {
  const port = await freeTcpPort();
  const daemon = await withTraffic(t, `http:\n  listen: 127.0.0.1:${port}\n`);
  const { text } = await daemon.call('metrics', {});
  t.ok(text.endsWith('# EOF\n'));
  for (const line of [
    'tuntox_build_info{version="1.2.3"} 1',
    'tuntox_healthy 1',
    'tuntox_online 1',
    'tuntox_dropped_packets_total{layer="onion"} 3',
    'tuntox_dropped_packets_total{layer="net_crypto"} 4',
    'tuntox_dropped_datagram_packets_total 5',
    'tuntox_clients{path="direct"} 1',
    'tuntox_tunnels 1',
    'tuntox_tunnels_opened_total 1',
    'tuntox_received_bytes_total 5',
    'tuntox_sent_bytes_total 5',
    'tuntox_whitelist_entries 1',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  for (const name of ['resident_memory_bytes', 'open_fds', 'max_fds', 'start_time_seconds', 'cpu_seconds_total']) {
    t.match(text, new RegExp(`^process_${name} [0-9.e+]+$`, 'm'), name);
  }
  const page = await get(port, '/metrics');
  t.match(page, { status: 200, type: 'application/openmetrics-text; version=1.0.0; charset=utf-8' });
  t.ok(page.text.endsWith('# EOF\n'));
  t.match(await get(port, '/healthz'), { status: 200, text: 'ok\n' });
  t.match(await get(port, '/readyz'), { status: 200, text: 'running\n' });
  t.match(await get(port, '/other'), { status: 404 });
  t.match(await get(port, '/metrics', 'POST'), { status: 405 });
  daemon.stack.setOnline(false);
  t.match(await get(port, '/healthz'), { status: 503, text: /^degraded\noffline: no node/ });
  t.match(await get(port, '/readyz'), { status: 200 });
});

t.test('a reload moves the HTTP pages, and a port in use is a warning', async (t) => {
  const [first, second] = [await freeTcpPort(), await freeTcpPort()];
  const daemon = await TestDaemon.start(t, { config: `http:\n  listen: 127.0.0.1:${first}\n` });
  t.equal((await get(first, '/readyz')).status, 200);
  daemon.configure(`http:\n  listen: 127.0.0.1:${second}\n`);
  await daemon.call('config.reload', {});
  t.equal((await get(second, '/readyz')).status, 200);
  await t.rejects(get(first, '/readyz'));
  const taken = await startEcho(t);
  daemon.configure(`http:\n  listen: 127.0.0.1:${taken}\n`);
  await daemon.call('config.reload', {});
  await settle();
  t.match(
    (await daemon.call('status', {})).warnings.find(({ code }) => code === 'http')?.message,
    /another program uses this address/,
  );
  daemon.configure('');
  await daemon.call('config.reload', {});
  t.notOk((await daemon.call('status', {})).warnings.some(({ code }) => code === 'http'));
});

t.test('net reports the state of the stack', async (t) => {
  const daemon = await TestDaemon.start(t);
  t.match(await daemon.call('net', {}), { state: 'connecting', udp: 'unknown', portMapping: null, relayPort: null });
  daemon.goOnline();
  daemon.stack.networkFacts = {
    ...daemon.stack.networkFacts,
    ipv4: { kind: 'same-port', endpoint: '192.0.2.4:33445' },
    mapping: { outside: '192.0.2.4:33445', by: 'PCP' },
    relays: [{ publicKey: 'AB'.repeat(32), endpoint: '192.0.2.9:443' }],
    relayPort: 33445,
    relayClients: 2,
    relayedBytes: 1_000,
  };
  t.match(await daemon.call('net', {}), {
    state: 'online',
    udp: 'works',
    udpPort: 33445,
    relayPort: 33445,
    relayClients: 2,
    bytesRelayed: 1_000,
    seenAt: ['192.0.2.4:33445'],
    portMapping: { external: '192.0.2.4:33445', protocol: 'PCP' },
    relays: [{ publicKey: 'ab'.repeat(32), address: '192.0.2.9:443' }],
  });
  daemon.stack.setOnline(false);
  t.equal((await daemon.call('net', {})).state, 'offline');
});

t.test('bans are listed and lifted, and adding a banned client warns of its ban', async (t) => {
  const key = 'AB'.repeat(32);
  const bans = { version: 1, bans: [{ key, reason: 'guessed', since: 5, until: null }] };
  const daemon = await TestDaemon.start(t, { state: { 'bans.json': JSON.stringify(bans) } });
  t.match((await daemon.call('whitelist.add', { id: key, name: 'bad' })).notes, [
    /from now on/,
    /bad is banned.*bans clear/,
  ]);
  t.match(await daemon.call('bans.list', {}), {
    bans: [{ publicKey: key.toLowerCase(), reason: 'guessed', until: null }],
  });
  t.equal((await daemon.call('bans.clear', { client: 'bad', dryRun: true })).bans.length, 1);
  t.equal((await daemon.call('status', {})).refusals.banned, 1);
  t.equal((await daemon.call('bans.clear', {})).bans.length, 1);
  t.same((await daemon.call('bans.list', {})).bans, []);
});
