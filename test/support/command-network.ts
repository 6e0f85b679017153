/** A private network of real commands for one test: a node, a server behind the secret, and TCP services to be reached. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { freeUdpPort, type Process, startTuntox } from './processes.js';
import { temporaryDirectory } from './temporary-directory.js';

export const SECRET = 'canary of the network';
const ID_LINE = /^([0-9A-F]{76})\n/;

export class CommandNetwork {
  readonly #t: Test;
  /** The flags that name the node. */
  readonly node: readonly string[];
  readonly #directory: string;

  private constructor(t: Test, node: readonly string[]) {
    this.#t = t;
    this.node = node;
    this.#directory = temporaryDirectory(t);
  }

  static async start(t: Test): Promise<CommandNetwork> {
    const port = await freeUdpPort();
    const node = startTuntox(['--node', '-C', temporaryDirectory(t), '-u', `${port}:${port}`], { name: 'node' });
    t.teardown(() => node.stop('SIGKILL'));
    const entry = (await node.waitFor(/^([0-9]+:[0-9A-F]{64})\n/))[1] as string;
    return new CommandNetwork(t, ['--bootstrap', `127.0.0.1:${entry}`]);
  }

  command(name: string, args: readonly string[]): Process {
    const command = startTuntox([...args, ...this.node], { name, env: { TUNTOX_SHARED_SECRET: SECRET } });
    this.#t.teardown(() => command.stop('SIGKILL'));
    return command;
  }

  /** A server with the same identity each time. */
  async server(...args: readonly string[]): Promise<{ readonly process: Process; readonly id: string }> {
    const process = this.command('server', ['-C', this.#directory, ...args]);
    return { process, id: (await process.waitFor(ID_LINE))[1] as string };
  }

  /** @returns the port of a service of this process */
  async service(onConnection: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
    this.#t.teardown(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  }
}

/** A service that sends everything back, and ends after the end of its input. */
export const echo = (socket: Socket): void => void socket.pipe(socket);
