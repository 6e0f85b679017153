/** One running identity: it enters the network, stays in it, serves or connects, and keeps what it has learned. */
import type { Clock, Timer } from '../base/clock.js';
import { messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
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
import { ClientAdmission } from './server/client-admission.js';
import type { Identity } from './state/identity.js';
import type { SettingNames } from './state/setting-names.js';

/** ms between saves of what was learned about the network; stopping saves too. */
const SAVE_INTERVAL = 60 * 60_000;
/** ms without a network after which a server says so. */
const LONELY = 9_000;
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
  /** What to close first when stopping. */
  readonly #roles: { close(): void }[] = [];
  #saveTimer: Timer | undefined;
  #lonelyTimer: Timer | undefined;
  /** Unix time, s, since when we are online, or not. */
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

  /** Where the identity is kept; undefined for one that is of this run. */
  get statePath(): string | undefined {
    return this.#deps.identity.path;
  }

  get tunnels(): TunnelService {
    return this.#deps.tunnels;
  }

  /** False: only the local network, and nodes of an earlier run, lead into the network. */
  get hasBootstrapNodes(): boolean {
    return this.#entry.hasNodes;
  }

  get isOnline(): boolean {
    return this.#deps.tox.isOnline;
  }

  /** Whether it was online once. */
  get wasOnline(): boolean {
    return this.#wasOnline;
  }

  /** Unix time, s, since when we are online, or not. */
  get onlineSince(): number {
    return this.#onlineSince;
  }

  /** Only once it has started. */
  get networkFacts(): NetworkFacts {
    return this.#deps.tox.networkFacts;
  }

  /** Why the proxy is of no use now, in words; undefined while it is, and without one. */
  get proxyError(): string | undefined {
    const error = this.#deps.tox.proxyFault;
    return error === undefined ? undefined : proxyText(error, this.#names.proxy);
  }

  /** Why what was learned of the network could not be kept the last time; undefined when it was. */
  get saveError(): Error | undefined {
    return this.#saveError;
  }

  /** Whether anything is carried: a datagram to ourselves and back, or what the network answers. Never rejects. */
  proveAlive(): Promise<boolean> {
    return this.#deps.tox.proveAlive();
  }

  /** Enters the network. @throws NetworkError when there is no port for it */
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
   * Lets clients in from now on.
   * @param aliasOf how the owner calls a client, by its key in hex
   * @returns who keeps the door
   */
  serve(policy: AccessPolicy, aliasOf?: (id: string) => string | undefined): ClientAdmission {
    this.#lonelyTimer = this.#deps.clock.after(LONELY, () => {
      if (!this.#wasOnline && !this.#deps.tox.isOnline) this.#deps.log.warn(NO_NETWORK);
    });
    const admission = new ClientAdmission(this.#deps, policy, aliasOf);
    this.#roles.push(admission);
    return admission;
  }

  /** Looks for a server from now on. */
  connect(id: ToxId, secret: Buffer | undefined, retry = FOREVER): RemoteServer {
    const bootstrapAgain = (): void => {
      if (!this.#deps.tox.isOnline) this.#entry.ask();
    };
    const options = { id, secret, retry, hasBootstrapNodes: this.hasBootstrapNodes, names: this.#names };
    const server = new RemoteServer({ ...this.#deps, bootstrapAgain }, options);
    this.#roles.push(server);
    return server;
  }

  /** Takes no tunnel more, and resolves once those there are carry nothing, or after 10 s; before `stop`. */
  drain(): Promise<void> {
    const { log, tunnels } = this.#deps;
    const { length } = tunnels.list();
    if (length > 0) log.info(`tunnels that carry something have up to 10 s to finish (open: ${length})`);
    return tunnels.drain();
  }

  /** Says goodbye to everybody and gives the identity back; never throws. */
  async stop(): Promise<void> {
    const { tox, tunnels, identity } = this.#deps;
    this.#isStopped = true;
    this.#entry.close();
    this.#watch.end();
    this.#saveTimer?.cancel();
    this.#lonelyTimer?.cancel();
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

  /** What would be lost are hints for a faster start: no reason to stop working. */
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
