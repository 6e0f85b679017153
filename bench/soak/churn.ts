/** Clients that come and go, politely and not; nodes and servers that are killed and run again; and what must not be lost. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../src/base/coded-error.js';
import { freeUdpPort, type Process, startTuntox, temporaryDirectory } from '../../test/support/processes.js';
import { type Client, keep, type Server, startClient, stop } from '../support/private-network.js';
import { type Direction, greet, transfer } from '../support/service-client.js';
import { keepLogs, Turns } from './turns.js';

/** A guard: ms after which something counts as lost. The slowest is the silence of 32 s after which a friend is given up. */
const PATIENCE = 90_000;
const RETRY = 250;
/** ms, beyond the waits for a processor, after which a new client is too late. */
const LATE = 20_000;
const MIB = 2 ** 20;

/** A command that is killed and run again, in the same directory and with the same ports. */
export class Restartable {
  readonly #name: string;
  readonly #args: readonly string[];
  readonly #secret: string | undefined;
  process: Process;

  constructor(name: string, args: readonly string[], secret?: string) {
    this.#name = name;
    this.#args = args;
    this.#secret = secret;
    this.process = this.#run();
  }

  async killAndRestart(pause: number): Promise<void> {
    this.process.kill('SIGKILL');
    await stop(this.process);
    await sleep(pause);
    this.process = this.#run();
  }

  #run(): Process {
    const env = this.#secret === undefined ? {} : { TUNTOX_SHARED_SECRET: this.#secret };
    return keep(startTuntox(this.#args, { name: this.#name, env }));
  }
}

/** A bootstrap node that keeps its key and its port. */
export async function restartableNode(): Promise<{ readonly node: Restartable; readonly bootstrap: string }> {
  const port = await freeUdpPort();
  const node = new Restartable('node', ['--node', '-d', '-C', temporaryDirectory(), '-u', `${port}:${port}`]);
  const [entry] = await node.process.waitFor(/^[0-9]+:[0-9A-F]{64}$/im);
  return { node, bootstrap: `127.0.0.1:${entry}` };
}

/** A server that keeps its Tox ID. */
export async function restartableServer(
  bootstrap: string,
): Promise<{ readonly command: Restartable; readonly server: Pick<Server, 'toxId' | 'secret'> }> {
  const secret = randomBytes(16).toString('hex');
  const command = new Restartable('mortal', ['-C', temporaryDirectory(), '--bootstrap', bootstrap], secret);
  const [toxId] = await command.process.waitFor(/^[0-9A-F]{76}$/m);
  return { command, server: { toxId, secret } };
}

/** ms until the service greets through the port. @throws Error (rejects) when it never does */
export async function reached(port: number, what: string): Promise<number> {
  const started = performance.now();
  for (;;) {
    try {
      await greet(port);
      return performance.now() - started;
    } catch (error) {
      if (performance.now() - started > PATIENCE)
        throw new Error(`${what}: not reached in ${PATIENCE} ms`, { cause: error });
      await sleep(RETRY);
    }
  }
}

/** As of a browser with many tabs. */
const AT_ONCE = 200;

/** Connections that are all opened at the same moment. @throws Error (rejects) when one of them has no answer */
export async function manyAtOnce(port: number): Promise<void> {
  await Promise.all(Array.from({ length: AT_ONCE }, () => greet(port)));
}

/** @throws Error (rejects) when a byte is lost or wrong */
export async function checkedTransfer(port: number, direction: Direction, mebibytes: number): Promise<number> {
  const { sentDigest, receivedDigest, milliseconds } = await transfer(port, direction, mebibytes * MIB);
  if (sentDigest !== receivedDigest)
    throw new Error(`${mebibytes} MiB ${direction}: ${sentDigest} sent, ${receivedDigest} received`);
  return milliseconds;
}

export interface Visit {
  /** s until the service was reached. */
  readonly took: number;
  /** s of that in which the client, its server, the node or this process waited for a processor, whichever waited longest. */
  readonly waited: number;
  /** If it took too long: the directory with the logs of all. */
  readonly logs: string | undefined;
}

/** One client's whole life. @param options.others returns the processes that it depends on, which run now */
export async function visit(
  server: Pick<Server, 'toxId' | 'secret'>,
  options: {
    readonly bootstrap: string;
    readonly target: number;
    readonly isKilled: boolean;
    readonly others: () => readonly Process[];
  },
): Promise<Visit> {
  const client: Client = await startClient(server, { ...options, more: ['-d'] });
  const all = (): Process[] => [client.process, ...options.others()];
  const turns = new Turns(all);
  const took = await reached(client.port, 'a new client').catch((error: unknown) => {
    throw new Error(`${messageOf(error)}; its logs are in ${keepLogs(all())}`, { cause: error });
  });
  const waited = turns.end();
  const logs = took - waited * 1000 > LATE ? keepLogs(all()) : undefined;
  await checkedTransfer(client.port, 'down', 8);
  await checkedTransfer(client.port, 'up', 8);
  if (options.isKilled) client.process.kill('SIGKILL');
  await stop(client.process);
  return { took: took / 1000, waited, logs };
}
