/** A private Tox network on loopback, of processes of the real command, with a service to be reached through it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  freeTcpPort,
  freeUdpPort,
  type Process,
  ROOT,
  startProgram,
  startTuntox,
  temporaryDirectory,
} from '../../test/support/processes.js';

/** Every process that runs, in the order in which to stop them: what uses another comes first. */
const started: Process[] = [];

/** Has the process stopped with the others, and watched by `whileAllRun`. */
export function keep(process: Process): Process {
  started.unshift(process);
  return process;
}

/** Stops all that is left; each exit status by the process's name. */
export async function stopAll(): Promise<ReadonlyMap<string, number | NodeJS.Signals>> {
  const statuses = new Map<string, number | NodeJS.Signals>();
  for (const process of started.splice(0)) statuses.set(process.name, await process.stop());
  return statuses;
}

/** Stops one of them. @returns its exit status or signal */
export function stop(process: Process): Promise<number | NodeJS.Signals> {
  started.splice(started.indexOf(process), 1);
  return process.stop();
}

/** ms to wait for the end of a process after an error: the process that died explains more than a broken connection. */
const DEATH_NOTICE = 500;

/** Does the work, and gives up at once when one of the processes ends before. @throws Error (rejects) with its output */
export async function whileAllRun<T>(work: Promise<T>): Promise<T> {
  const firstEnd = Promise.race(
    started.map(async (process): Promise<never> => {
      const status = await process.exited;
      throw new Error(`${process.name} ended with ${status}\n${process.stderr.slice(-2000)}`.trimEnd());
    }),
  );
  try {
    return await Promise.race([work, firstEnd]);
  } catch (error) {
    await Promise.race([firstEnd, new Promise((resolve) => setTimeout(resolve, DEATH_NOTICE))]);
    throw error;
  }
}

/** A signal ends this process as any other; what it started ends and its directories go with it (test/support/processes). */
export function endCleanlyOnSignals(): void {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
  for (const [signal, number] of Object.entries(numbers)) process.once(signal, () => process.exit(128 + number));
}

/** The only bootstrap node. @returns what others give to `--bootstrap` */
export async function startNode(): Promise<string> {
  return (await startOneNode([])).address;
}

/** A bootstrap node that enters through others. */
export async function startOneNode(
  others: readonly string[],
): Promise<{ readonly process: Process; readonly address: string }> {
  const port = await freeUdpPort();
  const nodes = others.flatMap((node) => ['--bootstrap', node]);
  const args = ['--node', '-C', temporaryDirectory(), '-u', `${port}:${port}`, ...nodes];
  const node = keep(startTuntox(args, { name: 'node' }));
  const [entry] = await node.waitFor(/^[0-9]+:[0-9A-F]{64}$/im);
  return { process: node, address: `127.0.0.1:${entry}` };
}

/** @returns its port */
export async function startService(): Promise<number> {
  return startHelper('service');
}

/** A process of Node that only copies between TCP connections. @returns its port */
export async function startNodeRelay(target: number): Promise<number> {
  return startHelper('relay', String(target));
}

/** The same by socat, which has a process for each connection. @returns its port */
export async function startSocat(target: number): Promise<number> {
  const port = await freeTcpPort();
  const listen = `TCP-LISTEN:${port},bind=127.0.0.1,fork,nodelay`;
  const socat = keep(startProgram('socat', ['socat', '-d', '-d', listen, `TCP:127.0.0.1:${target},nodelay`]));
  await socat.waitFor(/listening on/);
  return port;
}

/** A bare process of Node that answers each datagram. */
export function startBare(): Promise<{ readonly process: Process; readonly port: number }> {
  return startProgramOfOurs('bare');
}

async function startHelper(name: string, ...args: readonly string[]): Promise<number> {
  return (await startProgramOfOurs(name, ...args)).port;
}

/** Starts a program of this folder that prints its port. */
async function startProgramOfOurs(
  name: string,
  ...args: readonly string[]
): Promise<{ readonly process: Process; readonly port: number }> {
  const helper = keep(startProgram(name, [process.execPath, join(ROOT, `dist/bench/support/${name}.js`), ...args]));
  return { process: helper, port: Number((await helper.waitFor(/^[0-9]+$/m))[0]) };
}

export interface Server {
  readonly process: Process;
  readonly toxId: string;
  readonly secret: string;
}

/** Ready when it has found the network; until friends find it, it takes a little longer. @param more arguments */
export async function startServer(bootstrap: string, more: readonly string[] = []): Promise<Server> {
  const secret = randomBytes(16).toString('hex');
  const args = ['-C', temporaryDirectory(), '--bootstrap', bootstrap, ...more];
  const server = keep(startTuntox(args, { name: 'server', env: { TUNTOX_SHARED_SECRET: secret } }));
  const [toxId] = await server.waitFor(/^[0-9A-F]{76}$/m);
  await server.waitFor(/^([^ ]+Z )?online/m);
  return { process: server, toxId, secret };
}

export interface Client {
  readonly process: Process;
  /** Its forwarded port. */
  readonly port: number;
  /** performance.now() when it was executed. */
  readonly executedAt: number;
}

/** A client with a new identity that knows one node or some, and forwards a port to the service; ready when that port listens. */
export async function startClient(
  server: Pick<Server, 'toxId' | 'secret'>,
  options: {
    readonly bootstrap: string | readonly string[];
    readonly target: number;
    /** More arguments. */
    readonly more?: readonly string[];
  },
): Promise<Client> {
  const port = await freeTcpPort();
  const forward = `${port}:127.0.0.1:${options.target}`;
  const nodes = [options.bootstrap].flat().flatMap((node) => ['--bootstrap', node]);
  const args = ['-i', server.toxId, '-L', forward, ...nodes, ...(options.more ?? [])];
  const executedAt = performance.now();
  const client = keep(startTuntox(args, { name: 'client', env: { TUNTOX_SHARED_SECRET: server.secret } }));
  await client.waitFor(/^([^ ]+Z )?listening/m);
  return { process: client, port, executedAt };
}

export interface Memory {
  /** Resident now, bytes; and the most it ever was. */
  readonly resident: number;
  readonly peak: number;
}

/** What the kernel has counted; undefined where there is no /proc. */
export function memoryOf(process: Pick<Process, 'pid'>): Memory | undefined {
  try {
    const status = readFileSync(`/proc/${process.pid}/status`, 'latin1');
    const bytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
    return { resident: bytes('VmRSS'), peak: bytes('VmHWM') };
  } catch {
    return undefined;
  }
}
