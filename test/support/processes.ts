/**
 * Real processes for tests, the demo and benchmarks: each is followed line by line, and none outlives the one that started
 * it: `stop` asks, then kills, and what is left when this process exits is killed then.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './temporary-directory.js';

export { temporaryDirectory };

/** The root of the repository, from dist/test/support. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  bin: Readonly<Record<string, string>>;
};
/** Returns the file of a command. @param root where the program is installed */
export const commandFile = (name: string, root = ROOT): string => join(root, bin[name] as string);
export const TUNTOX = commandFile('tuntox');

/** ms: a guard against hanging, several times what anything takes; never a statement about speed. */
export const PATIENCE = 30_000;

const running = new Set<Process>();
function killAll(): void {
  for (const one of running) one.kill('SIGKILL');
}
process.once('exit', killAll);
// By these the process would end without an 'exit'; tap ends tests that take too long by the first.
for (const signal of ['SIGALRM', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAll();
    process.kill(process.pid, signal);
  });
}

/**
 * Calls back when all has been read that could be read at the same time: a line on standard error that was written before one on
 * standard output, or by another process before this one ended, is there then.
 */
function afterReading<T>(callback: (value: T) => void, value: T): void {
  setImmediate(callback, value);
}

export class Process {
  readonly name: string;
  readonly child: ChildProcessWithoutNullStreams;
  stdout = '';
  stderr = '';
  readonly exited: Promise<number | NodeJS.Signals>;
  #status: number | NodeJS.Signals | undefined;
  #onOutput = new Set<() => void>();

