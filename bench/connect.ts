/**
 * Time to connect, from exec of a client with a new identity that knows one node to the first byte of the service behind
 * the server, which has been up for ten seconds: against our server, and against one on libtoxcore.
 *
 *     node dist/bench/connect.js [runs against ours, 20 by default] [runs against libtoxcore, 20 by default]
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { addressOf, C_WORLD, startCPeer } from '../test/support/c-peer.js';
import type { Process } from '../test/support/processes.js';
import { atMost, type Figure, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import {
  keep,
  type Server,
  startClient,
  startNode,
  startServer,
  startService,
  stop,
  whileAllRun,
} from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { greet } from './support/service-client.js';
import { median, most } from './support/statistics.js';

const [ownRuns = 20, libtoxcoreRuns = 20] = benchmarkArguments.map(Number);
/** Of ten bootstrap nodes of a client. */
const SILENT_NODES = 9;
/** ms that the server is up before the first client starts. */
const UPTIME = 10_000;
const SECRET = 'benchmark';

/** When a client reached each step, seconds after its exec. */
interface Steps {
  readonly listening: number;
  readonly online: number;
  readonly connected: number;
  readonly firstByte: number;
}

async function connectOnce(
  server: Pick<Server, 'toxId' | 'secret'>,
  bootstrap: string,
  target: number,
): Promise<Steps> {
  const client = await startClient(server, { bootstrap, target });
  const after = (): number => (performance.now() - client.executedAt) / 1000;
  const whenSaid = async (what: RegExp): Promise<number> => {
    await client.process.waitFor(what);
    return after();
  };
  const listening = after();
  const greeted = greet(client.port).then(after);
  const steps = Promise.all([whenSaid(/^online/m), whenSaid(/^connected to/m), greeted]);
  const [online, connected, firstByte] = await whileAllRun(steps);
  await stop(client.process);
  return { listening, online, connected, firstByte };
}

async function measure(name: string, runs: number, once: () => Promise<Steps>): Promise<Steps[]> {
  const all: Steps[] = [];
  while (all.length < runs) {
    showProgress(`${name}: run ${all.length + 1} of ${runs}`);
    all.push(await once());
  }
  return all;
}

async function startLibtoxcoreServer(bootstrap: string): Promise<{ process: Process; toxId: string; secret: string }> {
  const server = keep(await startCPeer(['server', '--secret', SECRET, '--bootstrap', bootstrap]));
  return { process: server, toxId: await addressOf(server), secret: SECRET };
}

/** Silent nodes: sockets that are not read. @returns the values of `--bootstrap` */
function silentNodes(): Promise<readonly string[]> {
  return Promise.all(
    Array.from({ length: SILENT_NODES }, async () => {
      const socket = createSocket('udp4');
      socket.unref();
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      return `127.0.0.1:${socket.address().port}:${randomBytes(32).toString('hex')}`;
    }),
  );
}

/** Seconds from exec to being online, of a client with one live node and nine dead ones. */
async function goOnline(server: Server, bootstrap: string, target: number): Promise<number> {
  const nodes = [...(await silentNodes()), bootstrap];
  const client = await startClient(server, { bootstrap: nodes, target });
  await whileAllRun(client.process.waitFor(/^online/m));
  const took = (performance.now() - client.executedAt) / 1000;
  await stop(client.process);
  return took;
}

const settle = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, UPTIME));

await runBenchmark('Time to connect on loopback', async () => {
  const bootstrap = await startNode();
  const target = await startService();
  const figures: Figure[] = [];

  const server = await startServer(bootstrap);
  showProgress('our server is up for ten seconds before clients come');
  await whileAllRun(settle());
  const ours = await measure('our server', ownRuns, () => connectOnce(server, bootstrap, target));
  const lonely: number[] = [];
  while (lonely.length < Math.ceil(ownRuns / 2)) {
    showProgress(`nine of ten nodes silent: run ${lonely.length + 1}`);
    lonely.push(await goOnline(server, bootstrap, target));
  }
  await stop(server.process);
  const all = ours.map(({ firstByte }) => firstByte);
  const step = (what: string, values: number[], note?: string): Figure => ({
    what: `  ${what}`,
    measured: spread(values, 's'),
    note,
  });
  figures.push(
    {
      what: 'exec to first byte',
      measured: spread(all, 's'),
      mark: atMost(median(all), 0.8, 's'),
      note: 'upstream: 11 s',
    },
    {
      what: 'the worst',
      measured: spread([most(all)], 's'),
      mark: atMost(most(all), 1.5, 's'),
      note: `of ${ownRuns}`,
    },
    step(
      'exec to listening',
      ours.map(({ listening }) => listening),
      'Node and our modules load',
    ),
    step(
      'to online',
      ours.map(({ online, listening }) => online - listening),
    ),
    step(
      'to friend',
      ours.map(({ connected, listening }) => connected - listening),
      'from listening',
    ),
    step(
      'friend to first byte',
      ours.map(({ firstByte, connected }) => firstByte - connected),
    ),
  );

  figures.push({
    what: 'nine of ten nodes silent',
    measured: spread(lonely, 's'),
    mark: atMost(most(lonely), 3, 's'),
    note: 'exec to online, the worst',
  });

  const missing = C_WORLD.filter(({ isMet }) => !isMet).map(({ reason }) => reason);
  if (missing.length > 0) return [...figures, { what: 'libtoxcore', measured: 'left out', note: missing.join('; ') }];
  const libtoxcore = await startLibtoxcoreServer(bootstrap);
  showProgress('a libtoxcore server is up for ten seconds before clients come');
  await whileAllRun(settle());
  const theirs = await measure('libtoxcore', libtoxcoreRuns, () => connectOnce(libtoxcore, bootstrap, target));
  const times = theirs.map(({ firstByte }) => firstByte);
  figures.push({
    what: 'libtoxcore server',
    measured: spread(times, 's'),
    mark: atMost(median(times), 1.5, 's'),
    note: `${libtoxcoreRuns} runs`,
  });
  return figures;
});
