/** The agent's socket: programs of this user reach servers through the connections of this process. */
import type { Server, Socket } from 'node:net';
import { encodeLine } from '../../agent/messages.js';
import type { Clock } from '../../base/clock.js';
import { descriptorShares } from '../../base/descriptor-shares.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { ServerPool } from '../client/server-pool.js';
import { AgentConnection } from './agent-connection.js';
import { isSocketGone, listenForAgent } from './agent-listener.js';

/** Simultaneous clients, if there are so many descriptors. */
const MAX_CONNECTIONS = 2_048;

export interface AgentServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly pool: Pick<ServerPool, 'hold' | 'has' | 'list'>;
  /** Ends the process at once, or when nobody uses it; returns why not. */
  readonly stop: (when: 'now' | 'idle') => string | undefined;
  /** How many clients use a server has changed. */
  readonly onUsers?: (count: number) => void;
}

export interface AgentServerOptions {
  readonly path: string;
  /** Name and version, such as `tuntox 0.2.0`. */
  readonly program: string;
  readonly pid: number;
  readonly ownKey: PublicKey;
  /** Further members of the status. */
  readonly status?: () => object;
}

export class AgentServer {
  readonly #deps: AgentServerDeps;
  readonly #options: AgentServerOptions;
  readonly #connections = new Set<AgentConnection>();
  readonly #users = new Set<AgentConnection>();
  readonly #limit: number;
  readonly #startedAt: number;
  #server: Server | undefined;
  #isStopped = false;

  constructor(deps: AgentServerDeps, options: AgentServerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#limit = Math.min(MAX_CONNECTIONS, descriptorShares().tunnels);
    this.#startedAt = deps.clock.now();
  }

  get path(): string {
    return this.#options.path;
  }

  /** Clients that use a server. */
  get users(): number {
    return this.#users.size;
  }

  /** @throws AgentSocketError */
  async start(): Promise<void> {
    const server = await listenForAgent(this.path, (socket) => this.#accept(socket));
    // Errors of single connections, such as a lack of descriptors.
    server.on('error', (error) => this.#deps.log.warn(`the agent's socket: ${error.message}`));
    if (this.#isStopped) server.close();
    else this.#server = server;
  }

  /** Creates the socket again if it was deleted. @returns whether it did @throws AgentSocketError; the next call tries again */
  async restore(): Promise<boolean> {
    if (this.#isStopped || (this.#server !== undefined && !isSocketGone(this.path))) return false;
    // First: Node removes whatever is at its path.
    this.#server?.close();
    this.#server = undefined;
    await this.start();
    return true;
  }

  /** Accepts no more clients, and ends those without a tunnel; tunnels end with the engine. */
  close(): void {
    this.#isStopped = true;
    this.#server?.close();
    for (const connection of [...this.#connections]) {
      connection.close('shutting-down', 'the agent is shutting down: try again');
    }
  }

  #accept(socket: Socket): void {
    const { clock, random, log, pool, stop } = this.#deps;
    const { program, pid, ownKey } = this.#options;
    if (this.#connections.size >= this.#limit) {
      const message = `the agent has ${this.#connections.size} clients, as many as it can: end some`;
      socket.on('error', () => {}).end(encodeLine({ event: 'error', code: 'busy', message }));
      socket.resume();
      return;
    }
    const agent = {
      program,
      pid,
      ownKey,
      status: () => this.#status(),
      stop,
      onServing: (connection: AgentConnection) => this.#setUsing(connection, true),
      onOver: (connection: AgentConnection) => {
        this.#connections.delete(connection);
        this.#setUsing(connection, false);
      },
    };
    this.#connections.add(new AgentConnection({ clock, random, log, pool, agent }, socket));
  }

  #setUsing(connection: AgentConnection, isUsing: boolean): void {
    const before = this.#users.size;
    if (isUsing) this.#users.add(connection);
    else this.#users.delete(connection);
    if (this.#users.size !== before) this.#deps.onUsers?.(this.#users.size);
  }

  #status(): object {
    const { program, pid, ownKey, status } = this.#options;
    const servers = this.#deps.pool.list().map(({ publicKey, server, holders }) => ({
      key: publicKey.hex,
      online: server.isOnline,
      path: server.facts.path.kind,
      users: holders,
    }));
    const uptimeMs = Math.round(this.#deps.clock.now() - this.#startedAt);
    return { program, pid, key: ownKey.hex, uptimeMs, users: this.users, servers, ...status?.() };
  }
}
