/**
 * Throughput with a libtoxcore peer, against what two libtoxcore peers reach in the same run: through one forwarded port,
 * on loopback, one connection. libtoxcore begins slowly, so that a rate belongs to a length: all are of the same, and each
 * transfer has a connection of its own between the peers.
 *
 *     node dist/bench/interop.js [MiB for each transfer, 192 unless told]
 */
import { addressOf, C_PATIENCE, C_WORLD, friendOnline, listeningPort, startCPeer } from '../test/support/c-peer.js';
import { startBootstrapd } from '../test/support/processes.js';
import { atLeast, type Figure, short } from './support/figures.js';
import { runBenchmark } from './support/output.js';
import { keep, startClient, startServer, startService, whileAllRun } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { type Direction, megabytesPerSecond, transfer } from './support/visitor.js';

const [mebibytes = 192] = process.argv.slice(2).map(Number);
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

/** For each flow a client of its own. @returns the ports, once all are connected */
async function connectAll(): Promise<ReadonlyMap<Flow, number>> {
  const node = await startBootstrapd();
  keep(node.process);
  const target = await startService();
  const server = await startServer(node.argument);
  const { secret } = server;
  const network = ['--secret', secret, '--bootstrap', node.argument];
  const serverC = keep(await startCPeer(['server', ...network]));
  const idC = await addressOf(serverC);
  const connect = async ({ from, to, client, direction }: Flow): Promise<number> => {
    const isServerOurs = (direction === 'up' ? to : from) === 'ours';
    if (client === 'ours') {
      const ours = await startClient({ toxId: idC, secret }, { bootstrap: node.argument, target });
      await ours.process.waitFor(/connected to [0-9A-F]{8} in/, C_PATIENCE);
      return ours.port;
    }
    const id = isServerOurs ? server.toxId : idC;
    const theirs = keep(await startCPeer(['client', '--id', id, '-L', `0:127.0.0.1:${target}`, ...network]));
    await friendOnline(theirs);
    return listeningPort(theirs);
  };
  const ports = await Promise.all(FLOWS.map(connect));
  return new Map(FLOWS.map((flow, index) => [flow, ports[index] as number]));
}

async function measureAll(): Promise<Figure[]> {
  showProgress('connecting, for which libtoxcore takes ten seconds or more');
  const ports = await whileAllRun(connectAll());
  const rates = new Map<Flow, number>();
  for (const [flow, port] of ports) {
    showProgress(`${flow.from} to ${flow.to}`);
    const moved = await whileAllRun(transfer(port, flow.direction, size));
    if (moved.sentDigest !== moved.receivedDigest) throw new Error(`${flow.from} to ${flow.to}: checksums differ`);
    rates.set(flow, megabytesPerSecond(moved));
  }
  const ofBothC = (direction: Direction): number => rates.get(FLOWS[direction === 'up' ? 0 : 1] as Flow) as number;
  return [...rates].map(([{ from, to, client, direction }, rate]) => ({
    what: `${from} to ${to}, ${direction}`,
    measured: `${short(rate)} MB/s`,
    mark: from === to ? undefined : atLeast(rate, Math.round(ofBothC(direction) * 10) / 10, 'MB/s'),
    note: `${client === 'ours' ? 'our' : "libtoxcore's"} client, ${mebibytes} MiB`,
  }));
}

await runBenchmark(async () => {
  const missing = C_WORLD.filter(({ isMet }) => !isMet);
  if (missing.length === 0) return measureAll();
  return missing.map(({ reason }) => ({ what: 'interop', measured: `left out: ${reason}` }));
});
