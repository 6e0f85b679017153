/** The servers of one identity: each is connected while somebody holds it, and for a while afterwards. */
import type { Clock, Timer } from '../../base/clock.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { ToxId } from '../../tox/crypto/tox-id.js';
import type { RemoteServer } from './remote-server.js';

export interface ServerAddress {
  readonly id: ToxId;
  /** Undefined when the server needs none. */
  readonly secret: Buffer | undefined;
  /** What the log calls it. */
  readonly name?: string | undefined;
}

type Connect<Server> = (id: ToxId, secret: Buffer | undefined, name: string | undefined) => Server;

/** What the pool does with a server. */
type Pooled = Pick<RemoteServer, 'useSecret' | 'leave'> & Partial<Pick<RemoteServer, 'givenUp'>>;

export interface HeldServer<Server = RemoteServer> {
  readonly server: Server;
  /** Has an effect once. */
  release(): void;
}

export interface PooledServer<Server = RemoteServer> {
  readonly publicKey: PublicKey;
  readonly server: Server;
  readonly holders: number;
}

interface Entry<Server> {
  readonly publicKey: PublicKey;
  readonly server: Server;
  holders: number;
  /** Set while nobody holds it. */
  idle: Timer | undefined;
}

export class ServerPool<Server extends Pooled = RemoteServer> {
  readonly #clock: Clock;
  readonly #connect: Connect<Server>;
  readonly #idleTime: number;
  readonly #entries = new Map<string, Entry<Server>>();

  /**
   * @param deps.connect starts a connection that is retried without end
   * @param options.idleTime ms for which a server stays connected that nobody holds
   */
  constructor(
    deps: { readonly clock: Clock; readonly connect: Connect<Server> },
    options: { readonly idleTime: number },
  ) {
    this.#clock = deps.clock;
    this.#connect = deps.connect;
    this.#idleTime = options.idleTime;
  }

  /** Connects to the server, unless it is connected already. A lasting forward never releases it. */
  hold({ id, secret, name }: ServerAddress): HeldServer<Server> {
    const { hex } = id.publicKey;
    let entry = this.#entries.get(hex);
    if (entry === undefined) {
      entry = { publicKey: id.publicKey, server: this.#connect(id, secret, name), holders: 0, idle: undefined };
      this.#entries.set(hex, entry);
      // A server that has ended does not come back; who asks for it later starts a new search.
      entry.server.givenUp?.catch(() => {
        if (this.#entries.get(hex) === entry) this.#entries.delete(hex);
      });
    } else if (secret !== undefined) entry.server.useSecret(secret);
    return this.#held(entry);
  }

  /** Returns the server, connected or not, without holding it; undefined if nobody has asked for it. */
  find(key: PublicKey): Server | undefined {
    return this.#entries.get(key.hex)?.server;
  }

  list(): PooledServer<Server>[] {
    return [...this.#entries.values()];
  }

  /** Stops waiting; the engine ends the connections. */
  close(): void {
    for (const { idle } of this.#entries.values()) idle?.cancel();
    this.#entries.clear();
  }

  #held(entry: Entry<Server>): HeldServer<Server> {
    entry.idle?.cancel();
    entry.idle = undefined;
    entry.holders += 1;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      entry.holders -= 1;
      if (entry.holders === 0 && this.#entries.get(entry.publicKey.hex) === entry) this.#awaitEnd(entry);
    };
    return { server: entry.server, release };
  }

  #awaitEnd(entry: Entry<Server>): void {
    entry.idle = this.#clock.after(this.#idleTime, () => {
      this.#entries.delete(entry.publicKey.hex);
      entry.server.leave();
    });
  }
}
