/** Two machines with a channel between them, targets on loopback, and clients that connect to forwards. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import type { Dialer } from '../../../src/tunnel/server/dialer.js';
import { type LimitsOf, NO_LIMITS } from '../../../src/tunnel/server/peer-limits.js';
import type { MayReach } from '../../../src/tunnel/server/request-handler.js';
import { TunnelService } from '../../../src/tunnel/tunnel-service.js';
import type { Reason } from '../../../src/tunnel/wire/reasons.js';
import type { Service } from '../../../src/tunnel/wire/target.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { type ChannelOptions, channelPair } from './channel-pair.js';
import { localSpec } from './local-spec.js';
import { SocketClock } from './socket-clock.js';

export class World {
  readonly clock = new SocketClock();
  readonly random: SeededRandom;
  readonly #seed: number;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #services: TunnelService[] = [];

  constructor(t: Test, seed = 1) {
    this.#seed = seed;
    this.random = new SeededRandom(seed + 1);
    t.teardown(() => {
      for (const service of this.#services) service.stop();
      for (const server of this.#servers) server.close();
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  service(
    mayReach: MayReach = () => ({ allowed: true }),
    dialer?: Dialer,
    log: Logger = silentLogger,
    descriptors = Number.POSITIVE_INFINITY,
    services: readonly Service[] = [],
    limitsOf: LimitsOf = () => NO_LIMITS,
  ): TunnelService {
    // The same seed for all, so that both sides of a link choose the same ids.
    const { clock } = this;
    const random = new SeededRandom(this.#seed);
    const policy = { mayReach, servicesFor: () => services, limitsOf };
    const service = new TunnelService({ clock, random, log, policy, dialer, descriptors });
    this.#services.push(service);
    return service;
  }

  /** @returns the port of a target on loopback */
  async target(onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#track(socket);
      onConnection(socket);
    });
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async connect(port: number): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.#track(socket);
    await once(socket, 'connect');
    return socket;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }
}

/** Two services of ours over one channel, and a forward from the client to a target. */
export async function pairOfOurs(
  t: Test,
  onConnection: (socket: Socket) => void,
  options: ChannelOptions & {
    readonly mayReach?: MayReach;
    readonly dialer?: Dialer;
    readonly limitsOf?: LimitsOf;
  } = {},
) {
  const world = new World(t, options.seed);
  const channels = channelPair(options);
  const client = world.service();
  const server = world.service(options.mayReach, options.dialer, undefined, undefined, undefined, options.limitsOf);
  client.attach(channels.client);
  server.attach(channels.server);
  const target = { host: '127.0.0.1', port: await world.target(onConnection) };
  const forward = await client.forward(channels.client.peerId, localSpec(target));
  return { world, channels, client, server, target, port: forward.port, serverId: channels.client.peerId };
}

/** Reads all bytes until the end; rejects when the connection breaks. */
export function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', () => resolve(Buffer.concat(chunks))).once('error', reject);
  });
}

/** Reads up to a number of bytes, or to the end. */
export async function readSome(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let got = 0;
  while (got < length) {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) {
      if (socket.readableEnded) break;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          socket.off('readable', wake).off('end', wake);
          resolve();
        };
        socket.on('readable', wake).on('end', wake);
      });
      continue;
    }
    chunks.push(chunk);
    got += chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Resolves to the code of the error that ends the connection, or to 'ended'. */
export function howItEnds(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.resume().once('end', () => resolve('ended'));
    socket.once('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
  });
}

/** Resolves once the condition holds after some turn of the event loop; uses no clock. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export function nextClosed(service: TunnelService): Promise<Reason | undefined> {
  return new Promise((resolve) => service.once('closed', (_, reason) => resolve(reason)));
}
