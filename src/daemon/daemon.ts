/** Assembles the service: the engine, admission of clients, target rules, and the control socket. */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import { describeProxy } from '../config/proxy.js';
import { ControlServer } from '../control/server.js';
import { AccessControl } from '../engine/access/access-control.js';
import { AccessPolicy } from '../engine/access/access-policy.js';
import { ClientAddresses } from '../engine/access/client-addresses.js';
import { GuessBans } from '../engine/access/guess-bans.js';
import { Services } from '../engine/access/services.js';
import { noTarget } from '../engine/access/target-rules.js';
import type { Engine } from '../engine/engine.js';
import type { ClientAdmission } from '../engine/server/client-admission.js';
import { nameWithKey } from '../engine/server/client-names.js';
import { listenPolicy } from '../engine/server/listen-policy.js';
import { targetAddresses } from '../engine/server/target-addresses.js';
import { reachedBy, TargetPolicy } from '../engine/server/target-policy.js';
import type { EngineOptions } from '../engine/start-engine.js';
import type { FileSystem } from '../engine/state/file-system.js';
import type { SettingNames } from '../engine/state/setting-names.js';
import type { KeptPath } from '../platform/socket-upkeep.js';
import { accessSettings, accessSettingsOrError, secretPlace } from './access-settings.js';
import { AccessSummary } from './access-summary.js';
import { type AgentOptions, ClientRole } from './client-role.js';
import { Configuration, type Loaded, type Settings } from './configuration.js';
import { HttpPages } from './http-pages.js';
import { affectedBy, type Consent, confirm } from './methods/affected-clients.js';
import type { DaemonState, LogKeeper, MethodContext } from './methods/context.js';
import { methodHandlers } from './methods/method-handlers.js';
import { isClosed, networkOf } from './methods/status.js';
import { TunnelTotals } from './methods/tunnel-totals.js';
import { metricsOf } from './metrics.js';
import { healthOf } from './warnings.js';

export interface DaemonDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly logging: LogKeeper & { use(settings: Settings['log']): void };
  readonly files: FileSystem;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws CodedErrors */
  readonly startEngine: (log: Logger, options: EngineOptions) => Promise<Engine>;
  /** Reads the settings again. @throws SettingsError */
  readonly load: () => Loaded;
  /** Resident memory, bytes. */
  readonly memory: () => number;
}

export interface DaemonOptions {
  readonly version: string;
  readonly pid: number;
  /** The group that may use the control socket; undefined: only its owner may. */
  readonly groupId: number | undefined;
  /** Where the agent's socket may be, and for whom; undefined: there is none. */
  readonly agent?: Pick<AgentOptions, 'places' | 'sharedWith'> | undefined;
}

type Policy = Required<NonNullable<EngineOptions['policy']>>;

const NO_LIMITS = { rate: undefined, maxTunnels: undefined };

/** What errors of the engine call our settings. */
const SETTING_NAMES: SettingNames = {
  directory: 'state_dir in the settings',
  nodes: 'network.bootstrap or network.nodes_file',
  proxy: 'network.proxy in the settings',
};

export class Daemon {
  readonly engine: Engine;
  readonly configuration: Configuration;
  readonly #deps: DaemonDeps;
  readonly #options: DaemonOptions;
  readonly #access: AccessControl;
  readonly #bans: GuessBans;
  readonly #policy: AccessPolicy;
  readonly #services: Services;
  readonly #targets: TargetPolicy;
  readonly #client: ClientRole;
  readonly #admission: ClientAdmission;
  readonly #totals: TunnelTotals;
  readonly #http: HttpPages;
  readonly #control: ControlServer;
  readonly #summary: AccessSummary;
  readonly #startedAt: number;
  readonly #startedNow: number;
  #state: DaemonState = 'starting';

