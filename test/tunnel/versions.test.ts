/** Early data where one of the two peers has version 1 of the extension, which lacks it: each byte arrives, once. */
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import type { RemoteForward } from '../../src/tunnel/client/remote-forward.js';
import { TunnelService } from '../../src/tunnel/tunnel-service.js';
import { decodeFrame, EARLY } from '../../src/tunnel/wire/frame.js';
import { SeededRandom } from '../support/seeded-random.js';
import { channelPair } from './support/channel-pair.js';
import { localSpec } from './support/local-spec.js';
import { asVersionOne } from './support/version-one.js';
import { readAll, until, World } from './support/world.js';

const SIZES = [0, 1, 5_000, 16_384, 16_385, 100_000];
const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 7) % 251));
const echo = (socket: Socket): void => void socket.pipe(socket);

/** A client with a forward to an echo, and a port at the server (-R) that leads to it. @param old which of them has version 1 */
async function start(t: Test, old: readonly string[], seed: number) {
  const world = new World(t, seed);
  const channels = channelPair({ seed, capacity: 8, refusals: 0.2 });
  for (const channel of [channels.client, channels.server]) channel.isRecording = true;
  const mayListen = () => ({ allowed: true }) as const;
  const policy = { mayListen, mayReach: () => ({ allowed: true }) as const };
  const deps = { clock: world.clock, log: silentLogger, descriptors: Number.POSITIVE_INFINITY };
  const server = new TunnelService({ ...deps, random: new SeededRandom(seed), policy });
  t.teardown(() => server.stop());
  const client = world.service();
  client.attach(old.includes('client') ? asVersionOne(channels.client) : channels.client, { isServer: true });
  server.attach(old.includes('server') ? asVersionOne(channels.server) : channels.server);
  const target = { host: '127.0.0.1', port: await world.target(echo) };
  const { peerId } = channels.client;
  const local = await client.forward(peerId, localSpec(target));
  const at = { kind: 'port', bind: '127.0.0.1', port: 0 } as const;
  const remote = (await client.forward(peerId, { kind: 'reverse', at, target })) as RemoteForward;
  await until(() => remote.remote.state.kind === 'listening');
  const earlyFrames = (): number =>
    [...channels.client.sent, ...channels.server.sent].filter((packet) => decodeFrame(packet)?.type === EARLY).length;
  return { world, ports: { 'a local port': local.port, 'a port of the server': remote.port }, earlyFrames };
}

for (const old of [['client'], ['server'], ['client', 'server'], []]) {
  const whoIsOld = old.length === 0 ? 'neither peer' : `the ${old.join(' and the ')}`;
  t.test(`no byte is lost or doubled when ${whoIsOld} has version 1`, async (t) => {
    for (const seed of [1, 2, 3]) {
      const { world, ports, earlyFrames } = await start(t, old, seed);
      for (const [name, port] of Object.entries(ports)) {
        await Promise.all(
          SIZES.map(async (size) => {
            const socket = await world.connect(port);
            const received = readAll(socket);
            const all = bytes(size);
            socket.write(all.subarray(0, size / 2));
            await new Promise((resolve) => setImmediate(resolve));
            socket.end(all.subarray(size / 2));
            t.ok((await received).equals(all), `${size} bytes through ${name}, seed ${seed}`);
          }),
        );
      }
      t.equal(earlyFrames() > 0, old.length === 0, 'only two peers of version 2 have early data');
    }
  });
}
