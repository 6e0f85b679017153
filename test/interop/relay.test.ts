/** Peers without UDP: ours through the relay of tox-bootstrapd, libtoxcore's through ours. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { systemRandom } from '../../src/base/random.js';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import { ToxId } from '../../src/tox/crypto/tox-id.js';
import { newSavedata } from '../../src/tox/savedata.js';
import { type BootstrapAddress, Tox } from '../../src/tox/tox.js';
import { addressOf, C_PATIENCE, C_WORLD, startCPeer } from '../support/c-peer.js';
import { freePort, startBootstrapd } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';

const SECRET = 'canary of the relay';
/** Frames of tuntox 2: magic, type, connection, length, data. */
const PING = Buffer.concat([Buffer.from('a26b010800000005', 'hex'), Buffer.from('hello')]);
const PONG = Buffer.concat([Buffer.from('a26b010000000005', 'hex'), Buffer.from('hello')]);

const argumentOf = (node: Tox): string => `127.0.0.1:${node.localPort}:${node.dhtPublicKey.hex}`;

type Peer = Pick<ConstructorParameters<typeof Tox>[1], 'udp' | 'relayPort' | 'role'>;

async function startTox(t: Test, options: Peer): Promise<Tox> {
  const port = await freePort();
  const tox = new Tox(
    { clock: systemClock, random: systemRandom, log: silentLogger },
    {
      savedata: newSavedata(systemRandom),
      ports: { first: port, last: port },
      ipv6: false,
      lanDiscovery: false,
      ...options,
    },
  );
  await tox.start();
  t.teardown(() => tox.stop());
  return tox;
}

/** Resolves with the ms until a pong came back from the server. */
async function ping(tox: Tox, id: string): Promise<number> {
  const started = performance.now();
  const friend = tox.addFriend(ToxId.parse(id) as ToxId, Buffer.from(`${SECRET}\0`));
  friend.onPresence((presence) => presence === 'online' && friend.sendLossless(PING));
  const pong = await new Promise<Buffer>((resolve) => friend.onLossless(resolve));
  if (!pong.equals(PONG)) throw new Error(`no pong: ${pong.toString('hex')}`);
  return performance.now() - started;
}

t.test('through the relay of tox-bootstrapd', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startBootstrapd({ isRelay: true });
  t.teardown(() => node.process.stop());
  const entry: BootstrapAddress = {
    host: '127.0.0.1',
    port: node.port,
    publicKey: PublicKey.parse(node.key) as PublicKey,
  };
  const withUdp = await startCPeer(['server', '--secret', SECRET, '--bootstrap', node.argument]);
  t.teardown(() => withUdp.stop());
  const withoutUdp = await startCPeer([
    ...['server', '--secret', SECRET, '--no-udp'],
    ...['--bootstrap', node.argument, '--relay', node.argument],
  ]);
  t.teardown(() => withoutUdp.stop());

  await t.test('we without UDP reach a libtoxcore server that has it', async (t) => {
    const id = await addressOf(withUdp);
    await withUdp.waitFor(/^SELF (tcp|udp)$/m, C_PATIENCE);
    const tox = await startTox(t, { udp: false, relayPort: 0 });
    tox.bootstrap(entry);
    t.comment(`pong after ${Math.round(await ping(tox, id))} ms`);
    t.pass('a frame and its answer');
  });

  await t.test('neither of us has UDP', async (t) => {
    const id = await addressOf(withoutUdp);
    await withoutUdp.waitFor(/^SELF tcp$/m, C_PATIENCE);
    const tox = await startTox(t, { udp: false, relayPort: 0 });
    tox.bootstrap(entry);
    t.comment(`pong after ${Math.round(await ping(tox, id))} ms`);
    t.pass('a frame and its answer');
  });

  await t.test('we have UDP, the libtoxcore server does not', async (t) => {
    const id = await addressOf(withoutUdp);
    const tox = await startTox(t, { relayPort: 0 });
    tox.bootstrap(entry);
    t.comment(`pong after ${Math.round(await ping(tox, id))} ms`);
    t.pass('a frame and its answer');
  });
});

t.test('libtoxcore uses relays that we share: another one takes over when the one that it knew dies', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const first = await startBootstrapd({ isRelay: true });
  t.teardown(() => first.process.stop());
  const second = await startTox(t, { role: 'node' });
  const entries: BootstrapAddress[] = [
    { host: '127.0.0.1', port: first.port, publicKey: PublicKey.parse(first.key) as PublicKey },
    { host: '127.0.0.1', port: second.localPort, publicKey: second.dhtPublicKey },
  ];
  second.bootstrap(entries[0] as BootstrapAddress);
  const server = await startCPeer([
    ...['server', '--secret', SECRET, '--no-udp'],
    ...['--bootstrap', first.argument, '--relay', first.argument],
  ]);
  t.teardown(() => server.stop());
  const id = await addressOf(server);
  await server.waitFor(/^SELF tcp$/m, C_PATIENCE);
  const tox = await startTox(t, { udp: false, relayPort: 0 });
  for (const entry of entries) tox.bootstrap(entry);
  const friend = tox.addFriend(ToxId.parse(id) as ToxId, Buffer.from(`${SECRET}\0`));
  let pongs = 0;
  friend.onLossless((packet) => {
    if (packet.equals(PONG)) pongs += 1;
  });
  let isLost = false;
  friend.onPresence((presence) => {
    if (presence !== 'offline') return;
    isLost = true;
  });
  const exchange = async (): Promise<void> => {
    const before = pongs;
    for (let waited = 0; pongs === before && waited < C_PATIENCE; waited += 500) {
      friend.sendLossless(PING);
      await sleep(500);
    }
    t.ok(pongs > before, 'a frame and its answer');
  };
  await exchange();
  // It gets to know, and asks for us at the second relay.
  await sleep(3_000);
  await first.process.stop();
  await exchange();
  await exchange();
  t.notOk(isLost, 'on the same connection');
});

t.test('a libtoxcore client without UDP, through our relay alone', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startTox(t, { role: 'node' });
  const argument = argumentOf(node);
  t.equal(node.relayPort, node.localPort, 'a node is a relay at its UDP port');
  const server = await startTox(t, { udp: false, relayPort: 0 });
  server.bootstrap({ host: '127.0.0.1', port: node.localPort, publicKey: node.dhtPublicKey });
  const received = new Promise<Buffer>((resolve) => {
    server.onFriendRequest((request) => {
      const friend = request.accept();
      friend.onLossless((packet) => {
        friend.sendLossless(PONG);
        resolve(packet);
      });
    });
  });
  const client = await startCPeer([
    ...['client', '--id', server.id.toString(), '--secret', SECRET, '--no-udp', '-p', '--count', '1'],
    ...['--bootstrap', argument, '--relay', argument],
  ]);
  t.teardown(() => client.stop());
  t.equal((await received).readUInt32BE(), 0xa26b0108, 'a ping came');
  await client.waitFor(/^PONG /m, C_PATIENCE);
});
