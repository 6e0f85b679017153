/**
 * Two connections of ours over loopback UDP, each in a process of its own: throughput one way, round trips through an idle
 * connection and through a busy one, resident memory. Mark: 60 MB/s and more with both ends on two cores, below 100 MB resident.
 *
 *     node dist/bench/net-crypto.js [MiB, 256 by default]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/base/clock.js';
import { Endpoint } from '../src/base/endpoint.js';
import { silentLogger } from '../src/base/logger.js';
import { systemRandom } from '../src/base/random.js';
import { generateKeyPair } from '../src/tox/crypto/key-pair.js';
import { PublicKey } from '../src/tox/crypto/keys.js';
import { SharedKeyCache } from '../src/tox/crypto/shared-key-cache.js';
import type { CryptoConnection } from '../src/tox/net-crypto/crypto-connection.js';
import { NetCrypto, type NetCryptoHandlers } from '../src/tox/net-crypto/net-crypto.js';
import type { ConnectionHandlers } from '../src/tox/net-crypto/stream/connection-host.js';
import { PacketRouter } from '../src/tox/network/packet-router.js';
import { openUdpSocket } from '../src/tox/network/udp-socket.js';
import { atLeast, atMost, type Figure, short } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { median, quantile } from './support/statistics.js';

const BULK = 162;
const ECHO = 163;
const ROUND_TRIPS = 200;

interface Address {
  readonly realKey: string;
  readonly dhtKey: string;
  readonly port: number;
}

interface Report {
  readonly bytes: number;
  readonly milliseconds: number;
  readonly residentMiB: number;
}

const quiet: Omit<ConnectionHandlers, 'onLossless'> = {
  onEstablished: () => {},
  onLossy: () => {},
  onDrain: () => {},
  onClosed: () => {},
  onRouteChange: () => {},
  onDirectChange: () => {},
  onKeys: () => {},
};

async function openPeer(handlers: NetCryptoHandlers): Promise<{ netCrypto: NetCrypto; address: Address }> {
  const router = new PacketRouter();
  const socket = await openUdpSocket(
    { random: systemRandom, log: silentLogger },
    { bindAddress: '127.0.0.1', ports: 0, ipv6: false, onDatagram: (packet, source) => router.receive(packet, source) },
  );
  const identity = generateKeyPair(systemRandom);
  const dhtKeyPair = generateKeyPair(systemRandom);
  const netCrypto = new NetCrypto(
    {
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      dhtKeyPair,
      dhtSharedKeys: new SharedKeyCache(dhtKeyPair.secretKey),
      identity,
      send: (packet, to) => socket.send(packet, to),
      hasUdp: true,
      isUdpBlocked: () => false,
      fragmentsMade: () => socket.fragmentsMade(),
      mtuTowards: (to) => socket.mtuTowards(to),
    },
    handlers,
  );
  for (const [kind, handler] of netCrypto.routes()) router.route(kind, handler);
  const { localPort: port } = socket;
  return { netCrypto, address: { realKey: identity.publicKey.hex, dhtKey: dhtKeyPair.publicKey.hex, port } };
}

/** The most memory that the process had resident, sampled. */
function watchMemory(): () => number {
  let most = 0;
  const sample = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  sample();
  setInterval(sample, 50).unref();
  return () => Math.round(most / 1024 / 1024);
}

async function receive(expected: number): Promise<void> {
  const residentMiB = watchMemory();
  let bytes = 0;
  let startedAt = 0;
  const { address } = await openPeer({
    onOffer: (offer) => {
      const connection = offer.accept({
        ...quiet,
        onLossless: (data) => {
          if (data[0] === ECHO) {
            connection.sendLossless(data);
            return;
          }
          if (bytes === 0) startedAt = performance.now();
          bytes += data.length;
          if (bytes < expected) return;
          const report: Report = { bytes, milliseconds: performance.now() - startedAt, residentMiB: residentMiB() };
          process.send?.(report);
        },
      });
    },
  });
  process.send?.(address);
  process.on('disconnect', () => process.exit());
}

function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
}

async function send(expected: number): Promise<Figure[]> {
  const residentMiB = watchMemory();
  const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--cpu-prof-name'));
  const child = fork(fileURLToPath(import.meta.url), ['receive', String(expected)], { execArgv });
  const peer = await nextMessage<Address>(child);
  const { netCrypto } = await openPeer({ onOffer: () => {} });
  let onEcho: () => void = () => {};
  let refill: () => void = () => {};
  let waiting: Buffer | undefined;
  const sendWaiting = (): void => {
    if (waiting !== undefined && connection.sendLossless(waiting)) waiting = undefined;
  };
  const onDrain = (): void => {
    sendWaiting();
    if (waiting === undefined) refill();
  };
  const connection = netCrypto.connect(
    { realKey: PublicKey.parse(peer.realKey) as PublicKey, dhtKey: PublicKey.parse(peer.dhtKey) as PublicKey },
    { ...quiet, onLossless: () => onEcho(), onDrain },
  );
  connection.setEndpoint(Endpoint.of('127.0.0.1', peer.port) as Endpoint);

  const roundTrips = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let at = 0; at < ROUND_TRIPS; at += 1) {
      const startedAt = performance.now();
      await new Promise<void>((resolve) => {
        onEcho = resolve;
        waiting = Buffer.alloc(64, ECHO);
        sendWaiting();
      });
      times.push(performance.now() - startedAt);
    }
    return times;
  };

  const idle = await roundTrips();
  const reported = nextMessage<Report>(child);
  const startedCpu = process.cpuUsage();
  refill = filler(connection, expected);
  refill();
  const busy = await roundTrips();
  const report = await reported;
  const { user, system } = process.cpuUsage(startedCpu);
  netCrypto.stop();
  child.disconnect();
  const rate = report.bytes / 1000 / report.milliseconds;
  const { retransmissions } = connection.traffic;
  return [
    { what: 'throughput', measured: `${short(rate)} MB/s`, mark: atLeast(rate, 60, 'MB/s'), note: 'one way' },
    { what: 'round trip', measured: describe(idle) },
    { what: '  beside the transfer', measured: describe(busy) },
    { what: 'processor of the sender', measured: `${short(((user + system) * 1000) / report.bytes)} s for 1 GB` },
    { what: 'sent again', measured: `${retransmissions} packets` },
    memoryFigure('sender', residentMiB()),
    memoryFigure('receiver', report.residentMiB),
  ];
}

const memoryFigure = (name: string, mebibytes: number): Figure => ({
  what: `resident at most: ${name}`,
  measured: `${mebibytes} MiB`,
  mark: atMost(mebibytes, 100, 'MiB'),
});

/** Sends packets as long as there is room and until enough bytes have gone, each time it is called. */
function filler(connection: CryptoConnection, expected: number): () => void {
  let sent = 0;
  return () => {
    while (sent < expected) {
      const size = connection.packetSize;
      // A packet of its own each time, as a tunnel has it.
      if (!connection.sendLossless(Buffer.allocUnsafe(size).fill(BULK, 0, 1))) return;
      sent += size;
    }
  };
}

const describe = (times: readonly number[]): string =>
  `${short(median(times))} ms, 95 %: ${short(quantile(times, 0.95))} ms`;

if (process.argv[2] === 'receive') await receive(Number(process.argv[3]));
else {
  const [mebibytes = 256] = benchmarkArguments.map(Number);
  await runBenchmark('net_crypto alone', () => send(mebibytes * 2 ** 20));
  process.exit();
}
