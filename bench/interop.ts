/**
 * Throughput with a libtoxcore peer, against what two libtoxcore peers reach in the same run: through one forwarded port,
 * on loopback, one connection. libtoxcore begins slowly, so that a rate belongs to a length: all are of the same, and each
 * transfer has a connection of its own between the peers.
 *
 *     node dist/bench/interop.js [MiB for each transfer, 192 by default]
 */
import { addressOf, C_PATIENCE, C_WORLD, friendOnline, listeningPort, startCPeer } from '../test/support/c-peer.js';
import { type Process, startBootstrapd } from '../test/support/processes.js';
import { atLeast, type Figure, short } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { keep, startClient, startServer, startService, stop, whileAllRun } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { type Direction, megabytesPerSecond, transfer } from './support/service-client.js';

/**
 * ms for one transfer. Where the processors are busy with other things, libtoxcore's rate at times falls to a few packets a
 * second and stays there, also with itself: then the rate is what was reached until now.
 */
const LIMIT = 60_000;

const [mebibytes = 192] = benchmarkArguments.map(Number);
const size = mebibytes * 2 ** 20;

interface Flow {
  readonly from: 'C' | 'ours';
  readonly to: 'C' | 'ours';
  /** Whose client opened the port. */
  readonly client: 'C' | 'ours';
  readonly direction: Direction;
}

/** Every flow between two kinds of which one is C at least; up is from the client. */
const FLOWS: readonly Flow[] = [
  { from: 'C', to: 'C', client: 'C', direction: 'up' },
  { from: 'C', to: 'C', client: 'C', direction: 'down' },
  { from: 'C', to: 'ours', client: 'C', direction: 'up' },
  { from: 'C', to: 'ours', client: 'ours', direction: 'down' },
  { from: 'ours', to: 'C', client: 'C', direction: 'down' },
  { from: 'ours', to: 'C', client: 'ours', direction: 'up' },
];

interface ConnectedClient {
  readonly process: Process;
  readonly port: number;
}

/** For each flow a client of its own, connected. */
async function connectAll(): Promise<ReadonlyMap<Flow, ConnectedClient>> {
  const node = await startBootstrapd();
  keep(node.process);
  const target = await startService();
  const server = await startServer(node.argument);
  const { secret } = server;
  const network = ['--secret', secret, '--bootstrap', node.argument];
  const serverC = keep(await startCPeer(['server', ...network]));
  const idC = await addressOf(serverC);
  const connect = async ({ from, to, client, direction }: Flow): Promise<ConnectedClient> => {
    if (client === 'ours') {
      const ours = await startClient({ toxId: idC, secret }, { bootstrap: node.argument, target });
      await ours.process.waitFor(/connected to [0-9A-F]{8} in/, C_PATIENCE);
      return ours;
    }
    const isServerOurs = (direction === 'up' ? to : from) === 'ours';
    const id = isServerOurs ? server.toxId : idC;
    const process = keep(await startCPeer(['client', '--id', id, '-L', `0:127.0.0.1:${target}`, ...network]));
    await friendOnline(process);
    return { process, port: await listeningPort(process) };
  };
  const clients = await Promise.all(FLOWS.map(connect));
  return new Map(FLOWS.map((flow, index) => [flow, clients[index] as ConnectedClient]));
}

interface Result {
  readonly rate: number;
  readonly isComplete: boolean;
}

/** Moves the bytes, or as many as time allows. */
async function measure({ from, to, direction }: Flow, { port }: ConnectedClient): Promise<Result> {
  let moved = 0;
  const onProgress = (bytes: number): void => {
    moved = bytes;
    showProgress(`${from} to ${to}, ${direction}: ${Math.floor(bytes / 2 ** 20)} MiB`);
  };
  const work = transfer(port, direction, size, { onProgress });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, LIMIT, undefined);
  });
  const result = await whileAllRun(Promise.race([work, limit]));
  clearTimeout(timer);
  if (result === undefined) {
    // Its client is stopped next, which breaks it.
    work.catch(() => {});
    return { rate: moved / 1000 / LIMIT, isComplete: false };
  }
  if (result.sentDigest !== result.receivedDigest) throw new Error(`${from} to ${to}: checksums differ`);
  return { rate: megabytesPerSecond(result), isComplete: true };
}

async function measureAll(): Promise<Figure[]> {
  showProgress('connecting, for which libtoxcore takes ten seconds or more');
  const results = new Map<Flow, Result>();
  for (const [flow, client] of await whileAllRun(connectAll())) {
    results.set(flow, await measure(flow, client));
    await stop(client.process);
  }
  const ofBothC = (direction: Direction): number => results.get(FLOWS[direction === 'up' ? 0 : 1] as Flow)?.rate ?? 0;
  return [...results].map(([{ from, to, client, direction }, { rate, isComplete }]) => ({
    what: `${from} to ${to}, ${direction}`,
    measured: `${short(rate)} MB/s`,
    mark: from === to ? undefined : atLeast(rate, Math.round(ofBothC(direction) * 10) / 10, 'MB/s'),
    note:
      `${client === 'ours' ? 'our' : "libtoxcore's"} client, ` +
      (isComplete ? `${mebibytes} MiB` : `not ${mebibytes} MiB in ${LIMIT / 1000} s`),
  }));
}

await runBenchmark('Throughput with a libtoxcore peer', async () => {
  const missing = C_WORLD.filter(({ isMet }) => !isMet);
  if (missing.length === 0) return measureAll();
  return missing.map(({ reason }) => ({ what: 'interop', measured: `left out: ${reason}` }));
});