  constructor(
    name: string,
    command: string,
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
  ) {
    this.name = name;
    this.child = spawn(command, args, { ...options, stdio: 'pipe' });
    running.add(this);
    this.child.stdin.on('error', () => {});
    const collect = (stream: 'stdout' | 'stderr') => (bytes: Buffer) => {
      this[stream] += bytes.toString('latin1');
      for (const listener of this.#onOutput) listener();
    };
    this.child.stdout.on('data', collect('stdout'));
    this.child.stderr.on('data', collect('stderr'));
    this.exited = new Promise((resolve) => {
      const end = (status: number | NodeJS.Signals): void => {
        this.#status ??= status;
        running.delete(this);
        for (const listener of this.#onOutput) listener();
        afterReading(resolve, this.#status);
      };
      this.child.once('close', (code, signal) => end(code ?? signal ?? 1));
      this.child.once('error', (error) => {
        this.stderr += error.message;
        end(127);
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasExited(): boolean {
    return this.#status !== undefined;
  }

  /** Waits until the output matches and returns the match. Rejects if the process ends first, with its output. */
  async waitFor(pattern: RegExp, patience = PATIENCE): Promise<RegExpExecArray> {
    const find = (): RegExpExecArray | null => pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
    return new Promise((resolve, reject) => {
      const finish = (result: RegExpExecArray | Error): void => {
        clearTimeout(timer);
        this.#onOutput.delete(check);
        if (result instanceof Error) reject(result);
        else afterReading(resolve, result);
      };
      const check = (): void => {
        const match = find();
        if (match !== null) finish(match);
        else if (this.hasExited) finish(this.#complaint(`ended with ${this.#status} before ${pattern}`));
      };
      const timer = setTimeout(
        () => finish(this.#complaint(`did not say ${pattern} within ${patience / 1000} s`)),
        patience,
      );
      this.#onOutput.add(check);
      check();
    });
  }

  /** Waits until the process ends, and returns its exit status or signal. Rejects if it does not within `patience` ms, with its output. */
  async waitForEnd(patience = PATIENCE): Promise<number | NodeJS.Signals> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#complaint(`did not end within ${patience / 1000} s`)), patience);
    });
    return Promise.race([this.exited, late]).finally(() => clearTimeout(timer));
  }

  #complaint(what: string): Error {
    return new Error(
      `${this.name} ${what}\n--- stdout\n${this.stdout.slice(-2000)}\n--- stderr\n${this.stderr.slice(-4000)}`,
    );
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Asks the process to end, kills it when it does not; returns its exit status or signal. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    this.kill(signal);
    const timer = setTimeout(() => this.kill('SIGKILL'), PATIENCE);
    const status = await this.exited;
    clearTimeout(timer);
    return status;
  }

  /** Resident memory in bytes, from /proc. */
  async resident(): Promise<number> {
    const { readFile } = await import('node:fs/promises');
    const status = await readFile(`/proc/${this.pid}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }
}

/** What a command line may begin with so that it runs somewhere else, such as in a network namespace. */
export type Prefix = readonly string[];

/** Starts a program, behind a prefix if there is one. */
export function startProgram(
  name: string,
  command: readonly string[],
  options: { readonly prefix?: Prefix | undefined; readonly env?: NodeJS.ProcessEnv } = {},
): Process {
  const { prefix = [], env } = options;
  const [program, ...args] = [...prefix, ...command];
  return new Process(name, program as string, args, env === undefined ? {} : { env });
}

/** tap has every Node that is started below it load a recorder of its own, which costs time and memory, and writes files. */
const UNRECORDED: Prefix = ['env', '-u', 'NODE_OPTIONS'];

/** Runs `tuntox` or `tuntoxd` as users do: with the options that its first line gives Node, but with the Node of this process. */
export function commandOf(name: 'tuntox' | 'tuntoxd'): readonly string[] {
  const file = commandFile(name);
  const [firstLine = ''] = readFileSync(file, 'latin1').split('\n', 1);
  return [...UNRECORDED, process.execPath, ...firstLine.split(' ').filter((word) => word.startsWith('--')), file];
}

/** The real command as users run it. */
export const TUNTOX_COMMAND = commandOf('tuntox');

const OF_CALLER = [
  ...['TUNTOX_SHARED_SECRET', 'ALL_PROXY', 'all_proxy'],
  ...['XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR'],
];

let home: string | undefined;

/** The home of all commands of this process that have no other: nobody's own files are read or written. */
function emptyHome(): string {
  home ??= temporaryDirectory();
  return home;
}

/** Runs the real command, without anything of the caller's environment that would change what it does. */
export function startTuntox(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; name?: string; prefix?: Prefix } = {},
): Process {
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: emptyHome(), ...options.env };
  for (const name of OF_CALLER) if (options.env?.[name] === undefined) delete env[name];
  // Otherwise the socket of the agent would be in that of the user who runs the tests.
  env.XDG_RUNTIME_DIR ??= env.HOME;
  return startProgram(options.name ?? 'tuntox', [...TUNTOX_COMMAND, ...args], { env, prefix: options.prefix });
}

/** Ports below those that the system gives out by itself, and how many of them belong to each process before it takes those of another. */
const OWN_PORTS = { first: 10_000, last: 31_999, each: 50 } as const;
let portsTaken = process.pid * OWN_PORTS.each;

/**
 * The next port that is free. Neither the system nor the next 400 processes give it to another program before it is used, so no test file
 * that runs at the same time does.
 */
async function nextFreePort(isFree: (port: number) => Promise<boolean>): Promise<number> {
  for (;;) {
    const port = OWN_PORTS.first + (portsTaken % (OWN_PORTS.last - OWN_PORTS.first + 1));
    portsTaken += 1;
    if (await isFree(port)) return port;
  }
}

export const freeUdpPort = (): Promise<number> => nextFreePort(isFreeUdpPort);

export const freeTcpPort = (): Promise<number> => nextFreePort(isFreeTcpPort);

/** One that is free for both: what serves datagrams there serves as a relay, too. */
export const freePort = (): Promise<number> =>
  nextFreePort(async (port) => (await isFreeUdpPort(port)) && (await isFreeTcpPort(port)));

/** The first of adjacent TCP ports that are free. */
export async function freeTcpPorts(count: number): Promise<number> {
  for (let ports = [await freeTcpPort()]; ; ) {
    const [first] = ports as [number, ...number[]];
    if (ports.length === count) return first;
    const next = await freeTcpPort();
    ports = next === first + ports.length ? [...ports, next] : [next];
  }
}

function isFreeUdpPort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, () => socket.close(() => resolve(true)));
  });
}

function isFreeTcpPort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/**
 * Debian's tox-bootstrapd on loopback, or in a network of its own, as the only node or one that enters by other nodes
 * (HOST:PORT:KEY); ready when its port answers.
 */
export async function startBootstrapd(
  options: { readonly prefix?: Prefix; readonly isRelay?: boolean; readonly nodes?: readonly string[] } = {},
): Promise<{ process: Process; port: number; key: string; argument: string }> {
  const port = await freePort();
  const directory = temporaryDirectory();
  const config = join(directory, 'bootstrapd.conf');
  writeFileSync(
    config,
    [
      `port = ${port}`,
      `keys_file_path = "${directory}/keys"`,
      `pid_file_path = "${directory}/pid"`,
      'enable_ipv6 = false',
      'enable_ipv4_fallback = true',
      'enable_lan_discovery = false',
      `enable_tcp_relay = ${options.isRelay === true}`,
      // The number of the UDP port: others expect the relay there by default.
      `tcp_relay_ports = [${port}]`,
      'enable_motd = false',
      `bootstrap_nodes = ( ${(options.nodes ?? []).map(nodeEntry).join(', ')} )`,
      '',
    ].join('\n'),
  );
  const command = ['tox-bootstrapd', `--config=${config}`, '--foreground', '--log-backend=stdout'];
  const daemon = startProgram('tox-bootstrapd', command, options);
  const key = (await daemon.waitFor(/Public Key: ([0-9A-F]{64})/))[1] as string;
  return { process: daemon, port, key, argument: `127.0.0.1:${port}:${key}` };
}

function nodeEntry(node: string): string {
  const [address, port, key] = node.split(':');
  return `{ public_key = "${key}"; address = "${address}"; port = ${port} }`;
}
