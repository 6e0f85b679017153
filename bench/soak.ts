/**
 * `make soak`: endurance. Clients come and go, some of them killed; a node and a server are killed and run again; everything
 * that passes is checked; and what the long-lived processes use is written down. Then ten transfers of 256 MiB in a row,
 * and hundreds of simulated networks. The exit status is 1 when anything was lost, or something grows without bound.
 *
 * Beside that, in the lab: a server whose line is cut, one that is stopped, and transfers whose network changes; and beside
 * these, a simulated network of 10,000 nodes.
 *
 *     node dist/bench/soak.js [MINUTES of connecting and disconnecting, 10 by default [SECONDS of the cut, 300 [and of the stop, 600]]]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../src/base/coded-error.js';
import { visitsDuringChurn } from '../test/support/churn-network.js';
import { LAB_REQUIREMENTS } from '../test/support/lab.js';
import type { Process } from '../test/support/processes.js';
import { endureChanges } from './soak/changes.js';
import {
  checkedTransfer,
  manyAtOnce,
  type Restartable,
  reached,
  restartableNode,
  restartableServer,
  visit,
} from './soak/churn.js';
import { Crowd } from './soak/crowd.js';
import { CUT, type Outage, STOP, suffer } from './soak/outages.js';
import { CHURNS, LIMIT, meet, SIMULATIONS } from './soak/simulations.js';
import { Series, Watch } from './soak/watch.js';
import { endCleanlyOnSignals, startClient, startServer, startService, stopAll } from './support/private-network.js';
import { clearProgress, showProgress } from './support/progress.js';

const [minutes = 10, cutSeconds = 300, stopSeconds = 600] = process.argv.slice(2).map(Number);
/** ms without any work, in which the long-lived processes show what they use for themselves. */
const REST = 5_000;
/** Every so many rounds the node is killed, and the mortal server. */
const NODE_DIES = 3;
const SERVER_DIES = 2;
/** ms from a kill to the next start. */
const PAUSE = 2_000;
/** ms after the end of an outage in which the service is to be reached again. */
const RECOVERY = 10_000;
const BIG_TRANSFERS = 10;
const BIG = 256;

const rows: string[][] = [];
const failures: string[] = [];

function report(series: readonly Series[]): void {
  for (const one of series) {
    rows.push(one.row());
    if (one.hasGrown) failures.push(`${one.name} grows`);
  }
}

/** Failures are reported at the end; the rest continues. */
async function attempt(what: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    failures.push(`${what}: ${messageOf(error)}`);
  }
}

async function endure(): Promise<void> {
  const { node, bootstrap } = await restartableNode();
  const target = await startService();
  const server = await startServer(bootstrap, ['-d']);
  const resident = await startClient(server, { bootstrap, target });
  await reached(resident.port, 'the resident client');
  const mortal = await restartableServer(bootstrap);
  const faithful = await startClient(mortal.server, { bootstrap, target });
  await reached(faithful.port, 'the client of the mortal server');

  const watches = [new Watch(server.process), new Watch(resident.process)];
  const connecting = new Series('a new client connects', 's', Number.POSITIVE_INFINITY);
  const waiting = new Series('and waits for a processor meanwhile', 's', Number.POSITIVE_INFINITY);
  const returning = new Series('back after the server was killed', 's', Number.POSITIVE_INFINITY);
  await comeAndGo({ node, mortal: mortal.command, connecting, waiting, returning, watches });
  await moveMuch(resident.port, watches);
  report([...watches.flatMap((watch) => watch.series), connecting, waiting, returning]);

  async function comeAndGo(all: {
    readonly node: Restartable;
    readonly mortal: Restartable;
    readonly connecting: Series;
    readonly waiting: Series;
    readonly returning: Series;
    readonly watches: readonly Watch[];
  }): Promise<void> {
    const end = performance.now() + minutes * 60_000;
    for (let round = 1; performance.now() < end || round === 1; round += 1) {
      showProgress(`round ${round}: clients come and go, ${failures.length} failures`);
      const others = (): Process[] => [server.process, all.node.process];
      const visits = [true, false].map(async (isKilled) => {
        const { took, waited, logs } = await visit(server, { bootstrap, target, isKilled, others });
        all.connecting.add(took);
        all.waiting.add(waited);
        if (logs !== undefined) failures.push(`a new client needed ${took.toFixed(0)} s: its logs are in ${logs}`);
      });
      const dies = round % NODE_DIES === 0 ? all.node.killAndRestart(PAUSE) : undefined;
      await attempt('visits', Promise.all(visits));
      await attempt('the node', dies ?? Promise.resolve());
      await attempt('the resident client, down', checkedTransfer(resident.port, 'down', 8));
      await attempt('the resident client, up', checkedTransfer(resident.port, 'up', 8));
      await attempt('many connections at once', manyAtOnce(resident.port));
      if (round % SERVER_DIES === 0) await attempt('the mortal server', comeBack(all));
      await Promise.all(all.watches.map((watch) => watch.whileIdle(sleep(REST))));
      for (const watch of all.watches) watch.sample();
    }
  }

  async function comeBack(all: { readonly mortal: Restartable; readonly returning: Series }): Promise<void> {
    await all.mortal.killAndRestart(PAUSE);
    const started = performance.now();
    await reached(faithful.port, 'the mortal server');
    all.returning.add((performance.now() - started) / 1000);
    await checkedTransfer(faithful.port, 'down', 8);
  }
}

