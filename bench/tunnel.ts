/**
 * The tunnel protocol alone: real TCP at both ends, a channel in memory between, all in one process.
 *
 *     node dist/bench/tunnel.js [MiB] [one-way delay of the channel, ms]
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { systemClock } from '../src/base/clock.js';
import { silentLogger } from '../src/base/logger.js';
import { systemRandom } from '../src/base/random.js';
import { TunnelService } from '../src/tunnel/tunnel-service.js';
import type { PeerChannel, PeerChannelHandlers } from '../src/tunnel/wire/peer-channel.js';
import { localSpec } from '../test/tunnel/support/local-spec.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import type { Cell } from './support/results.js';

const MIB = 1024 * 1024;
const [mebibytes = 1024, delay = 0] = benchmarkArguments.map(Number);
const size = mebibytes * MIB;

/** Packets in flight, far above what a window holds, so that the windows are measured. */
const CAPACITY = 32_768;

class DelayedChannel implements PeerChannel {
  readonly peerId: string;
  readonly maxPacketSize = 1373;
  readonly silence = 0;
  other: DelayedChannel | undefined;
  handlers: PeerChannelHandlers | undefined;
  #batch: Buffer[] = [];
  #inFlight = 0;
  #needsDrain = false;

  constructor(peerId: string) {
    this.peerId = peerId;
  }

  send(packet: Buffer): boolean {
    if (this.#inFlight >= CAPACITY) {
      this.#needsDrain = true;
      return false;
    }
    this.#inFlight += 1;
    if (this.#batch.push(Buffer.from(packet)) === 1) {
      if (delay > 0) systemClock.after(delay, () => this.#deliver());
      else systemClock.soon(() => this.#deliver());
    }
    return true;
  }

  sendLossy(): boolean {
    return false;
  }

  receive(handlers: PeerChannelHandlers): void {
    this.handlers = handlers;
  }

  #deliver(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#inFlight -= batch.length;
    for (const packet of batch) this.other?.handlers?.onPacket(packet);
    if (!this.#needsDrain) return;
    this.#needsDrain = false;
    this.handlers?.onDrain();
  }
}

const listen = (onConnection: (socket: Socket) => void): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer({ noDelay: true }, onConnection).listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });

const chunk = Buffer.alloc(MIB, 7);

/** A target that sends `size` bytes after a 'd', reads them and answers after a 'u', and echoes after an 'e'. */
const targetPort = await listen((socket) => {
  socket.once('data', (first) => {
    const command = String.fromCharCode(first[0] as number);
    if (command === 'd') {
      let left = size;
      const pump = (): void => {
        while (left > 0) {
          left -= MIB;
          if (!socket.write(chunk)) {
            socket.once('drain', pump);
            return;
          }
        }
        socket.end();
      };
      pump();
    } else if (command === 'u') {
      let got = first.length - 1;
      socket.on('data', (data) => {
        got += data.length;
        if (got >= size) socket.end('done');
      });
    } else {
      socket.write(first.subarray(1));
      socket.pipe(socket);
    }
  });
});

const mayReach = () => ({ allowed: true }) as const;
const make = (): TunnelService =>
  new TunnelService({ clock: systemClock, random: systemRandom, log: silentLogger, policy: { mayReach } });
const [client, server] = [make(), make()];
const [toServer, toClient] = [new DelayedChannel('server'), new DelayedChannel('client')];
toServer.other = toClient;
toClient.other = toServer;
client.attach(toServer);
server.attach(toClient);
const spec = localSpec({ host: '127.0.0.1', port: targetPort });
const { port } = await client.forward('server', spec);

const open = (command: string, at: number): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: at, noDelay: true }, () => {
      socket.write(command);
      resolve(socket);
    });
  });

let peak = 0;
const watch = systemClock.every(20, () => {
  peak = Math.max(peak, process.memoryUsage().rss);
});

async function transfer(command: 'd' | 'u', at: number): Promise<number> {
  const started = systemClock.now();
  const socket = await open(command, at);
  if (command === 'd') for await (const _ of socket);
  else {
    let left = size;
    while (left > 0) {
      left -= MIB;
      if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve));
    }
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
  }
  return size / 1000 / (systemClock.now() - started);
}

async function roundTrip(at: number): Promise<number> {
  const socket = await open('e', at);
  const times: number[] = [];
  for (let round = 0; round < 200; round += 1) {
    const started = systemClock.now();
    socket.write('x');
    await new Promise((resolve) => socket.once('data', resolve));
    times.push(systemClock.now() - started);
  }
  socket.destroy();
  return times.sort((a, b) => a - b)[100] as number;
}

await runBenchmark('The tunnel protocol alone', async () => {
  const rows: Cell[][] = [];
  for (const [name, at] of [
    ['bare TCP', targetPort],
    ['tunnel', port],
  ] as const) {
    peak = 0;
    rows.push([name, await transfer('d', at), await transfer('u', at), await roundTrip(at), peak / 1e6]);
  }
  const columns = [
    { name: 'by' },
    { name: 'down', unit: 'MB/s' },
    { name: 'up', unit: 'MB/s' },
    { name: 'round trip', unit: 'ms' },
    { name: 'resident at most', unit: 'MB' },
  ];
  return { columns, rows };
});
watch.cancel();
client.stop();
server.stop();
process.exit();
