import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import { FixedFactors } from '../../src/engine/access/access-factors.js';
import { AccessPolicy } from '../../src/engine/access/access-policy.js';
import { noTarget, onlyBy, parseRules } from '../../src/engine/access/target-rules.js';
import { Identity } from '../../src/engine/state/identity.js';
import { decodeSavedata } from '../../src/tox/savedata.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import type { FakeFriend, FakeStack } from './support/fake-stacks.js';
import { NAMES } from './support/names.js';
import { absentId, type Peer, random, SECRET, settle, startPeer, startServer, startService } from './support/peers.js';

t.test('a client with the secret is admitted, and reaches a service through standard streams', async (t) => {
  const network = new Map<string, FakeStack>();
  const server = await startServer(t, network, { secret: SECRET });
  const client = await startPeer(network);
  t.teardown(() => client.engine.stop());
  const remote = client.engine.connect(server.engine.id, SECRET);
  t.ok((await remote.ping()) >= 0);
  t.match(client.said, [/^connecting to/, /^connected to .* s, direct to 192\.0\.2\.1:33445$/]);

  const port = await startService(t);
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  const piped = remote.pipe({ host: '127.0.0.1', port }, streams);
  streams.stdin.write('hello');
  for await (const bytes of streams.stdout) {
    t.equal(bytes.toString(), 'HELLO');
    break;
  }
  await server.engine.stop();
  await t.rejects(piped, { name: 'TunnelError' });
});

t.test('a client with a wrong secret is refused, and is admitted at once with the right one', async (t) => {
  const network = new Map<string, FakeStack>();
  const directory = temporaryDirectory(t);
  const server = await startServer(t, network, { secret: SECRET });
  for (const [secret, isIn] of [
    [Buffer.from('canary guess'), false],
    [undefined, false],
    [SECRET, true],
  ] as const) {
    const client = await startPeer(network, { place: { kind: 'directory', path: directory } });
    client.engine.connect(server.engine.id, secret);
    await settle();
    t.equal(server.tox.friends.has(client.tox.id.publicKey.hex), isIn, String(secret));
    await client.engine.stop();
  }
  t.match(server.said, [/refused, it sent a wrong secret/, /refused, it sent no secret/, /admitted by the secret/]);
  t.notMatch(server.said.join(), 'canary');
});

t.test('neither a flood of strangers nor a client that repeats its request fills the log', async (t) => {
  const network = new Map<string, FakeStack>();
  const clock = new ManualClock();
  const server = await startServer(t, network, { whitelist: [absentId().publicKey] }, { clock });
  const stranger = await startPeer(network);
  for (let count = 0; count < 5; count += 1) stranger.tox.addFriend(server.engine.id, Buffer.from('hi'));
  await settle();
  t.equal(server.warned.length, 1);
  await stranger.engine.stop();
  for (let count = 0; count < 100; count += 1) {
    (await startPeer(network, { clock: new ManualClock() })).tox.addFriend(server.engine.id, Buffer.from('hi'));
  }
  await settle();
  t.equal(server.tox.friends.size, 0);
  t.equal(server.warned.length, 20, 'lines about 101 strangers');
  clock.advance(60_000);
  t.match(server.warned.slice(20), [
    /^no node of the Tox network has answered yet/,
    /^strangers: in the last minute also 81 keys refused$/,
  ]);
});

t.test('the log sums up a client that reconnects all the time, and no other client', async (t) => {
  const network = new Map<string, FakeStack>();
  const clock = new ManualClock();
  const server = await startServer(t, network, { isInsecureOpen: true }, { clock });
  const [restless, calm] = [await startPeer(network), await startPeer(network)];
  for (const client of [restless, calm]) {
    t.teardown(() => client.engine.stop());
    client.engine.connect(server.engine.id, undefined);
  }
  await settle();
  const friendOf = ({ tox }: Peer) => server.tox.friends.get(tox.id.publicKey.hex) as FakeFriend;
  const news = () =>
    server.said.splice(0).filter((line) => /^[0-9A-F]{8}: (connected|disconnected|in the last)/.test(line));
  t.equal(news().length, 2);
  for (let count = 0; count < 500; count += 1) {
    friendOf(restless).setOnline(false);
    friendOf(restless).setOnline(true);
  }
  server.said.splice(0);
  friendOf(calm).setOnline(false);
  t.match(news(), [`${calm.tox.id.publicKey.short}: disconnected`]);
  clock.advance(60_000);
  t.match(news(), [/^[0-9A-F]{8}: in the last minute also 401 sessions begun, 400 sessions ended$/]);
});

