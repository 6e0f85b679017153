/**
 * Writes what the commands show on a terminal of 80 columns, each screen a text (`make screens`). All come from real commands in a
 * private network; what only that needs, as `--bootstrap`, is left out of the line that is shown.
 *
 *     node dist/bench/screens.js DIRECTORY
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../src/base/coded-error.js';
import { type Process, ROOT, startProgram, TUNTOX_COMMAND, temporaryDirectory } from '../test/support/processes.js';
import { lastScreen, pictureOf } from './screens/picture.js';
import { endCleanlyOnSignals, keep, startNode, startService, stopAll } from './support/private-network.js';

const CTL = [process.execPath, join(ROOT, 'dist/bin/tuntoxctl.js')];
const NOBODY = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const HOME = temporaryDirectory();
/** ms for what needs the network, on a busy machine. */
const PATIENCE = 120_000;
/** What the terminal turns into SIGINT: a signal to `script` would reach the command twice, and the second one stops it at once. */
const CTRL_C = '\x03';

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Runs a command on a terminal of its own. */
function onTerminal(name: string, command: readonly string[]): Process {
  const line = `stty cols 80 rows 24 -echo; exec ${command.map(quoted).join(' ')}`;
  const env = { ...process.env, HOME, XDG_RUNTIME_DIR: HOME, TERM: 'xterm', NO_COLOR: '1' };
  return keep(startProgram(name, ['script', '-qefc', line, '/dev/null'], { env }));
}

class Screens {
  readonly #directory: string;
  readonly #node: readonly string[];

  constructor(directory: string, node: readonly string[]) {
    this.#directory = directory;
    this.#node = node;
  }

  /** A command that connects to nothing. */
  async plain(
    name: string,
    program: 'tuntox' | 'tuntoxctl',
    args: readonly string[],
    unshown: readonly string[] = [],
  ): Promise<Process> {
    const process = onTerminal(name, [...(program === 'tuntox' ? TUNTOX_COMMAND : CTL), ...unshown, ...args]);
    await process.waitForEnd();
    this.#write(name, [program, ...args], process);
    return process;
  }

