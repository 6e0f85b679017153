/**
 * Records the quick start of README.md in a private network, and draws what two terminals showed (`make recording`). Needs root, for
 * network and host names of its own, and OpenSSH.
 *
 *     node dist/bench/recording.js DIRECTORY           records home.cast and laptop.cast there, and draws recording.svg
 *     node dist/bench/recording.js DIRECTORY --draw    draws what was recorded before
 *
 * Output and its times are those of the real commands. Left out of the lines that are typed is what only a private network needs:
 * `--bootstrap`, `-t 0`, the pid file and the keys of ssh. On one machine a relay would be found before UDP.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../src/base/coded-error.js';
import { type Prefix, type Process, startProgram, startTuntox, temporaryDirectory } from '../test/support/processes.js';
import { startSshd } from '../test/support/sshd.js';
import { type Cast, type CastEvent, formatCast, parseCast } from './recording/cast.js';
import { drawCasts, layOut } from './recording/draw.js';
import { endCleanlyOnSignals, keep, stopAll } from './support/private-network.js';

const COLUMNS = 96;
const DESCRIPTION = 'Two terminals: one shares its ssh server at home, the other reaches it from a laptop with a link';
/** Seconds in which a word is typed, and before a command. */
const WORD = 0.12;
const THOUGHT = 0.8;

const sleep = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

class Terminal {
  readonly events: CastEvent[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.show('$ ');
  }

  show(text: string): void {
    this.events.push({ at: this.#now(), text: text.replace(/\n/g, '\r\n') });
  }

  async type(command: string): Promise<void> {
    await sleep(THOUGHT);
    for (const word of command.split(/(?<= )/)) {
      this.show(word);
      await sleep(WORD);
    }
    this.show('\n');
  }

  /** Shows what the process prints, and a prompt once it has ended. */
  follow(process: Process): Process {
    for (const stream of [process.child.stdout, process.child.stderr]) {
      stream.on('data', (bytes: Buffer) => this.show(bytes.toString()));
    }
    void process.exited.then(() => this.show('$ '));
    return process;
  }

  cast(title: string): Cast {
    const { events } = this;
    const rows = (layOut({ columns: COLUMNS, events }).at(-1)?.row ?? 0) + 1;
    return { title, columns: COLUMNS, rows, events };
  }
}

/** A network of its own with nothing but loopback, in which the machine is called home. */
async function startNetwork(): Promise<Prefix> {
  const script = 'hostname home && ip link set lo up && echo up && exec sleep 3600';
  const holder = keep(startProgram('network', ['unshare', '--net', '--uts', 'sh', '-c', script]));
  await holder.waitFor(/^up$/m);
  return ['nsenter', `--net=/proc/${holder.pid}/ns/net`, `--uts=/proc/${holder.pid}/ns/uts`];
}

async function record(): Promise<readonly Cast[]> {
  const prefix = await startNetwork();
  const sshd = await startSshd({ directory: temporaryDirectory(), address: '127.0.0.1', port: 22, prefix });
  keep(sshd.process);
  const node = keep(
    startTuntox(['--node', '-C', temporaryDirectory(), '-u', '33445:33445', '-t', '0'], { name: 'node', prefix }),
  );
  const [entry] = await node.waitFor(/^[0-9]+:[0-9A-F]{64}$/im);
  const common = ['--bootstrap', `127.0.0.1:${entry}`];

  const start = performance.now();
  const now = (): number => (performance.now() - start) / 1000;
  const home = new Terminal(now);
  const laptop = new Terminal(now);
  await home.type('tuntox share 22');
  const server = keep(startTuntox(['share', '22', ...common, '-t', '0'], { name: 'server', prefix }));
  home.follow(server);
  const [link = ''] = await server.waitFor(/tuntox:\S+/);
  await server.waitFor(/^online/m);

  await laptop.type(`tuntox join -z ${link}`);
  const pidFile = join(temporaryDirectory(), 'pid');
  const client = startTuntox(['join', '-z', '-F', pidFile, link, ...common], { name: 'client', prefix });
  await laptop.follow(client).waitForEnd();

  await laptop.type('ssh -p 10022 127.0.0.1 uname -n');
  const ssh = ['ssh', ...sshd.options, '-o', 'LogLevel=ERROR', '-p', '10022', '127.0.0.1', 'uname', '-n'];
  await laptop.follow(startProgram('ssh', ssh, { prefix })).waitForEnd();
  await sleep(THOUGHT);
  const casts = [home.cast('home'), laptop.cast('laptop')];
  process.kill(Number(readFileSync(pidFile, 'latin1')));
  return casts;
}

const [directory = '', option] = process.argv.slice(2);
const files = ['home.cast', 'laptop.cast'].map((name) => join(directory, name));
endCleanlyOnSignals();
try {
  mkdirSync(directory, { recursive: true });
  if (option !== '--draw') {
    const casts = await record();
    for (const [index, file] of files.entries()) writeFileSync(file, formatCast(casts[index] as Cast));
  }
  const casts = files.map((file) => parseCast(readFileSync(file, 'utf8')));
  writeFileSync(join(directory, 'recording.svg'), drawCasts(casts, DESCRIPTION));
} catch (error) {
  console.error(`nothing was recorded: ${messageOf(error)}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}