t.test('a server that reconnects all the time does not fill the log of its client', async (t) => {
  const { clock, friend, warned } = await startClient(t, { timeout: undefined, maxRetries: 0 });
  for (let count = 0; count < 500; count += 1) {
    friend.setOnline(true);
    friend.setOnline(false);
  }
  t.equal(warned.filter((line) => line.startsWith('lost')).length, 100);
  clock.advance(60_000);
  t.ok(
    warned.some((line) => /^E776E9A9: in the last minute also 400 connections made, 400 connections lost$/.test(line)),
  );
});

t.test('a client with the secret and ever new keys does not fill the log', async (t) => {
  const network = new Map<string, FakeStack>();
  const clock = new ManualClock();
  const server = await startServer(t, network, { isInsecureOpen: true }, { clock });
  for (let count = 0; count < 300; count += 1) {
    (await startPeer(network, { clock })).tox.addFriend(server.engine.id, Buffer.from('hi'));
  }
  await settle();
  t.equal(server.tox.friends.size, 300);
  clock.advance(60_000);
  const sums = server.said.filter((line) => line.includes('also'));
  t.match(sums, [/^new clients: in the last minute also 100 clients admitted$/]);
});

t.test('a target that the rules do not allow is refused by name', async (t) => {
  const network = new Map<string, FakeStack>();
  const mayReach = onlyBy(parseRules('127.0.0.1:1\n', 'rules'), 'rules');
  const server = await startServer(t, network, { isInsecureOpen: true }, { mayReach });
  const client = await startPeer(network);
  t.teardown(() => client.engine.stop());
  const remote = client.engine.connect(server.engine.id, undefined);
  const pipe = (port: number): Promise<void> =>
    remote.pipe({ host: '127.0.0.1', port }, { stdin: new PassThrough(), stdout: new PassThrough() });
  await t.rejects(pipe(22), { code: 'not-allowed' });
  await t.rejects(pipe(1), { code: 'connection-refused' });
});

t.test('a server opens no tunnels through its client', async (t) => {
  t.match(noTarget('peer', { host: '127.0.0.1', port: 22 }), { allowed: false });
});

t.test('the engine asks the bootstrap nodes again until the network answers, and after it was lost', async (t) => {
  const clock = new ManualClock();
  const { engine, tox } = await startPeer(new Map(), { clock });
  t.equal(tox.bootstraps.length, 1, 'at once');
  clock.advance(10_000);
  const asked = tox.bootstraps.length;
  t.ok(asked >= 3, `${asked} times in 10 s`);
  tox.setOnline(true);
  clock.advance(3_600_000);
  t.equal(tox.bootstraps.length, asked);
  tox.setOnline(false);
  t.equal(tox.bootstraps.length, asked + 1);
  await engine.stop();
});

t.test('a client without an answer logs the likely cause, and whether it has changed', async (t) => {
  const clock = new ManualClock();
  const { engine, tox, said } = await startPeer(new Map(), { clock });
  engine.connect(absentId(), undefined);
  clock.advance(10_000);
  t.match(said.at(-1), /^no node of the Tox network has answered for [0-9.]+ s: /);
  tox.setOnline(true);
  clock.advance(30_000);
  t.match(said.at(-1), /^E776E9A9 has not been found for [0-9]+ s: /);
  const [friend] = tox.friends.values();
  const seeks = friend?.seeks ?? 0;
  t.ok(seeks >= 2, 'and the search starts again each time');
  clock.advance(3_600_000);
  t.ok((friend?.seeks ?? 0) - seeks <= 20, 'but not too often');
  await engine.stop();
});

/** A client that is not connected, and what becomes of its patience. */
async function startClient(t: Test, patience: { timeout: number | undefined; maxRetries: number }) {
  const clock = new ManualClock();
  const peer = await startPeer(new Map(), { clock });
  t.teardown(() => peer.engine.stop());
  const remote = peer.engine.connect(absentId(), undefined, { retry: patience });
  const codes: string[] = [];
  remote.givenUp.catch((error) => codes.push(error.code));
  const [friend] = [...peer.tox.friends.values()] as [FakeFriend];
  return { ...peer, clock, friend, codes };
}

