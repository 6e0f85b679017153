/**
 * What orders over the control socket cost the tunnels: 50 transfers at once through a daemon, alone, and while 50 programs
 * are connected to its socket, some of which watch, and one of them gives many orders in a row. Rounds of both kinds take
 * turns; each pair is compared with itself, in wall time and in time of the daemon's processor, which other work on the machine
 * disturbs less.
 *
 *     node dist/bench/control.js [pairs of rounds, 10 by default] [transfers, 50 by default] [orders, 100 by default; make soak: 1000]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Process } from '../test/support/processes.js';
import { startDaemon } from './support/daemon.js';
import { atMost, short, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { Owner } from './support/owner.js';
import { memoryOf, startClient, startNode, startService, whileAllRun } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { greet, transfer } from './support/service-client.js';
import { median, quantile } from './support/statistics.js';
import { processorSeconds } from './support/usage.js';

const [pairs = 10, transfers = 50, orders = 100] = benchmarkArguments.map(Number);
/** ms of a round without orders; those with them take as long as the orders. */
const ROUND = 4_000;
/** ms in which a change of load settles. */
const PAUSE = 1_000;
/** ms until fifty transfers at once have found their rate. */
const WARM_UP = 10_000;
const MB = 1e6;
/** Bytes of a transfer: more than any benchmark moves. */
const ENDLESS = 2 ** 40;

interface Rate {
  readonly seconds: number;
  /** MB/s, and MB for each second of the daemon's processor. */
  readonly perSecond: number;
  readonly perProcessorSecond: number;
}

/** Transfers without end, from the service to the client; what has passed is counted. */
class Load {
  #bytes = 0;
  #failure: Error | undefined;

  start(port: number): void {
    for (let index = 0; index < transfers; index += 1) void this.#transfer(port);
  }

  async #transfer(port: number): Promise<void> {
    let last = 0;
    const onProgress = (sum: number): void => {
      this.#bytes += sum - last;
      last = sum;
    };
    try {
      await transfer(port, 'down', ENDLESS, { hasDigest: false, onProgress });
    } catch (error) {
      this.#failure ??= error as Error;
    }
  }

  /** What passes while the work lasts. @throws Error (rejects) that ended a transfer */
  async rateDuring(work: Promise<unknown>, daemon: Process): Promise<Rate> {
    const [before, used, startedAt] = [this.#bytes, processorSeconds(daemon), performance.now()];
    await whileAllRun(work);
    if (this.#failure !== undefined) throw this.#failure;
    const seconds = (performance.now() - startedAt) / 1000;
    const megabytes = (this.#bytes - before) / MB;
    return {
      seconds,
      perSecond: megabytes / seconds,
      perProcessorSecond: megabytes / (processorSeconds(daemon) - used),
    };
  }
}

/** Without and with the orders. */
interface Pair {
  readonly alone: Rate;
  readonly beside: Rate;
  /** ms of each order. */
  readonly times: readonly number[];
}

async function measurePair(load: Load, owner: Owner, daemon: Process): Promise<Pair> {
  await sleep(PAUSE);
  const alone = await load.rateDuring(sleep(ROUND), daemon);
  await owner.connect();
  await sleep(PAUSE);
  const given = owner.order(orders);
  const beside = await load.rateDuring(given, daemon);
  await owner.leave();
  return { alone, beside, times: await given };
}

const fallOf = (before: number, after: number): number => 100 * (1 - after / before);

await runBenchmark('Requests to a daemon with busy tunnels', async () => {
  const bootstrap = await startNode();
  const target = await startService();
  const daemon = await startDaemon([bootstrap]);
  const owner = Owner.start(daemon.socket);
  const client = await startClient(daemon, { bootstrap, target });
  await whileAllRun(greet(client.port));
  const load = new Load();
  load.start(client.port);
  await sleep(WARM_UP);
  const all: Pair[] = [];
  while (all.length < pairs) {
    showProgress(`pair ${all.length + 1} of ${pairs}`);
    all.push(await measurePair(load, owner, daemon.process));
  }
  const falls = all.map(({ alone, beside }) => fallOf(alone.perSecond, beside.perSecond));
  const costs = all.map(({ alone, beside }) => fallOf(alone.perProcessorSecond, beside.perProcessorSecond));
  const times = all.flatMap((one) => one.times);
  const peak = (memoryOf(daemon.process)?.peak ?? Number.NaN) / MB;
  const passed = (rates: readonly Rate[]): string =>
    spread(
      rates.map(({ perSecond }) => perSecond),
      'MB/s',
    );
  return [
    { what: `${transfers} transfers alone`, measured: passed(all.map(({ alone }) => alone)) },
    { what: '  beside requests', measured: passed(all.map(({ beside }) => beside)) },
    { what: '  loss of rate', measured: spread(falls, '%'), mark: atMost(median(falls), 15, '%') },
    { what: '  for the same processor time', measured: spread(costs, '%'), mark: atMost(median(costs), 15, '%') },
    {
      what: 'requests',
      measured: spread(
        all.map(({ beside }) => orders / beside.seconds),
        'a second',
      ),
    },
    { what: '  each', measured: `${short(median(times))} ms, 95 %: ${short(quantile(times, 0.95))} ms` },
    { what: 'daemon, most memory', measured: `${short(peak)} MB` },
  ];
});