  start(name: string, args: readonly string[]): Process {
    return onTerminal(name, [...TUNTOX_COMMAND, ...args, ...this.#node]);
  }

  /** Writes what the process has shown until now. */
  keep(name: string, args: readonly string[], process: Process): void {
    this.#write(name, ['tuntox', ...args], process);
  }

  /** Writes the screen of a process that has the whole of it. */
  keepScreen(name: string, words: readonly string[], { stdout }: Process): void {
    this.#write(name, words, { stdout: lastScreen(stdout) });
  }

  #write(name: string, words: readonly string[], { stdout }: Pick<Process, 'stdout'>): void {
    const line = words.map((word) => (/^[\w:/.@-]+$/.test(word) ? word : quoted(word))).join(' ');
    writeFileSync(
      join(this.#directory, `${name}.txt`),
      pictureOf(`$ ${line}\r\n${Buffer.from(stdout, 'latin1')}`).replaceAll(HOME, '/home/ann'),
    );
    console.log(name);
  }
}

async function connections(screens: Screens): Promise<void> {
  const port = await startService();
  const shareArgs = ['share', String(port)];
  const share = screens.start('share', shareArgs);
  const [, link = ''] = await share.waitFor(/tuntox join (tuntox:\/\/\S+)/);
  await share.waitFor(/^online/m);
  const joinArgs = ['join', link, '-L', '10022:127.0.0.1:22'];
  const join = screens.start('join', joinArgs);
  await join.waitFor(/connected: direct, \d/, PATIENCE);
  await share.waitFor(/client [0-9A-F]{8} connected/, PATIENCE);
  const refusedArgs = ['-i', link.slice('tuntox://'.length).split('/')[0] as string, '-L', '8080:127.0.0.1:80'];
  const refused = screens.start('refused', refusedArgs);
  const soughtArgs = ['-i', NOBODY, '-W', '127.0.0.1:22'];
  const sought = screens.start('progress', soughtArgs);
  // Both have given their hint.
  await refused.waitFor(/\d\d s: it has not admitted/, PATIENCE);
  screens.keep('refused', refusedArgs, refused);
  await sought.waitFor(/\d\d s: is it running/, PATIENCE);
  screens.keep('progress', soughtArgs, sought);
  share.child.stdin.write(CTRL_C);
  await join.waitForEnd();
  await share.waitForEnd();
  screens.keep('join', joinArgs, join);
  screens.keep('share', shareArgs, share);
}

/** A daemon with a service, an invitation and the client that has redeemed it. */
async function lastingServer(screens: Screens, node: string): Promise<void> {
  const [socket, state] = [join(HOME, 'tuntoxd.sock'), join(HOME, 'daemon')];
  const places = ['-C', state, '--socket-path', socket, '--socket-group', 'root', '--network-relay-port', '0'];
  const command = [process.execPath, join(ROOT, 'dist/bin/tuntoxd.js'), ...places, '--network-bootstrap', node];
  const daemon = keep(startProgram('tuntoxd', command, { env: { ...process.env, HOME } }));
  await daemon.waitFor(/online/, PATIENCE);
  const port = String(await startService());
  const ctl = (name: string, args: string): Promise<Process> =>
    screens.plain(`tuntoxctl-${name}`, 'tuntoxctl', args.split(' '), ['--socket', socket]);
  await ctl('expose', `expose web ${port}`);
  const invitation = await ctl('invite-create', 'invite create --name laptop --allow web');
  const [link = ''] = /tuntox:\/\/\S+/.exec(invitation.stdout.replace(/\r\n(?=\S)/g, '')) ?? [];
  const storeArgs = ['join', link, 'nas'];
  const store = screens.start('join-name', storeArgs);
  await store.waitForEnd(PATIENCE);
  screens.keep('join-name', storeArgs, store);
  for (const args of [['nas'], ['ping', 'nas'], ['list']]) {
    const name = args.join('-');
    const shown = args[0] === 'list' ? onTerminal(name, [...TUNTOX_COMMAND, ...args]) : screens.start(name, args);
    await shown.waitForEnd(PATIENCE);
    screens.keep(name === 'nas' ? 'host' : name, args, shown);
  }
  await screens.plain('agent-status', 'tuntox', ['agent', 'status']);
  for (const args of ['status', 'clients', 'clients pending', 'invite list', 'services list', 'connections list']) {
    await ctl(args.replaceAll(' ', '-'), args);
  }
  await traffic(screens, socket);
  await screens.plain('agent-stop', 'tuntox', ['agent', 'stop']);
}

/** The speed test of a client, and what its owner sees of it. */
async function traffic(screens: Screens, socket: string): Promise<void> {
  const top = onTerminal('top', [...CTL, '--socket', socket, 'top']);
  const speed = screens.start('speed', ['speed', 'nas']);
  // Eight figures of the second direction, which are half of it; and a screen that was drawn to its end.
  await speed.waitFor(/up {4}.{12,20}(?:\xe2\x96.){8}/s, PATIENCE);
  await top.waitFor(/(?:1 tunnel .*k kick.*){2}/s, PATIENCE);
  screens.keepScreen('tuntoxctl-top', ['tuntoxctl', 'top'], top);
  await speed.waitForEnd(PATIENCE);
  screens.keep('speed', ['speed', 'nas'], speed);
  top.child.stdin.write('q');
  await top.waitForEnd();
}

const HELP = ['-h', '--help', 'help share', 'help join', 'help ssh', 'help agent'] as const;
const ERRORS = ['shar 22', 'share 0', 'join tuntox://x', '-L nonsense -i 12', '-i 12 -p', 'nas -L 1:a:2'] as const;
const CTL_HELP = ['-h', '--help', 'help clients', 'help invite', 'help expose', 'help top', 'statsu'] as const;

async function main(): Promise<void> {
  const [, , directory = ''] = process.argv;
  mkdirSync(directory, { recursive: true });
  endCleanlyOnSignals();
  const node = await startNode();
  const screens = new Screens(directory, ['--bootstrap', node]);
  const nameOf = (args: string): string => args.replace(/[^a-zA-Z0-9]+/g, '-').replace(/^-|-$/g, '');
  for (const args of HELP) await screens.plain(`tuntox-${nameOf(args)}`, 'tuntox', args.split(' '));
  for (const args of ERRORS) await screens.plain(`error-${nameOf(args)}`, 'tuntox', args.split(' '));
  for (const args of CTL_HELP) await screens.plain(`tuntoxctl-${nameOf(args)}`, 'tuntoxctl', args.split(' '));
  await connections(screens);
  await lastingServer(screens, node);
}

try {
  await main();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
} finally {
  await stopAll();
}