t.test('after the last try, the error tells what is known about the server', async (t) => {
  const patience = { timeout: 20_000, maxRetries: 0 };
  const cases: [string, (client: Awaited<ReturnType<typeof startClient>>) => void][] = [
    ['no-network', () => {}],
    ['not-found', ({ tox }) => tox.setOnline(true)],
    [
      'not-admitted',
      ({ tox, friend }) => {
        tox.setOnline(true);
        friend.standing = { kind: 'found', since: 0 };
      },
    ],
    [
      'no-connection',
      ({ tox, friend }) => {
        tox.setOnline(true);
        friend.standing = { kind: 'found', since: 18_000 };
      },
    ],
    [
      'no-connection',
      ({ tox, friend }) => {
        tox.setOnline(true);
        friend.standing = { kind: 'answering', since: 0 };
      },
    ],
    [
      'proxy',
      ({ tox }) =>
        tox.setProxyFault({ code: 'credentials', proxy: 'socks5://192.0.2.1:1080', reason: 'the proxy refuses' }),
    ],
  ];
  for (const [code, prepare] of cases) {
    const client = await startClient(t, patience);
    prepare(client);
    client.clock.advance(19_999);
    await settle();
    t.same(client.codes, []);
    client.clock.advance(1);
    await settle();
    t.same(client.codes, [code]);
  }
});

t.test('the pause after each try grows, and the search restarts after it', async (t) => {
  const { clock, codes, warned, friend, tox } = await startClient(t, { timeout: 1_000, maxRetries: 2 });
  clock.advance(1_000);
  t.match(warned, [/^no node of the Tox network .*; trying again in (0\.[7-9]|1\.0) s, 2 tries left$/]);
  const asked = tox.bootstraps.length;
  clock.advance(1_000);
  t.equal(friend.seeks, 1);
  t.ok(tox.bootstraps.length > asked);
  clock.advance(1_000);
  t.match(warned[1], /trying again in (1\.[5-9]|2\.0) s, the last try$/);
  clock.advance(2_000 + 1_000);
  await settle();
  t.same(codes, ['no-network']);
});

t.test('a connection resets the tries, and a loss starts with the first one', async (t) => {
  const { clock, codes, friend } = await startClient(t, { timeout: 1_000, maxRetries: 1 });
  clock.advance(2_500);
  friend.setOnline(true);
  clock.advance(3_600_000);
  await settle();
  t.same(codes, [], 'while it is there, nobody loses patience');
  friend.setOnline(false);
  clock.advance(2_500);
  await settle();
  t.same(codes, []);
  clock.advance(1_000);
  await settle();
  t.equal(codes.length, 1);
});

t.test('a proxy that cannot be used is an error that names it, and its recovery is logged', async (t) => {
  const { tox, said } = await startClient(t, { timeout: undefined, maxRetries: 0 });
  tox.setProxyFault({ code: 'unreachable', proxy: 'http://192.0.2.1:3128', reason: 'the proxy cannot be reached' });
  t.match(
    said.at(-1),
    /^http:..192\.0\.2\.1:3128: the proxy cannot be reached: check .*nothing goes around the proxy$/,
  );
  tox.setProxyFault(undefined);
  t.equal(said.at(-1), 'the proxy works again');
});

t.test('a stopped engine has no timers, and its identity is saved and released', async (t) => {
  const clock = new ManualClock();
  const path = temporaryDirectory(t);
  const { engine, tox } = await startPeer(new Map(), { clock, place: { kind: 'directory', path } });
  engine.serve(
    new AccessPolicy(new FixedFactors({ random }, { secret: SECRET, whitelist: [], isInsecureOpen: false })),
  );
  engine.connect(absentId(), undefined);
  await engine.stop();
  t.equal(clock.pending, 0);
  t.ok(tox.isStopped);
  const { identity } = decodeSavedata(readFileSync(join(path, 'tox_save')));
  t.equal(identity.publicKey.hex, tox.id.publicKey.hex);
  await (await Identity.open({ random, log: silentLogger }, { kind: 'directory', path }, NAMES)).close();
});

/** Of somebody who is not there. */
t.test('a server without a network logs the likely cause within 10 s', async (t) => {
  const clock = new ManualClock();
  const server = await startServer(t, new Map(), { secret: SECRET }, { clock });
  server.tox.setOnline(false);
  clock.advance(10_000);
  t.match(server.warned, [/^no node of the Tox network has answered yet.*online.*UDP or TCP.*bootstrap nodes/]);
  t.equal(server.warned.length, 1);
});
