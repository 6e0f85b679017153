import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { AttemptQuotas, quotaRefusal } from '../../../src/tunnel/server/descriptor-quota.js';
import { TcpDialer } from '../../../src/tunnel/server/tcp-dialer.js';
import type { Reason } from '../../../src/tunnel/wire/reasons.js';
import { failCall } from '../../support/failing-calls.js';
import { channelPair } from '../support/channel-pair.js';
import { localSpec } from '../support/local-spec.js';
import { until, World } from '../support/world.js';

t.test('a peer may have as many descriptors as are left for all', async (t) => {
  const fill = (peers: number, limit: number): number[] => {
    const own = Array<number>(peers).fill(0);
    const used = (): number => own.reduce((sum, one) => sum + one, 0);
    for (let isFull = false; !isFull; ) {
      isFull = true;
      for (const [peer, count] of own.entries()) {
        if (quotaRefusal(count, { limit, used: used() }) !== undefined) continue;
        own[peer] = count + 1;
        isFull = false;
      }
    }
    return own;
  };
  t.same(fill(1, 512), [256]);
  t.same(fill(2, 512), [171, 171]);
  t.same(fill(7, 512), Array(7).fill(64));
  t.match(quotaRefusal(256, { limit: 512, used: 256 }), /this client has 256 .* 256 of the 512 .* are left/);
});

t.test('additional connection attempts follow the same rule', async (t) => {
  const quotas = new AttemptQuotas(8);
  const [greedy, modest] = [quotas.of('greedy'), quotas.of('modest')];
  t.same(
    [1, 2, 3, 4, 5].map(() => greedy.take()),
    [true, true, true, true, false],
  );
  t.ok(modest.take());
  for (let count = 0; count < 4; count += 1) greedy.release();
  modest.release();
  t.same(
    [1, 2, 3, 4, 5].map(() => quotas.of('greedy').take()),
    [true, true, true, true, false],
  );
});

/** A server with a number of descriptors, and its clients, each with a forward to an echo service. */
async function busyServer(t: Test, descriptors: number) {
  const world = new World(t);
  const lines: string[] = [];
  const log = { ...silentLogger, info: (text: string) => void lines.push(text), child: () => silentLogger };
  const server = world.service(undefined, undefined, log, descriptors);
  const port = await world.target((socket: Socket) => void socket.pipe(socket));
  const forwardOf = async (name: string): Promise<number> => {
    const channels = channelPair();
    const client = world.service();
    client.attach(channels.client);
    server.attach(Object.assign(channels.server, { peerId: name }));
    const target = { host: '127.0.0.1', port };
    return (await client.forward(channels.client.peerId, localSpec(target))).port;
  };
  return { world, server, lines, forwardOf };
}

t.test('the connections of one client do not stop those of others, and continue when there is room', async (t) => {
  const { world, server, lines, forwardOf } = await busyServer(t, 12);
  const [greedy, modest] = [await forwardOf('greedy'), await forwardOf('modest')];
  const sockets: Socket[] = [];
  for (let count = 0; count < 20; count += 1) sockets.push(await world.connect(greedy));
  await until(() => sockets.filter(({ destroyed }) => destroyed).length === 14 && server.list().length === 6);
  t.match(lines.join('\n'), /greedy: 127\.0\.0\.1:\d+ refused: this client has 6 connections/);
  const others = await Promise.all([1, 2, 3].map(() => world.connect(modest)));
  await until(() => server.list().length === 9);
  for (const socket of others) {
    socket.write('x');
    await new Promise((resolve) => socket.once('data', resolve));
  }
  for (const socket of sockets) socket.destroy();
  await until(() => server.list().length === 3);
  await world.connect(greedy);
  await until(() => server.list().length === 4);
  t.pass('there is room again');
});

/** How a refused connection ends, even before it is established. */
const refusal = (port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    connect(port, '127.0.0.1').once('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
  });

t.test('connections beyond the limit are reset, with one warning until there is room', async (t) => {
  const world = new World(t);
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => void warnings.push(text), child: () => silentLogger };
  const channels = channelPair();
  const client = world.service(undefined, undefined, log, 3);
  const server = world.service();
  client.attach(channels.client);
  server.attach(channels.server);
  const port = await world.target((socket: Socket) => void socket.pipe(socket));
  const target = { host: '127.0.0.1', port };
  const forward = await client.forward(channels.client.peerId, localSpec(target));
  const first = [
    await world.connect(forward.port),
    await world.connect(forward.port),
    await world.connect(forward.port),
  ];
  await until(() => client.list().length === 3);
  for (const _try of [1, 2]) t.equal(await refusal(forward.port), 'ECONNRESET');
  t.match(warnings, [/no file descriptor is left for another connection: close some, or raise the limit/]);
  t.equal(warnings.length, 1);
  first[0]?.destroy();
  await until(() => client.list().length === 2);
  await world.connect(forward.port);
  await until(() => client.list().length === 3);
  t.equal(await refusal(forward.port), 'ECONNRESET');
  t.equal(warnings.length, 2);
});

for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']) {
  t.test(
    `a target that cannot be dialled for ${code} is refused with its reason, and the code for the log`,
    async (t) => {
      const world = new World(t);
      const port = await world.target(() => {});
      const dialer = new TcpDialer(world.clock);
      failCall('net.connect', code);
      const failed = await new Promise<[Reason, string | undefined]>((resolve) => {
        dialer.dial(
          'peer',
          { host: '127.0.0.1', port },
          {
            mayConnect: () => true,
            onConnected: () => t.fail('connected'),
            onFailed: (reason, of) => resolve([reason, of]),
          },
        );
      });
      t.same(failed, ['no-resources', code]);
    },
  );
}