  private constructor(
    deps: DaemonDeps,
    options: DaemonOptions,
    parts: {
      loaded: Loaded;
      engine: Engine;
      access: AccessControl;
      services: Services;
      targets: TargetPolicy;
      client: ClientRole;
    },
  ) {
    const { loaded, engine, access, services, targets, client } = parts;
    this.#deps = deps;
    this.#options = options;
    this.engine = engine;
    this.#access = access;
    this.#services = services;
    this.#targets = targets;
    this.#client = client;
    this.#startedAt = deps.clock.unixTime();
    this.#startedNow = deps.clock.now();
    this.#bans = new GuessBans({
      clock: deps.clock,
      log: deps.log,
      ban: (...ban) => access.ban(...ban),
      banInMemory: (...ban) => access.banInMemory(...ban),
      nameOf: ({ hex }) => nameWithKey(hex, access.entryOf(hex)?.alias),
    });
    this.#policy = new AccessPolicy(access, this.#bans.onWrong);
    this.#admission = engine.serve(this.#policy, (id) => access.entryOf(id)?.alias);
    this.#totals = new TunnelTotals({ clock: deps.clock, tunnels: engine.tunnels });
    access.onChange(() => this.#review());
    services.onChange(() => {
      this.#review();
      this.#summary.log();
    });
    const { log, load } = deps;
    this.#summary = new AccessSummary({ log, access, policy: this.#policy, targets });
    const confirmed = (settings: Settings, consent: Consent): string[] => this.#confirm(settings, consent);
    const apply = (settings: Settings): void => this.#apply(settings);
    this.configuration = new Configuration({ log, load, apply, confirm: confirmed }, loaded);
    const context = this.#context();
    this.#http = new HttpPages({ log, metrics: context.metrics, health: context.warnings, state: () => this.#state });
    const { socket } = loaded.settings;
    const { groupId, pid, version } = options;
    this.#control = new ControlServer(
      { clock: deps.clock, log, handlers: methodHandlers(context) },
      { path: socket.path, groupId, daemon: `tuntoxd ${version}`, pid },
    );
  }

  /**
   * Resolves when the identity is loaded and the control socket answers; the network may take longer.
   * @throws CodedErrors; then everything is closed again
   */
  static async start(deps: DaemonDeps, loaded: Loaded, options: DaemonOptions): Promise<Daemon> {
    const { settings } = loaded;
    // Not used before a client is admitted.
    let policy: Policy = {
      mayReach: () => ({ allowed: false, reason: 'starting' }),
      mayListen: () => ({ allowed: false, reason: 'starting' }),
      servicesFor: () => [],
      limitsOf: () => NO_LIMITS,
      sourceOf: () => undefined,
    };
    let aliasOf = (_peerId: string): string | undefined => undefined;
    const engine = await deps.startEngine(deps.log, {
      settings: { ...settings.network, proxy: settings.network.proxy && { address: settings.network.proxy } },
      place: { kind: 'directory', path: settings.stateDirectory },
      names: SETTING_NAMES,
      isRelay: true,
      isLasting: true,
      nameOf: (peerId) => nameWithKey(peerId, aliasOf(peerId)),
      policy: {
        mayReach: (...asked) => policy.mayReach(...asked),
        mayListen: (...asked) => policy.mayListen(...asked),
        servicesFor: (peerId) => policy.servicesFor(peerId),
        limitsOf: (peerId) => policy.limitsOf(peerId),
        sourceOf: (peerId) => policy.sourceOf(peerId),
      },
    });
    try {
      // Read after the engine has locked the identity: the lock protects the whole directory.
      const directory = { path: settings.stateDirectory, names: SETTING_NAMES };
      const access = await AccessControl.open(deps, directory, accessSettingsOrError(deps, settings));
      aliasOf = (peerId) => access.entryOf(peerId)?.alias;
      let isAdmitted = (_peerId: string): boolean => true;
      const isKept = (id: string): boolean => access.entryOf(id) !== undefined || isAdmitted(id);
      const addresses = await ClientAddresses.open({ ...deps, isKept }, directory);
      const services = await Services.open(deps.files, directory);
      const targets = new TargetPolicy(
        { entryOf: (peerId) => access.entryOf(peerId), addressesOf: targetAddresses(deps.clock), services, addresses },
        settings.targets,
      );
      const { version, pid } = options;
      const agent = options.agent && { ...options.agent, program: `tuntoxd ${version}`, pid };
      const client = await ClientRole.open({ ...deps, engine }, directory, agent);
      const daemon = new Daemon(deps, options, { loaded, engine, access, services, targets, client });
      isAdmitted = (peerId) => daemon.#admission.isAdmitted(peerId);
      const ports = listenPolicy({ clock: deps.clock, entryOf: (peerId) => access.entryOf(peerId) });
      policy = {
        mayReach: (peerId, ...asked) =>
          isAdmitted(peerId) ? targets.mayReach(peerId, ...asked) : noTarget(peerId, ...asked),
        mayListen: (peerId, place) =>
          isAdmitted(peerId) ? ports(peerId, place) : { allowed: false, reason: 'it is not admitted' },
        servicesFor: (peerId) => (isAdmitted(peerId) ? targets.servicesFor(peerId) : []),
        limitsOf: (peerId) => access.entryOf(peerId) ?? NO_LIMITS,
        sourceOf: targets.sourceOf,
      };
      try {
        await daemon.#open();
      } catch (error) {
        daemon.#close();
        throw error;
      }
      return daemon;
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  get state(): DaemonState {
    return this.#state;
  }

  /** Reloads the settings. An error is logged, and shown by `status`. */
  reload(): void {
    // A stopping daemon opens nothing.
    if (this.#state === 'stopping') return;
    try {
      this.configuration.reload(false, true);
    } catch {
      // The previous settings stay in use; that was logged.
    }
  }

  /** The sockets, which are created again when they were deleted. */
  get sockets(): readonly KeptPath[] {
    const { path } = this.configuration.settings.socket;
    const restore = async (): Promise<boolean> => this.#state === 'running' && (await this.#control.restore());
    return [{ path, restore }, ...this.#client.sockets];
  }

  /** One line for the service manager. */
  get summary(): string {
    const { health, warnings } = this.#warnings();
    const clients = this.#admission.clients.filter(({ isOnline }) => isOnline).length;
    const rest = `${networkOf(this.#networkContext).state}, clients: ${clients}, tunnels: ${this.#totals.open}`;
    return health === 'ok' ? rest : `${warnings[0]?.message}; ${rest}`;
  }

  /** Waits up to 10 s for tunnels to send their data. Is called before `stop`. */
  async drain(): Promise<void> {
    this.#state = 'stopping';
    await this.engine.drain();
  }

  /** Admits no more clients, disconnects, and saves the state. */
  async stop(): Promise<void> {
    this.#close();
    await this.engine.stop();
  }

  #close(): void {
    this.#state = 'stopping';
    this.#http.close();
    this.#control.stop();
    this.#client.close();
    this.#access.close();
    this.#bans.close();
  }

  async #open(): Promise<void> {
    const { log } = this.#deps;
    await this.#control.start();
    await this.#http.serve(this.configuration.settings.http.listen);
    await this.#client.start();
    this.#state = 'running';
    this.#summary.log();
    // These two were already logged.
    const news = this.#warnings().warnings.filter(({ code }) => code !== 'http' && code !== 'not-saved');
    for (const { message } of news) log.warn(message);
  }

  /** Applies a changed access policy or target policy to connected clients. */
  #review(): void {
    this.#admission.review();
    const { tunnels } = this.engine;
    for (const tunnel of tunnels.list()) {
      if (tunnel.peerRole !== 'client' || tunnel.listener !== undefined || tunnel.isClosing) continue;
      if (!this.#targets.explain(tunnel.peerId, reachedBy(tunnel)).isAllowed) tunnels.closeTunnel(tunnel.number);
    }
    tunnels.review();
  }

  /**
   * @returns notes for a dry run
   * @throws ControlError `needs-confirmation` when they would disconnect clients, CodedError when they cannot be used
   */
  #confirm(settings: Settings, consent: Consent): string[] {
    const { factors, isSecretUnchanged } = this.#access.withSettings(accessSettings(this.#deps, settings));
    const door = { require: factors.require, isOpen: factors.isOpen, hasSecret: factors.secret !== undefined };
    const deps = { access: this.#access, clock: this.#deps.clock, admission: this.#admission, engine: this.engine };
    return confirm(deps, consent, affectedBy(deps, { door, isSecretUnchanged, factors }));
  }

  /** @throws CodedError when the settings cannot be used; then nothing has changed */
  #apply(settings: Settings): void {
    const access = accessSettings(this.#deps, settings);
    this.#targets.reload(settings.targets);
    if (!isDeepStrictEqual(this.configuration.settings.log, settings.log)) this.#deps.logging.use(settings.log);
    // This reviews all clients, by the new rules too.
    this.#access.applySettings(access);
    this.#summary.log();
    void this.#http.serve(settings.http.listen);
  }

  get #networkContext(): Pick<MethodContext, 'engine' | 'proxy'> {
    const { proxy } = this.configuration.settings.network;
    return { engine: this.engine, proxy: proxy === undefined ? undefined : describeProxy(proxy) };
  }

  #warnings(): ReturnType<MethodContext['warnings']> {
    const { engine, configuration } = this;
    const access = this.#access;
    const { clock } = this.#deps;
    const { state, udp, bootstrapNodes } = networkOf(this.#networkContext);
    const isNoneAdmitted = isClosed({ access, clock, policy: this.#policy });
    return healthOf({
      owner: configuration.owner,
      stateErrors: [...access.errors.values(), ...(this.#services.error === undefined ? [] : [this.#services.error])],
      admission: isNoneAdmitted ? 'closed' : this.#policy.isOpen ? 'open' : 'restricted',
      whitelist: { isOn: access.hasWhitelist, entries: access.entries.length },
      pending: this.#admission.pending.length,
      rulesError: this.#targets.error,
      addressError: this.#targets.addressError,
      forwards: { error: this.#client.forwards.error, waiting: this.#client.forwards.waiting },
      saveError: (access.saveError ?? engine.saveError)?.message,
      proxyError: engine.proxyError,
      network: {
        state,
        udp,
        bootstrapNodes,
        age: clock.unixTime() - engine.onlineSince,
        hasBootstrapNodes: engine.hasBootstrapNodes,
      },
      configuration,
      httpError: this.#http.error,
    });
  }

  #context(): MethodContext {
    const { clock, random, log, logging, environment, memory } = this.#deps;
    const { version, pid } = this.#options;
    const daemon = this;
    const context: MethodContext = {
      clock,
      random,
      log,
      logging,
      engine: this.engine,
      admission: this.#admission,
      access: this.#access,
      policy: this.#policy,
      targets: this.#targets,
      services: this.#services,
      configuration: this.configuration,
      forwards: this.#client.forwards,
      totals: this.#totals,
      warnings: () => this.#warnings(),
      metrics: () => metrics(),
      secretSource: () => secretPlace({ environment }, this.configuration.settings)?.from ?? 'configuration',
      get proxy() {
        return daemon.#networkContext.proxy;
      },
      get process() {
        const uptime = clock.now() - daemon.#startedNow;
        return { version, pid, startedAt: daemon.#startedAt, uptime, state: daemon.#state, memory: memory() };
      },
    };
    const metrics = metricsOf(context);
    return context;
  }
}
