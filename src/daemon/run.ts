/** Runs the daemon: opens its log, connects it with signals and the service manager. */
import { agentPlaces, type UserPlaces } from '../agent/socket-file.js';
import { systemClock, systemMicroseconds } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { ownVersion } from '../base/own-files.js';
import { systemRandom } from '../base/random.js';
import { userDirectories } from '../base/user-directories.js';
import type { DaemonFlags } from '../config/daemon-flags.js';
import { startEngine } from '../engine/start-engine.js';
import { lockFile } from '../engine/state/file-lock.js';
import { nodeFileSystem } from '../engine/state/file-system.js';
import type { BackgroundProcess } from '../platform/process/background.js';
import { runProcess, ServiceProcess } from '../platform/process/service-process.js';
import { residentMemory } from '../platform/runtime/memory.js';
import { findServiceManager, type ServiceManager } from '../platform/service-manager/systemd-notify.js';
import { SocketUpkeep } from '../platform/socket-upkeep.js';
import { endAgent } from './agent-handover.js';
import type { Loaded } from './configuration.js';
import { Daemon } from './daemon.js';
import { DaemonLog } from './daemon-log.js';
import { linkDefaultSocket } from './default-socket.js';
import { makeOwnDirectories, socketGroup, warnRoot } from './process-setup.js';
import { markProxy, unmarkProxy } from './proxy-mark.js';
import { sharedAgent } from './shared-agent.js';
import type { DaemonSignals } from './signals.js';
import { Watchdog } from './watchdog.js';

interface Options {
  readonly flags: DaemonFlags;
  readonly load: () => Loaded;
  readonly loaded: Loaded;
  readonly signals: DaemonSignals;
}

/** ms between checks whether the status line of the service manager has changed. */
const SUMMARY_INTERVAL = 10_000;

/** @returns the exit status @throws CodedErrors */
export async function run(process: NodeJS.Process, options: Options): Promise<number> {
  const { flags, loaded, signals } = options;
  const openLog = ({ stream, isSyslog }: { readonly stream: NodeJS.WritableStream; readonly isSyslog: boolean }) =>
    new DaemonLog(
      {
        clock: systemClock,
        stream,
        environment: process.env,
        ...(isSyslog ? { format: { kind: 'journal' } } : {}),
      },
      loaded.settings.log,
    );
  const service = { ...flags, program: 'tuntoxd', openLog, release: () => signals.release() };
  return runProcess(process, service, (logging, background) => serve(process, options, { logging, background }));
}

/** Resolves after a stop signal, when the daemon has stopped. @throws CodedErrors */
async function serve(
  process: NodeJS.Process,
  { flags, load, loaded, signals }: Options,
  { logging, background }: { readonly logging: DaemonLog; readonly background: BackgroundProcess | undefined },
): Promise<number> {
  const { env: environment, pid } = process;
  const log = logging.logger;
  const version = ownVersion();
  const { settings } = loaded;
  const managing = findServiceManager({ clock: systemClock, log, environment, pid, monotonic: systemMicroseconds });
  const deps = {
    clock: systemClock,
    random: systemRandom,
    log,
    logging,
    files: nodeFileSystem,
    environment,
    startEngine,
    load,
    memory: residentMemory(systemClock),
  };
  const own = { user: settings.user, pidFile: flags.pidFile };
  const service = new ServiceProcess({ process, log, lockFile, background }, own);
  try {
    makeOwnDirectories(loaded);
    warnRoot(process, log, settings);
    const groupId = socketGroup(process, log, loaded);
    const manager = await managing;
    manager.status('starting');
    const places = agentPlacesOf(loaded, environment);
    if (places !== undefined) await endAgent({ clock: systemClock, log, isRunning: isRunning(process) }, places);
    const agent = places === undefined ? sharedAgent(log, settings.agent.users, groupId) : { places };
    if (places !== undefined) await markProxy(deps, settings);
    const daemon = await Daemon.start(deps, loaded, { version, pid, groupId, agent });
    if (places !== undefined) await unmarkProxy(deps, settings);
    const { path } = settings.socket;
    const link = await linkDefaultSocket({ log, environment }, path);
    try {
      const whose = loaded.owner === 'user' ? 'for this user, ' : '';
      log.info(`tuntoxd ${version} is ready: ${daemon.engine.id.publicKey.short}, ${whose}managed at ${path}`);
      const kept = [...daemon.sockets, ...(link === undefined ? [] : [link])];
      const sockets = new SocketUpkeep({ clock: systemClock, log }, kept);
      const ends = [keepSummary(daemon, manager), feedWatchdog(daemon, manager, log), () => sockets.stop()];
      await manager.ready();
      signals.onReload(() => reload(daemon, manager, sockets));
      await service.ready();
      log.info(`stopping on ${await signals.stop}; a second signal stops at once`);
      for (const end of ends) end();
      await manager.stopping();
      await daemon.drain();
    } finally {
      link?.remove();
      await daemon.stop();
    }
    log.info('stopped');
    return 0;
  } finally {
    service.end();
    signals.release();
  }
}

const isRunning =
  (process: NodeJS.Process) =>
  (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

/** A daemon of a user that has the identity of the user's `tuntox` is its agent. */
function agentPlacesOf({ owner, settings }: Loaded, environment: NodeJS.ProcessEnv): UserPlaces | undefined {
  const directories = userDirectories(environment);
  const isAgent = owner === 'user' && settings.stateDirectory === directories.state;
  return isAgent ? agentPlaces(directories) : undefined;
}

async function reload(daemon: Daemon, manager: ServiceManager, sockets: SocketUpkeep): Promise<void> {
  if (daemon.state !== 'running') return;
  await sockets.check();
  await manager.reloading();
  daemon.reload();
  await manager.ready();
}

function keepSummary(daemon: Daemon, manager: ServiceManager): () => void {
  if (manager.way === 'none') return () => {};
  let last = '';
  const update = (): void => {
    const { summary } = daemon;
    if (summary !== last) manager.status(summary);
    last = summary;
  };
  update();
  const timer = systemClock.every(SUMMARY_INTERVAL, update);
  return () => timer.cancel();
}

function feedWatchdog(daemon: Daemon, manager: ServiceManager, log: Logger): () => void {
  if (manager.watchdogInterval === undefined) return () => {};
  const proveAlive = (): Promise<boolean> => daemon.engine.proveAlive();
  const feed = (): void => manager.feedWatchdog();
  const watchdog = new Watchdog({ clock: systemClock, log, proveAlive, feed }, manager.watchdogInterval);
  return () => watchdog.stop();
}
