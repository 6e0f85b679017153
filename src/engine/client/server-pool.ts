/** The servers of one identity: each is connected while somebody holds it, and for a while afterwards. */
import type { Clock, Timer } from '../../base/clock.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { ToxId } from '../../tox/crypto/tox-id.js';
import { isSameSecret, type RemoteServer, type Secrets } from './remote-server.js';

export interface ServerAddress {
  readonly id: ToxId;
  /** Undefined when the server needs none. */
  readonly secret: Buffer | undefined;
  /** What the log calls it. */
  readonly name?: string | undefined;
}

/** They take turns, so each more of them makes the right one later. */
const MAX_SECRETS = 8;

type Connect<Server> = (id: ToxId, secret: Buffer | undefined, name: string | undefined) => Server;

/** What the pool does with a server. */
type Pooled = Pick<RemoteServer, 'useSecrets' | 'leave'> & Partial<Pick<RemoteServer, 'givenUp' | 'onChange'>>;

export interface HeldServer<Server = RemoteServer> {
  readonly server: Server;
  /** Whether the server has admitted us, and no other secret than this one was offered. */
  readonly isAdmittedBySecret: boolean;
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
  /** Those who wait for it or use it, in the order in which they came. */
  readonly holders: Set<Pick<ServerAddress, 'secret'>>;
  /** All secrets that it was offered until it admitted us for the first time: later it may know us by our key. */
  offered: Secrets;
  isAdmitted: boolean;
  /** Set while nobody holds it. */
  idle: Timer | undefined;
  /** Whether it ends with its last holder. */
  isLeaving: boolean;
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
  hold(address: ServerAddress): HeldServer<Server> {
    return this.#held(this.#entries.get(address.id.publicKey.hex) ?? this.#add(address), address);
  }

  #add({ id, secret, name }: ServerAddress): Entry<Server> {
    const { publicKey } = id;
    const server = this.#connect(id, secret, name);
    const entry: Entry<Server> = {
      publicKey,
      server,
      holders: new Set(),
      offered: [secret],
      isAdmitted: false,
      idle: undefined,
      isLeaving: false,
    };
    this.#entries.set(publicKey.hex, entry);
    server.onChange?.((isOnline) => {
      entry.isAdmitted ||= isOnline;
    });
    // A server that has ended does not come back; who asks for it later starts a new search.
    server.givenUp?.catch(() => {
      if (this.#entries.get(publicKey.hex) === entry) this.#entries.delete(publicKey.hex);
    });
    return entry;
  }

  /** Returns the server, connected or not, without holding it; undefined if nobody has asked for it. */
  find(key: PublicKey): Server | undefined {
    return this.#entries.get(key.hex)?.server;
  }

  list(): PooledServer<Server>[] {
    return [...this.#entries.values()].map(({ publicKey, server, holders }) => ({
      publicKey,
      server,
      holders: holders.size,
    }));
  }

  /** Ends the connection to a server as soon as nobody holds it; who holds it again keeps it. @returns how many hold it now */
  leave(key: PublicKey): number {
    const entry = this.#entries.get(key.hex);
    if (entry === undefined) return 0;
    if (entry.holders.size === 0) this.#end(entry);
    else entry.isLeaving = true;
    return entry.holders.size;
  }

  /** Stops waiting; the engine ends the connections. */
  close(): void {
    for (const { idle } of this.#entries.values()) idle?.cancel();
    this.#entries.clear();
  }

  #held(entry: Entry<Server>, { secret }: ServerAddress): HeldServer<Server> {
    const { publicKey, server, holders, offered, isAdmitted } = entry;
    const isAdmittedBySecret =
      isAdmitted && secret !== undefined && offered.length === 1 && isSameSecret(offered[0], secret);
    entry.idle?.cancel();
    entry.idle = undefined;
    entry.isLeaving = false;
    const holder = { secret };
    holders.add(holder);
    offerSecrets(entry);
    const release = (): void => {
      if (!holders.delete(holder)) return;
      // What the last one had is for a connection that is lost before the idle time is over.
      if (holders.size > 0) offerSecrets(entry);
      else if (this.#entries.get(publicKey.hex) === entry) this.#awaitEnd(entry);
    };
    return { server, isAdmittedBySecret, release };
  }

  #awaitEnd(entry: Entry<Server>): void {
    if (entry.isLeaving) this.#end(entry);
    else entry.idle = this.#clock.after(this.#idleTime, () => this.#end(entry));
  }

  #end({ publicKey, server, idle }: Entry<Server>): void {
    idle?.cancel();
    this.#entries.delete(publicKey.hex);
    server.leave();
  }
}

function offerSecrets(entry: Entry<Pooled>): void {
  const secrets = secretsOf(entry.holders);
  entry.server.useSecrets(secrets);
  if (entry.isAdmitted) return;
  // Two are enough to know that it is not known which one was right.
  const others = secrets.filter((secret) => !entry.offered.some((one) => isSameSecret(one, secret)));
  entry.offered = [...entry.offered, ...others].slice(0, 2);
}

/**
 * Returns the different secrets of the holders: a wrong one of one holder must not displace the right one of another. Those who have
 * none leave it to the others.
 */
function secretsOf(holders: Iterable<Pick<ServerAddress, 'secret'>>): Secrets {
  const secrets: Buffer[] = [];
  for (const { secret } of holders) {
    if (secrets.length === MAX_SECRETS) break;
    if (secret !== undefined && !secrets.some((one) => isSameSecret(one, secret))) secrets.push(secret);
  }
  return secrets.length === 0 ? [undefined] : secrets;
}