async function moveMuch(port: number, watches: readonly Watch[]): Promise<void> {
  const memories = watches.map((watch) => watch.afterTransfers());
  const speed = new Series(`${BIG} MiB through the tunnel`, 'MB/s', Number.POSITIVE_INFINITY);
  for (let count = 1; count <= BIG_TRANSFERS; count += 1) {
    showProgress(`transfer ${count} of ${BIG_TRANSFERS}`);
    const direction = count % 2 === 0 ? 'up' : 'down';
    await attempt(
      `transfer ${count}`,
      checkedTransfer(port, direction, BIG).then((ms) => speed.add((BIG * 2 ** 20) / 1000 / ms)),
    );
    for (const memory of memories) memory.sample();
  }
  report([...memories.map(({ series }) => series), speed]);
}

async function simulate(): Promise<void> {
  for (const simulation of SIMULATIONS) {
    const times = new Series(`${simulation.seeds} meetings: ${simulation.name}`, 's', Number.POSITIVE_INFINITY);
    for (let seed = 1; seed <= simulation.seeds; seed += 1) {
      showProgress(`simulation: ${simulation.name}, seed ${seed} of ${simulation.seeds}`);
      const took = await meet(simulation, seed);
      if (took > LIMIT) failures.push(`${simulation.name}, seed ${seed}: not met within ${LIMIT / 1000} s`);
      else times.add(took / 1000);
    }
    report([times]);
  }
  for (const { name, seeds, options } of CHURNS) {
    const times = new Series(`${seeds * 4} clients come, ${name}`, 's', Number.POSITIVE_INFINITY);
    for (let seed = 1; seed <= seeds; seed += 1) {
      showProgress(`simulation: ${name}, seed ${seed} of ${seeds}`);
      for (const took of await visitsDuringChurn(options, seed)) {
        if (took > LIMIT) failures.push(`${name}, seed ${seed}: a client not admitted within ${LIMIT / 1000} s`);
        else times.add(took / 1000);
      }
    }
    report([times]);
  }
}

/** Waits for the DHT of a network as big as the public one, so that nothing is measured beside it. */
async function finish(crowd: Crowd): Promise<void> {
  showProgress('the simulation of a large DHT goes on');
  const { series, failures: missed } = await crowd.ended();
  report(series);
  failures.push(...missed);
}

/** The changes are in no private network of this machine, but in a lab. */
async function change(): Promise<void> {
  const changes = await endureChanges();
  report(changes.pauses);
  failures.push(...changes.failures);
  if (changes.leftOut !== undefined) rows.push([`transfers in a changing network: left out, ${changes.leftOut}`]);
}

/** Both at once: all that they do is wait. */
async function outages(): Promise<void> {
  const missing = LAB_REQUIREMENTS.filter(({ isMet }) => !isMet).map(({ reason }) => reason);
  if (missing.length > 0) rows.push([`outages are left out: ${missing.join('; ')}`]);
  else await Promise.all([outage(CUT, cutSeconds), outage(STOP, stopSeconds)]);
}

async function outage(kind: Outage, seconds: number): Promise<void> {
  const what = `${kind.name} for ${seconds} s`;
  showProgress(what);
  const downs: (() => Promise<void>)[] = [];
  try {
    const recovery = await suffer({ teardown: (down) => downs.push(down) }, kind, {
      duration: seconds * 1000,
      isCompared: true,
    });
    for (const [who, ms] of Object.entries(recovery)) {
      const times = new Series(`${what}: ${who}`, 's', Number.POSITIVE_INFINITY);
      times.add(ms / 1000);
      report([times]);
      if (who !== 'before' && ms > RECOVERY) failures.push(`${what}: ${who} needed ${ms / 1000} s`);
    }
  } catch (error) {
    failures.push(`${what}: ${messageOf(error)}`);
  } finally {
    for (const down of downs) await down();
  }
}

function printTable(): void {
  const table = [['', 'first', 'median', 'worst', 'last', ''], ...rows];
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(cells.join('  ').trimEnd());
  }
  for (const failure of failures) console.log(`FAILED: ${failure}`);
}

endCleanlyOnSignals();
try {
  const crowd = new Crowd();
  await outages();
  await change();
  await simulate();
  await attempt('the simulation of a large DHT', finish(crowd));
  await endure();
} catch (error) {
  failures.push(messageOf(error));
} finally {
  clearProgress();
  await stopAll();
}
printTable();
process.exitCode = failures.length === 0 ? 0 : 1;
