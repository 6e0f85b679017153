/** One running identity: joins the Tox network, serves clients or connects to a server, and saves what it has learned. */
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import { keyWords } from '../config/words.js';
import type { ToxId } from '../tox/crypto/tox-id.js';
import type { NetworkFacts } from '../tox/network-facts.js';
import type { BootstrapAddress } from '../tox/tox.js';
import type { TunnelService } from '../tunnel/tunnel-service.js';
import type { AccessPolicy } from './access/access-policy.js';
import type { RetryPolicy } from './client/connect-retry.js';
import { RemoteServer } from './client/remote-server.js';
import { NetworkEntry } from './network/network-entry.js';
import { NetworkWatch } from './network/network-watch.js';
import { proxyText } from './network/proxy-text.js';
import type { ProxyError, ToxStack } from './network/tox-stack.js';
import { ClientAdmission, type ClientEventHandler } from './server/client-admission.js';
import type { Identity } from './state/identity.js';
import type { SettingNames } from './state/setting-names.js';

/** ms between saves of what was learned about the network; `stop` saves too. */
const SAVE_INTERVAL = 60 * 60_000;
/** ms without a network until a server logs a warning. */
const OFFLINE_WARNING = 9_000;
const NO_NETWORK =
  'no node of the Tox network has answered yet, so no client finds this server: check that this machine is online and lets UDP or TCP out, and that the bootstrap nodes are right';
const FOREVER: RetryPolicy = { timeout: undefined, maxRetries: 0 };

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tox: ToxStack;
  readonly tunnels: TunnelService;
  readonly identity: Identity;
}

export class Engine {
  readonly #deps: Deps;
  readonly #names: SettingNames;
  readonly #entry: NetworkEntry;
  readonly #watch: NetworkWatch;
  /** Closed first when stopping. */
  readonly #roles = new Set<{ close(): void }>();
  #saveTimer: Timer | undefined;
  #warningTimer: Timer | undefined;
  #onlineSince: number;
  #wasOnline = false;
  #saveError: Error | undefined;
  #isStopped = false;

  constructor(deps: Deps, options: { readonly nodes: readonly BootstrapAddress[]; readonly names: SettingNames }) {
    this.#deps = deps;
    this.#names = options.names;
    this.#entry = new NetworkEntry(deps, options.nodes);
    this.#watch = new NetworkWatch(deps);
    this.#saveError = deps.identity.writeError;
    this.#onlineSince = deps.clock.unixTime();
  }

  get id(): ToxId {
    return this.#deps.tox.id;
  }

  /** The file of the identity; undefined for an identity of this run. */
  get statePath(): string | undefined {
    return this.#deps.identity.path;
  }

  get tunnels(): TunnelService {
    return this.#deps.tunnels;
  }

  /** False: only the local network and nodes of an earlier run are used. */
  get hasBootstrapNodes(): boolean {
    return this.#entry.hasNodes;
  }

  get isOnline(): boolean {
    return this.#deps.tox.isOnline;
  }

  /** Whether it has been online since the start. */
  get wasOnline(): boolean {
    return this.#wasOnline;
  }

  /** Unix time (s) since when we are online or offline. */
  get onlineSince(): number {
    return this.#onlineSince;
  }

  /** Available after `start`. */
  get networkFacts(): NetworkFacts {
    return this.#deps.tox.networkFacts;
  }

