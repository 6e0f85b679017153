/** Runs the daemon from the first line of its log to the last: signals come in, the service manager is told. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemClock, systemMicroseconds } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { systemRandom } from '../base/random.js';
import type { DaemonFlags } from '../config/daemon-flags.js';
import { nodeFileSystem } from '../engine/file-system.js';
import { startEngine } from '../engine/start-engine.js';
import { groupIdOf } from '../platform/group-id.js';
import { onReloadSignal, onStopSignal } from '../platform/signals.js';
import { findServiceManager, type ServiceManager } from '../platform/systemd-notify.js';
import type { Loaded } from './configuration.js';
import { Daemon } from './daemon.js';
import { DaemonLog } from './daemon-log.js';
import { ownVersion } from './own-version.js';
import { Watchdog } from './watchdog.js';

interface Order {
  readonly flags: DaemonFlags;
  readonly load: () => Loaded;
  readonly loaded: Loaded;
}

/** ms between looks whether the line for the service manager has changed. */
const SUMMARY_INTERVAL = 10_000;
/** Others may pass through to the socket, whose own rights decide. */
const DIRECTORY_MODE = 0o755;

/** Resolves when it was told to stop, and has. @throws CodedErrors that say why it did not work */
export async function run(process: NodeJS.Process, { load, loaded }: Order): Promise<void> {
  const { env: environment, pid } = process;
  const logging = new DaemonLog({ clock: systemClock, stream: process.stderr, environment }, loaded.settings.log);
  const log = logging.logger;
  const stopping = whenTold(process, log);
  const version = ownVersion();
  const manager = await findServiceManager({
    clock: systemClock,
    log,
    environment,
    pid,
    monotonic: systemMicroseconds,
  });
  manager.status('starting');
  const deps = {
    ...{
      clock: systemClock,
      random: systemRandom,
      log,
      logging,
      files: nodeFileSystem,
      environment,
      startEngine,
      load,
    },
    memory: () => process.memoryUsage.rss(),
  };
  const { socket } = loaded.settings;
  mkdirSync(dirname(socket.path), { recursive: true, mode: DIRECTORY_MODE });
  const groupId = socketGroup(process, log, loaded);
  const daemon = await Daemon.start(deps, loaded, { version, pid, groupId });
  log.info(`tuntoxd ${version} is ready: ${daemon.engine.id.publicKey.short}, managed at ${socket.path}`);
  const ends = [
    keepSummary(daemon, manager),
    feedWatchdog(daemon, manager, log),
    reloadWhenTold(process, daemon, manager),
  ];
  await manager.ready();
  const signal = await stopping.told;
  log.info(`stopping because of ${signal}; once more ends at once`);
  for (const end of ends) end();
  await manager.stopping();
  await daemon.stop();
  stopping.release();
  log.info('stopped');
}

function whenTold(process: NodeJS.Process, log: Logger): { readonly told: Promise<string>; release(): void } {
  let release = (): void => {};
  const told = new Promise<string>((resolve) => {
    release = onStopSignal(process, resolve, ['SIGINT', 'SIGTERM']);
  });
  log.debug(`tuntoxd begins, process ${process.pid}`);
  return { told, release: () => release() };
}

function reloadWhenTold(process: NodeJS.Process, daemon: Daemon, manager: ServiceManager): () => void {
  return onReloadSignal(process, async () => {
    await manager.reloading();
    daemon.reload();
    await manager.ready();
  });
}

function keepSummary(daemon: Daemon, manager: ServiceManager): () => void {
  if (manager.way === 'nobody') return () => {};
  let told = '';
  const tell = (): void => {
    const { summary } = daemon;
    if (summary !== told) manager.status(summary);
    told = summary;
  };
  tell();
  const timer = systemClock.every(SUMMARY_INTERVAL, tell);
  return () => timer.cancel();
}

function feedWatchdog(daemon: Daemon, manager: ServiceManager, log: Logger): () => void {
  if (manager.watchdogInterval === undefined) return () => {};
  const proveAlive = (): Promise<boolean> => daemon.engine.proveAlive();
  const feed = (): void => manager.feedWatchdog();
  const watchdog = new Watchdog({ clock: systemClock, log, proveAlive, feed }, manager.watchdogInterval);
  return () => watchdog.stop();
}

/** That of the settings; where nobody named one and there is none of that name, or it is not ours to give, our own. */
function socketGroup(process: NodeJS.Process, log: Logger, { settings, effective }: Loaded): number | undefined {
  const { group } = settings.socket;
  if (group === undefined) return undefined;
  const id = groupIdOf(group);
  const isOurs = process.geteuid?.() === 0 || (id !== undefined && (process.getgroups?.() ?? []).includes(id));
  if (id !== undefined && isOurs) return id;
  const isUsual = effective.get('socket.group')?.source === 'default';
  const why = id === undefined ? `there is no group ${group}` : `this user is not in the group ${group}`;
  const others = 'only this user and root may use the control socket';
  log[isUsual ? 'info' : 'warn'](`${why}, so ${others}`);
  return undefined;
}
