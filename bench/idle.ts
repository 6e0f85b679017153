/**
 * What a daemon uses that is in the network with clients that do nothing, and what the others use meanwhile.
 *
 *     node dist/bench/idle.js [seconds that are measured, 60 by default] [clients, 4 by default] [seconds before, 60]
 *
 * Beside it, from the same run, a bare process of Node that is woken about as often by datagrams and timers; and the time that
 * the processor needs for one X25519, so that machines can be compared.
 */
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { PUBLIC_KEY_SIZE } from '../src/tox/crypto/keys.js';
import { crypto_scalarmult, SECRET_KEY_SIZE, SHARED_KEY_SIZE } from '../src/tox/crypto/sodium.js';
import type { Process } from '../test/support/processes.js';
import { startDaemon } from './support/daemon.js';
import { atMost, type Figure, short, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import {
  memoryOf,
  startBare,
  startClient,
  startOneNode,
  startService,
  whileAllRun,
} from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { greet } from './support/service-client.js';
import { median } from './support/statistics.js';
import { type Usage, usageDuring } from './support/usage.js';

const [measured = 60, count = 4, before = 60] = benchmarkArguments.map(Number);
const NODES = 3;
const MB = 1e6;
/** ms between the datagrams to the bare process; a daemon with four clients gets some 12 a second. */
const DATAGRAM_INTERVAL = 1000 / 12;

/** ms, of some; each is one scalar multiplication, as every handshake needs it. */
function multiplications(): number[] {
  const [point, scalar] = [Buffer.alloc(PUBLIC_KEY_SIZE, 9), Buffer.alloc(SECRET_KEY_SIZE, 7)];
  return Array.from({ length: 1000 }, () => {
    const started = performance.now();
    crypto_scalarmult(Buffer.alloc(SHARED_KEY_SIZE), scalar, point);
    return performance.now() - started;
  });
}

await runBenchmark('A daemon at rest', async () => {
  const first = await startOneNode([]);
  const nodes = [first];
  while (nodes.length < NODES) nodes.push(await startOneNode([first.address]));
  const bootstrap = nodes.map(({ address }) => address);
  const target = await startService();
  const daemon = await startDaemon(bootstrap);
  const clients: Process[] = [];
  while (clients.length < count) {
    const client = await startClient(daemon, { bootstrap, target });
    await whileAllRun(greet(client.port));
    clients.push(client.process);
  }
  const bare = await startBare();
  const socket = createSocket('udp6');
  const sending = setInterval(() => socket.send(Buffer.alloc(100), bare.port, '::1'), DATAGRAM_INTERVAL);
  showProgress('settling');
  await whileAllRun(sleep(before * 1000));
  showProgress('idle');
  const all = [daemon.process, ...clients, ...nodes.map(({ process }) => process), bare.process];
  const usage = await usageDuring(whileAllRun(sleep(measured * 1000)), all);
  clearInterval(sending);
  socket.close();
  const [own, ...others] = usage as [Usage, ...Usage[]];
  const row = (what: string, some: readonly Usage[]): Figure[] => [
    {
      what: `${what}: processor`,
      measured: spread(
        some.map(({ processor }) => processor),
        '%',
      ),
    },
    {
      what: '  wake-ups',
      measured: spread(
        some.map(({ wakeUpsPerSecond }) => wakeUpsPerSecond),
        'times/s',
      ),
    },
  ];
  const resident = (memoryOf(daemon.process)?.resident ?? Number.NaN) / MB;
  const [processor, woken] = row(`daemon, ${count} clients`, [own]) as [Figure, Figure];
  return [
    { ...processor, mark: atMost(own.processor, 1, '%') },
    woken,
    { what: '  resident', measured: `${short(resident)} MB`, mark: atMost(resident, 100, 'MB') },
    ...row('clients', others.slice(0, count)),
    ...row('nodes', others.slice(count, -1)),
    ...row('a bare Node', others.slice(-1)),
    { what: 'machine: X25519', measured: `${short(median(multiplications()) * 1000)} µs` },
  ];
});