  /** Why the proxy cannot be used now, in words; undefined when it can, and without a proxy. */
  get proxyError(): string | undefined {
    const error = this.#deps.tox.proxyFault;
    return error === undefined ? undefined : proxyText(error, this.#names.proxy);
  }

  /** Why the last save failed; undefined when it succeeded. */
  get saveError(): Error | undefined {
    return this.#saveError;
  }

  /** Whether packets pass: a datagram to ourselves, or an answer of the network, arrives. Never rejects. */
  proveAlive(): Promise<boolean> {
    return this.#deps.tox.proveAlive();
  }

  /** Joins the network. @throws NetworkError when there is no free port */
  async start(): Promise<void> {
    const { clock, tox } = this.#deps;
    tox.onOnlineChange((isOnline) => this.#onOnlineChange(isOnline));
    tox.onProxyChange((error) => this.#onProxyChange(error));
    await tox.start();
    this.#entry.ask();
    this.#watch.begin();
    if (this.statePath !== undefined) this.#saveTimer = clock.every(SAVE_INTERVAL, () => void this.#save());
  }

  /**
   * Serves clients from now on.
   * @param aliasOf returns the owner's name for a client, by its key in hex
   * @param options.log for what happens to clients; default: that of the engine
   */
  serve(
    policy: AccessPolicy,
    aliasOf?: (id: string) => string | undefined,
    { log = this.#deps.log, onEvent }: { readonly log?: Logger; readonly onEvent?: ClientEventHandler } = {},
  ): ClientAdmission {
    this.#warningTimer = this.#deps.clock.after(OFFLINE_WARNING, () => {
      if (!this.#wasOnline && !this.#deps.tox.isOnline) this.#deps.log.warn(NO_NETWORK);
    });
    const admission = new ClientAdmission({ ...this.#deps, log, onEvent }, policy, aliasOf);
    this.#roles.add(admission);
    return admission;
  }

  /**
   * Connects to a server from now on.
   * @param options.name what the log calls the server; default: the first digits of its key
   * @param options.retry default: without end
   * @param options.log default: that of the engine
   */
  connect(
    id: ToxId,
    secret: Buffer | undefined,
    {
      name = id.publicKey.short,
      retry = FOREVER,
      log = this.#deps.log,
    }: { readonly name?: string; readonly retry?: RetryPolicy; readonly log?: Logger } = {},
  ): RemoteServer {
    const bootstrapAgain = (): void => {
      if (!this.#deps.tox.isOnline) this.#entry.ask();
    };
    const { publicKey } = this.id;
    const own = { short: publicKey.short, words: () => keyWords(publicKey), isStored: this.statePath !== undefined };
    const options = { id, name, secret, retry, own, hasBootstrapNodes: this.hasBootstrapNodes, names: this.#names };
    const onLeft = (left: RemoteServer): void => void this.#roles.delete(left);
    const server = new RemoteServer({ ...this.#deps, log, bootstrapAgain, onLeft }, options);
    this.#roles.add(server);
    return server;
  }

  /** Refuses new tunnels, and resolves once the open ones are idle, or after 10 s; before `stop`. */
  drain(): Promise<void> {
    const { log, tunnels } = this.#deps;
    const { length } = tunnels.list();
    if (length > 0) log.info(`open tunnels (${length}) have up to 10 s to finish`);
    return tunnels.drain();
  }

  /** Disconnects from all peers and releases the identity; never throws. */
  async stop(): Promise<void> {
    const { tox, tunnels, identity } = this.#deps;
    this.#isStopped = true;
    this.#entry.close();
    this.#watch.end();
    this.#saveTimer?.cancel();
    this.#warningTimer?.cancel();
    for (const role of this.#roles) role.close();
    tunnels.stop();
    if (this.statePath !== undefined) await this.#save();
    await tox.stop();
    await identity.close();
  }

  #onOnlineChange(isOnline: boolean): void {
    if (this.#isStopped) return;
    this.#onlineSince = this.#deps.clock.unixTime();
    this.#wasOnline ||= isOnline;
    this.#deps.log.info(isOnline ? 'online: the Tox network answers' : 'offline: no node of the Tox network answers');
    this.#entry.onOnlineChange(isOnline);
  }

  #onProxyChange(error: ProxyError | undefined): void {
    if (this.#isStopped) return;
    if (error === undefined) this.#deps.log.info('the proxy works again');
    else this.#deps.log.error(proxyText(error, this.#names.proxy));
  }

  /** A failed save only makes the next start slower, so the engine goes on. */
  async #save(): Promise<void> {
    const { identity, log, tox } = this.#deps;
    try {
      await identity.save(tox.savedata());
      this.#saveError = undefined;
    } catch (error) {
      this.#saveError = error as Error;
      log.warn(messageOf(error));
    }
  }
}
