/** The daemon of a machine that shares its forwards with users: they reach what the forwards lead to, and nothing else. */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { carry } from '../../src/agent/carry.js';
import { Conversation } from '../../src/agent/conversation.js';
import type { AgentRequest } from '../../src/agent/messages.js';
import { type AgentPlaces, SYSTEM_PLACES } from '../../src/agent/socket-file.js';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { sharedAgent } from '../../src/daemon/shared-agent.js';
import { FixedFactors } from '../../src/engine/access/access-factors.js';
import { AccessPolicy } from '../../src/engine/access/access-policy.js';
import type { SharedWith } from '../../src/engine/agent/agent-listener.js';
import { freeTcpPort } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { settle, startEcho, TestDaemon } from './support/test-daemon.js';

const ALL: SharedWith = { users: 'all' };

/** A daemon of a machine with a forward to an echo of a server; another port there is not forwarded. */
async function start(t: Test, sharedWith = ALL) {
  const runtime = join(temporaryDirectory(t), 'tuntox');
  mkdirSync(runtime, { mode: 0o755 });
  const path = join(runtime, 'agent.sock');
  const places: AgentPlaces = { ...SYSTEM_PLACES, inRuntime: path };
  const daemon = await TestDaemon.start(t, { agent: { places, sharedWith } });
  const { engine, id: toxId } = await daemon.server();
  const open = { secret: undefined, whitelist: [], isInsecureOpen: true };
  engine.serve(new AccessPolicy(new FixedFactors({ random: daemon.random }, open)));
  const target = { host: '127.0.0.1', port: await startEcho(t) };
  const local = await freeTcpPort();
  await daemon.call('forwards.add', { server: toxId, forward: `${local}:127.0.0.1:${target.port}` });
  const ask = async (request: AgentRequest): Promise<Conversation> => {
    const { conversation } = await Conversation.begin({ clock: systemClock }, places, request);
    t.teardown(() => conversation.close());
    return conversation;
  };
  const other = { host: '127.0.0.1', port: await startEcho(t) };
  return { daemon, places, path, local, target, other, host: { toxId }, ask };
}

t.test('a user reaches the target of a forward with the identity of the daemon', async (t) => {
  const { host, target, ask } = await start(t);
  const held = await ask({ ask: 'hold', host, targets: [target], onlyIfConnected: true });
  t.match(await held.next(), { event: 'held' });
  const conversation = await ask({ ask: 'open', host, target });
  await conversation.until('open', () => {});
  const [source, sink] = [new PassThrough(), new PassThrough()];
  const carried = carry(conversation, { source, sink });
  source.end('hello');
  t.equal(await text(sink), 'hello');
  await carried;
});

t.test('what no forward leads to is refused', async (t) => {
  const { daemon, host, target, other, ask } = await start(t);
  const { id } = await daemon.server();
  const refused: [AgentRequest, RegExp][] = [
    [{ ask: 'open', host, target: other }, /no forward to 127\.0\.0\.1:\d+ of this server.*tuntoxctl forward add/],
    [{ ask: 'open', host, target: { ...target, host: 'localhost' } }, /no forward to localhost/],
    [{ ask: 'open', host, target: { service: 'ssh' } }, /no forward to ssh of this server/],
    [{ ask: 'hold', host, targets: [target, other] }, /no forward to 127/],
    [{ ask: 'hold', host: { toxId: id } }, /no forward to this server/],
    [{ ask: 'leave', host }, /keeps its connections/],
    [{ ask: 'services', host }, /does not list the services/],
    [{ ask: 'ping', count: 1, host: { ...host, secret: 'guess' } }, /its own secret/],
    [{ ask: 'stop', when: 'now' }, /to stop it: sudo systemctl stop tuntox/],
  ];
  for (const [request, message] of refused) {
    const conversation = await ask(request);
    await t.rejects(conversation.next(), { code: 'not-allowed', message }, JSON.stringify(request));
  }
  const ping = await ask({ ask: 'ping', count: 1, host });
  t.match(await ping.until('pong', () => {}), { ms: Number });
});

