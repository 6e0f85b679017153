/** Services of a daemon over fake stacks, asked by a real client of the control socket. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { settle, startEcho, TestDaemon } from './support/test-daemon.js';

const OPEN = { config: 'access:\n  open: true\n' };

t.test('a service is reached by name, and clients learn of it; it is stored, private', async (t) => {
  const daemon = await TestDaemon.start(t, OPEN);
  const port = await startEcho(t);
  const client = await daemon.client();
  const server = client.connect();
  t.match(await daemon.call('status', {}), { access: { targets: 'any' } });
  const { service, notes } = await daemon.call('services.add', { name: 'Echo', target: String(port) });
  t.match(service, { name: 'echo', target: { host: '127.0.0.1', port } });
  t.match(notes, [/services only/]);
  t.match(await daemon.call('status', {}), { access: { targets: 'services' } });
  t.same(await server.services(), [{ name: 'echo', port }]);
  const tunnel = await client.tunnel(server, 0, 'echo');
  t.match(await daemon.call('connections.list', {}), { connections: [{ target: { host: 'echo', port: 0 } }] });
  tunnel.stdin.end();
  const file = join(daemon.directory, 'services.json');
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.match(JSON.parse(readFileSync(file, 'utf8')), { services: [{ name: 'echo', target: `127.0.0.1:${port}` }] });
});

t.test('a service that is removed takes its tunnels with it, and the last one is a question', async (t) => {
  const daemon = await TestDaemon.start(t, OPEN);
  const port = await startEcho(t);
  await daemon.call('services.add', { name: 'echo', target: String(port) });
  await daemon.call('services.add', { name: 'web', target: '10.0.0.5:80' });
  const client = await daemon.client();
  const server = client.connect();
  const tunnel = await client.tunnel(server, 0, 'echo');
  t.match(await daemon.call('services.remove', { name: 'echo', dryRun: true }), { closedTunnels: 1 });
  t.match(await daemon.call('services.remove', { name: 'echo' }), { closedTunnels: 1 });
  await tunnel.over.catch(() => {});
  await settle();
  t.same(await server.services(), [{ name: 'web', port: 80 }], 'the client learns of it');
  await t.rejects(daemon.call('services.remove', { name: 'web' }), { code: 'needs-confirmation' });
  t.match(await daemon.call('services.remove', { name: 'web', confirmed: true }), { notes: [/every target/] });
});

t.test('a service that gets another target takes its tunnels with it, after a question', async (t) => {
  const daemon = await TestDaemon.start(t, OPEN);
  const [port, other] = [await startEcho(t), await startEcho(t)];
  const params = { name: 'echo', target: String(other), replace: true };
  await daemon.call('services.add', { ...params, target: String(port) });
  const client = await daemon.client();
  const tunnel = await client.tunnel(client.connect(), 0, 'echo');
  t.match(await daemon.call('services.add', { ...params, target: String(port) }), { closedTunnels: 0 }, 'the same');
  t.match(await daemon.call('services.add', { ...params, dryRun: true }), { closedTunnels: 1 });
  await t.rejects(daemon.call('services.add', params), { code: 'needs-confirmation', message: /gets another target/ });
  t.match(await daemon.call('services.add', { ...params, confirmed: true }), { closedTunnels: 1 });
  await tunnel.over.catch(() => {});
  await settle();
  t.match(await daemon.call('connections.list', {}), { connections: [] });
});

t.test('the first service is a question when it would close tunnels', async (t) => {
  const daemon = await TestDaemon.start(t, OPEN);
  const port = await startEcho(t);
  const client = await daemon.client();
  const tunnel = await client.tunnel(client.connect(), port);
  const params = { name: 'web', target: '80' };
  await t.rejects(daemon.call('services.add', params), { code: 'needs-confirmation', message: /close 1 tunnel/ });
  t.match(await daemon.call('services.list', {}), { services: [], only: false });
  t.match(await daemon.call('services.add', { ...params, confirmed: true }), { closedTunnels: 1 });
  await tunnel.over.catch(() => {});
});

t.test('a name is one service, and mistakes change nothing', async (t) => {
  const daemon = await TestDaemon.start(t, OPEN);
  await daemon.call('services.add', { name: 'web', target: '80' });
  await t.rejects(daemon.call('services.add', { name: 'WEB', target: '81' }), { code: 'exists', hint: /--replace/ });
  t.match(await daemon.call('services.add', { name: 'web', target: '81', replace: true }), {
    service: { target: { port: 81 } },
  });
  await t.rejects(daemon.call('services.add', { name: 'nfs', target: 'x' }), { code: 'bad-params' });
  await t.rejects(daemon.call('services.remove', { name: 'nfs' }), { code: 'not-found', hint: /services list/ });
  await t.rejects(daemon.call('services.remove', { name: 'wbe' }), { code: 'not-found', hint: 'did you mean "web"?' });
  daemon.disk.fault = 'ENOSPC';
  await t.rejects(daemon.call('services.add', { name: 'ssh', target: '22' }), { code: 'not-saved' });
  t.equal((await daemon.call('services.list', {})).services.length, 1);
});

t.test('an allow list with a service that there is not is stored, with a note', async (t) => {
  const daemon = await TestDaemon.start(t, OPEN);
  await daemon.call('services.add', { name: 'ssh', target: '22' });
  const { key } = await daemon.client();
  const allow = ['ssh', 'example.com', 'Example.com', '*:80'];
  const note =
    /^there is no service "example.com", .* expose example.com TARGET; a host needs its port, as in example.com:80$/;
  const of = (notes: readonly string[]): readonly string[] => notes.filter((text) => text.includes('no service'));
  const added = await daemon.call('whitelist.add', { id: key, name: 'laptop', allow });
  t.match(of(added.notes), [note]);
  t.equal(of(added.notes).length, 1, 'once for each name');
  t.match((await daemon.call('whitelist.edit', { client: 'laptop', allow })).notes, [note]);
  t.same((await daemon.call('whitelist.edit', { client: 'laptop', allow: ['ssh'] })).notes, []);
  t.match(of((await daemon.call('invite.create', { allow })).notes), [note]);
});

t.test('while the services cannot be read, clients reach nothing, and status says so', async (t) => {
  const daemon = await TestDaemon.start(t, { ...OPEN, state: { 'services.json': '{' } });
  t.match(await daemon.call('status', {}), { access: { targets: 'services' }, health: 'degraded' });
});
