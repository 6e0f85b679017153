/** The daemon as a client: the servers that it is connected to, and the forwards to them. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { ServerPool } from '../engine/client/server-pool.js';
import { StandingForwards } from '../engine/client/standing-forwards.js';
import type { Engine } from '../engine/engine.js';
import type { FileSystem } from '../engine/state/file-system.js';
import type { StateDirectory } from '../engine/state/state-file-error.js';

/** ms for which a server stays connected that nobody uses. */
const IDLE_TIME = 10 * 60_000;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly files: FileSystem;
  readonly engine: Engine;
}

export class ClientRole {
  readonly forwards: StandingForwards;
  readonly #pool: ServerPool;

  private constructor(pool: ServerPool, forwards: StandingForwards) {
    this.#pool = pool;
    this.forwards = forwards;
  }

  static async open({ clock, log, files, engine }: Deps, directory: StateDirectory): Promise<ClientRole> {
    const pool = new ServerPool(
      { clock, connect: (id, secret, name) => engine.connect(id, secret, name === undefined ? {} : { name }) },
      { idleTime: IDLE_TIME },
    );
    const deps = { clock, log, files, pool, ownKey: engine.id.publicKey };
    return new ClientRole(pool, await StandingForwards.open(deps, directory));
  }

  start(): void {
    this.forwards.start();
  }

  close(): void {
    this.forwards.close();
    this.#pool.close();
  }
}