t.test('the target of a forward at a Unix socket is not shared, nor those of a proxy', async (t) => {
  const { daemon, host, other, path, ask } = await start(t);
  const server = host.toxId;
  await daemon.call('forwards.add', { server, forward: `${path}.forward:127.0.0.1:${other.port}` });
  await daemon.call('forwards.add', { server, forward: String(await freeTcpPort()), kind: 'dynamic' });
  const conversation = await ask({ ask: 'open', host, target: other });
  await t.rejects(conversation.next(), { code: 'not-allowed', message: /no forward to 127/ });
});

t.test('a forward that is removed takes the tunnels of users with it, and no other', async (t) => {
  const { daemon, local, host, target, other, ask } = await start(t);
  await daemon.call('forwards.add', {
    server: host.toxId,
    forward: `${await freeTcpPort()}:127.0.0.1:${other.port}`,
  });
  const open = async (to: typeof target) => {
    const conversation = await ask({ ask: 'open', host, target: to });
    await conversation.until('open', () => {});
    const [source, sink] = [new PassThrough(), new PassThrough()];
    const carried = carry(conversation, { source, sink });
    source.write('hello');
    await new Promise((resolve) => sink.once('data', resolve));
    return { source, sink, carried };
  };
  const [first, second] = [await open(target), await open(other)];
  const held = await ask({ ask: 'hold', host, targets: [target] });
  await held.until('connected', () => {});
  const ended = [
    t.rejects(first.carried, { code: 'closed-by-owner' }),
    t.rejects(
      held.until('never', () => {}),
      { code: 'not-allowed' },
    ),
  ];
  t.equal(daemon.daemon.engine.tunnels.list().length, 2);
  await daemon.call('forwards.remove', { forward: String(local) });
  await Promise.all(ended);
  await settle();
  t.equal(daemon.daemon.engine.tunnels.list().length, 1);
  second.source.end('still there');
  t.equal(await text(second.sink), 'still there');
});

t.test('the mode of the socket says who may connect', async (t) => {
  const modeOf = ({ path }: { readonly path: string }): number => statSync(path).mode & 0o777;
  t.equal(modeOf(await start(t)), 0o666);
  t.equal(modeOf(await start(t, { users: 'group', id: process.getgid?.() ?? 0 })), 0o660);
});

t.test('a directory that others can change is not used, by neither side', async (t) => {
  const { daemon, path, places } = await start(t);
  chmodSync(join(path, '..'), 0o777);
  const request = { ask: 'status' } as const;
  const begun = Conversation.begin({ clock: systemClock }, places, request);
  await t.rejects(begun, { code: 'not-ours', message: /other users can write there/ });
  await daemon.stop();
  const again = await TestDaemon.start(t, { agent: { places, sharedWith: ALL } });
  t.match(again.said.join(''), /tuntox does not use the connections of this daemon: .*other users can write there/);
});

t.test('the setting says who may connect, and the log what is missing for them', async (t) => {
  const directory = temporaryDirectory(t);
  const places: AgentPlaces = { ...SYSTEM_PLACES, inRuntime: join(directory, 'agent.sock') };
  const said: string[] = [];
  const log = { ...silentLogger, warn: (line: string) => void said.push(line) };
  t.equal(sharedAgent(log, 'none', 5, places), undefined);
  t.same(sharedAgent(log, 'group', 5, places), { places, sharedWith: { users: 'group', id: 5 } });
  chmodSync(directory, 0o755);
  t.same(sharedAgent(log, 'all', undefined, places), { places, sharedWith: ALL });
  t.same(said, []);
  t.equal(sharedAgent(log, 'group', undefined, places), undefined);
  chmodSync(directory, 0o750);
  t.same(sharedAgent(log, 'all', undefined, places), { places, sharedWith: ALL });
  t.match(said, [/the control socket has no group/, /other users cannot enter .*RuntimeDirectoryMode=0755/]);
});
