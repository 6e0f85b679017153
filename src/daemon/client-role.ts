/**
 * The daemon as a client: the servers that it is connected to, the forwards to them, and the agent's socket, by which `tuntox` reaches
 * them: that of its user, who may do everything, or of the users of this machine, who may reach the targets of the forwards.
 */
import type { AgentPlaces } from '../agent/socket-file.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/coded-error.js';
import { SERVICE_COMMANDS } from '../base/daemon-service.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { SharedWith } from '../engine/agent/agent-listener.js';
import { AgentServer } from '../engine/agent/agent-server.js';
import { refusalOfShared } from '../engine/agent/shared-targets.js';
import { ServerPool } from '../engine/client/server-pool.js';
import { StandingForwards } from '../engine/client/standing-forwards.js';
import type { Engine } from '../engine/engine.js';
import type { FileSystem } from '../engine/state/file-system.js';
import type { StateDirectory } from '../engine/state/state-file-error.js';
import type { KeptPath } from '../platform/socket-upkeep.js';

/** ms for which a server stays connected that nobody uses. */
const IDLE_TIME = 10 * 60_000;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly files: FileSystem;
  readonly engine: Engine;
}

export interface AgentOptions {
  /** Where the agent's socket may be. */
  readonly places: AgentPlaces;
  readonly sharedWith?: SharedWith | undefined;
  /** Name and version. */
  readonly program: string;
  readonly pid: number;
}

export class ClientRole {
  readonly forwards: StandingForwards;
  readonly #log: Logger;
  readonly #pool: ServerPool;
  readonly #agent: AgentServer | undefined;

  private constructor(deps: Deps, parts: { pool: ServerPool; forwards: StandingForwards }, agent?: AgentOptions) {
    const { pool, forwards } = parts;
    this.#log = deps.log;
    this.#pool = pool;
    this.forwards = forwards;
    if (agent === undefined) return;
    const { owner } = agent.places;
    const whose = owner === 'user' ? 'this user' : 'this machine';
    const stop = (): string => `tuntoxd keeps the connections of ${whose}; to stop it: ${SERVICE_COMMANDS[owner].stop}`;
    const whyNot = owner === 'user' ? undefined : refusalOfShared(forwards);
    this.#agent = new AgentServer({ ...deps, pool, stop, whyNot }, { ...agent, ownKey: deps.engine.id.publicKey });
    forwards.onRemoved(() => this.#agent?.review());
  }

  /** @param agent undefined: no agent's socket */
  static async open(deps: Deps, directory: StateDirectory, agent?: AgentOptions): Promise<ClientRole> {
    const { clock, engine } = deps;
    const pool = new ServerPool(
      { clock, connect: (id, secret, name) => engine.connect(id, secret, name === undefined ? {} : { name }) },
      { idleTime: IDLE_TIME },
    );
    const forwards = await StandingForwards.open({ ...deps, pool, ownKey: engine.id.publicKey }, directory);
    return new ClientRole(deps, { pool, forwards }, agent);
  }

  /** The agent's socket is tried again by its upkeep, so the daemon starts without it. */
  async start(): Promise<void> {
    this.forwards.start();
    try {
      await this.#agent?.start();
    } catch (error) {
      this.#log.warn(`tuntox does not use the connections of this daemon: ${messageOf(error)}`);
    }
  }

  get sockets(): readonly KeptPath[] {
    const agent = this.#agent;
    return agent === undefined ? [] : [{ path: agent.path, restore: () => agent.restore() }];
  }

  close(): void {
    this.#agent?.close();
    this.forwards.close();
    this.#pool.close();
  }
}
