/** The agent's socket: programs of this user, or of others whom the owner allows, reach servers through the connections of this process. */
import type { Socket } from 'node:net';
import { encodeLine } from '../../agent/messages.js';
import { type AgentPlaces, pathsOf } from '../../agent/socket-file.js';
import type { Clock } from '../../base/clock.js';
import { descriptorShares } from '../../base/descriptor-shares.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { countText } from '../../base/units.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { ServerPool } from '../client/server-pool.js';
import { type Agent, AgentConnection } from './agent-connection.js';
import { type AgentListener, openAgentSocket, type SharedWith } from './agent-listener.js';

/** Simultaneous clients, if there are so many descriptors. */
const MAX_CONNECTIONS = 2_048;

export interface AgentServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly pool: Pick<ServerPool, 'hold' | 'find' | 'leave' | 'list'>;
  /** Ends the process at once, or when nobody uses it; returns why not. */
  readonly stop: (when: 'now' | 'idle') => string | undefined;
  /** Why a request is refused; undefined if it is not. Without this, every client may ask everything. */
  readonly whyNot?: Agent['whyNot'];
  /** How many clients use a server has changed. */
  readonly onUsers?: (count: number) => void;
}

export interface AgentServerOptions {
  readonly places: AgentPlaces;
  /** Who may connect beside this user. */
  readonly sharedWith?: SharedWith | undefined;
  /** Name and version, such as `tuntox 0.2.0`. */
  readonly program: string;
  readonly pid: number;
  readonly ownKey: PublicKey;
  /** The options about the network that it was started with; undefined for a daemon. */
  readonly options?: readonly string[];
  /** Default: what the limit of descriptors allows. */
  readonly maxClients?: number;
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
  #listener: AgentListener | undefined;
  #isStopped = false;

  constructor(deps: AgentServerDeps, options: AgentServerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#limit = options.maxClients ?? Math.min(MAX_CONNECTIONS, descriptorShares().tunnels);
    this.#startedAt = deps.clock.now();
  }

  /** Where it listens; until then, where it should. */
  get path(): string {
    return this.#listener?.path ?? pathsOf(this.#options.places).at(-1) ?? '';
  }

  /** Clients that use a server. */
  get users(): number {
    return this.#users.size;
  }

  /** Called when this process has the identity: what is left at the socket is of a process that is gone. @throws AgentSocketError */
  async start(): Promise<void> {
    const listener = await openAgentSocket(this.#options, {
      accept: (socket) => this.#accept(socket),
      onError: (error) => this.#deps.log.warn(`the agent's socket: ${error.message}`),
    });
    if (this.#isStopped) listener.close();
    else this.#listener = listener;
  }

  /** Creates the socket again if it was deleted. @returns whether it did @throws AgentSocketError; the next call tries again */
  async restore(): Promise<boolean> {
    return !this.#isStopped && ((await this.#listener?.restore()) ?? false);
  }

  /** Accepts no more clients, and ends those without a tunnel; tunnels end with the engine. */
  close(): void {
    this.#isStopped = true;
    this.#listener?.close();
    for (const connection of [...this.#connections]) {
      connection.close('shutting-down', 'the agent is shutting down: try again');
    }
  }

  /** Ends what `whyNot` refuses by now. */
  review(): void {
    for (const connection of [...this.#connections]) connection.review();
  }

  #accept(socket: Socket): void {
    const { clock, random, log, pool, stop, whyNot } = this.#deps;
    const { program, pid, ownKey, options, places } = this.#options;
    if (this.#connections.size >= this.#limit) {
      const message = `the agent has ${countText(this.#connections.size, 'client')}, as many as it can: end some`;
      // At once: a refused client that does not disconnect must not keep a descriptor. It can still read what was sent.
      socket.on('error', () => {}).end(encodeLine({ event: 'error', code: 'busy', message }), () => socket.destroy());
      return;
    }
    const agent = {
      program,
      pid,
      ownKey,
      state: places.state,
      options,
      status: () => this.#status(),
      stop,
      whyNot,
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
    return { program, pid, socket: this.path, key: ownKey.hex, uptimeMs, users: this.users, servers, ...status?.() };
  }
}
