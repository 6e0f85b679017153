/**
 * How long our processes take to start: commands that answer at once, from exec to exit; and the daemon in an empty state
 * directory, from exec until its control socket answers. Beside them what Node itself needs; all of them in turn, round by round.
 *
 *     node dist/bench/start.js [rounds, 10 by default]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../src/base/clock.js';
import { ControlClient } from '../src/control/client.js';
import { IpcError } from '../src/control/ipc.js';
import { commandFile, commandOf, type Process, startProgram, temporaryDirectory } from '../test/support/processes.js';
import { atMost, type Figure, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { keep, stop } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { median } from './support/statistics.js';

const [rounds = 10] = benchmarkArguments.map(Number);
const NODE = ['env', '-u', 'NODE_OPTIONS', process.execPath];
/** s until the daemon answers. */
const DAEMON_MARK = 1;
/** ms between two checks for the socket. */
const LOOK = 5;
/** A node that does not exist, so that nothing leaves this machine. */
const NOBODY = `127.0.0.1:9:${'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B'}`;

const COMMANDS: readonly (readonly [name: string, words: readonly string[], status: number])[] = [
  ['node -e 0', ['-e', '0'], 0],
  ['tuntox --help', [commandFile('tuntox'), '--help'], 0],
  ['tuntox --version', [commandFile('tuntox'), '--version'], 0],
  ['tuntoxd --help', [commandFile('tuntoxd'), '--help'], 0],
  ['tuntoxctl --help', [commandFile('tuntoxctl'), '--help'], 0],
  ['tuntoxctl status, no daemon', [commandFile('tuntoxctl'), '--socket', '/nonexistent', 'status'], 3],
];

async function run(name: string, words: readonly string[], status: number): Promise<number> {
  const started = performance.now();
  const command = startProgram(name, [...NODE, ...words]);
  const ended = await command.waitForEnd();
  if (ended !== status) throw new Error(`${name} ended with ${ended}: ${command.stderr}`);
  return (performance.now() - started) / 1000;
}

/** Seconds, all from exec; processor time of the daemon alone. */
interface DaemonStart {
  readonly answers: number;
  readonly ready: number;
  readonly processor: number;
}

async function startDaemon(): Promise<DaemonStart> {
  const directory = temporaryDirectory();
  const socket = join(directory, 'tuntoxd.sock');
  const config = join(directory, 'tuntox.yaml');
  writeFileSync(
    config,
    `state_dir: ${join(directory, 'state')}\nsocket: { path: ${socket} }\nnetwork: { bootstrap: [ '${NOBODY}' ] }\n`,
  );
  const started = performance.now();
  const since = (): number => (performance.now() - started) / 1000;
  const daemon = keep(
    startProgram('tuntoxd', [...commandOf('tuntoxd'), '--config', config], {
      env: { ...process.env, NOTIFY_SOCKET: '' },
    }),
  );
  const isReady = daemon.waitFor(/is ready: /).then(since);
  const [ready, answers] = await Promise.all([isReady, whenAnswers(daemon, socket).then(since)]);
  const processor = processorTimeOf(daemon);
  await stop(daemon);
  return { answers, ready, processor };
}

async function whenAnswers(daemon: Process, path: string): Promise<void> {
  while (!daemon.hasExited) {
    try {
      (await ControlClient.connect(systemClock, { path, client: 'benchmark', timeout: 10_000 })).close();
      return;
    } catch (error) {
      if (!(error instanceof IpcError) || error.code !== 'not-running') throw error;
    }
    await sleep(LOOK);
  }
}

/** Of all its threads so far, s. A tick of Linux has 10 ms. */
function processorTimeOf({ pid }: Process): number {
  const [user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ').slice(13, 15).map(Number);
  return (user + system) / 100;
}

await runBenchmark('Starting a process', async () => {
  const seconds = new Map<string, number[]>(COMMANDS.map(([name]) => [name, []]));
  const daemons: DaemonStart[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    showProgress(`round ${round} of ${rounds}`);
    for (const [name, words, status] of COMMANDS) seconds.get(name)?.push(await run(name, words, status));
    daemons.push(await startDaemon());
  }
  const [limit = Number.NaN] = [...seconds.values()].map(median);
  const figures = [...seconds].map(
    ([what, values], index): Figure => ({
      what,
      measured: spread(values, 's'),
      note: index === 0 ? 'the limit' : `${(median(values) / limit).toFixed(1)} times the limit`,
    }),
  );
  const answers = daemons.map((one) => one.answers);
  figures.push(
    {
      what: 'tuntoxd: its socket answers',
      measured: spread(answers, 's'),
      mark: atMost(median(answers), DAEMON_MARK, 's'),
      note: 'with a new identity',
    },
    {
      what: '  it says that it is ready',
      measured: spread(
        daemons.map(({ ready }) => ready),
        's',
      ),
      note: `processor ${spread(
        daemons.map(({ processor }) => processor),
        's',
      )}`,
    },
  );
  return figures;
});
