/** Runs the daemon from the first line of its log to the last: signals come in, the service manager is told. */
import { finished } from 'node:stream/promises';
import { systemClock, systemMicroseconds } from '../base/clock.js';
import { forgetSecrets } from '../base/helper-environment.js';
import type { Logger } from '../base/logger.js';
import { ownVersion } from '../base/own-files.js';
import { systemRandom } from '../base/random.js';
import type { DaemonFlags } from '../config/daemon-flags.js';
import { startEngine } from '../engine/start-engine.js';
import { nodeFileSystem } from '../engine/state/file-system.js';
import { Syslog } from '../platform/logging/syslog.js';
import { type BackgroundSide, backgroundSide, goIntoBackground } from '../platform/process/background.js';
import { tellFaultsTo } from '../platform/process/uncaught-errors.js';
import { eventLoopLoad } from '../platform/runtime/event-loop.js';
import { residentMemory } from '../platform/runtime/memory.js';
import { findServiceManager, type ServiceManager } from '../platform/service-manager/systemd-notify.js';
import type { Loaded } from './configuration.js';
import { Daemon } from './daemon.js';
import { DaemonLog } from './daemon-log.js';
import { ProcessForm } from './process-form.js';
import type { DaemonSignals } from './signals.js';
import { SocketUpkeep } from './socket-upkeep.js';
import { linkUsualSocket } from './usual-socket.js';
import { Watchdog } from './watchdog.js';

interface Order {
  readonly flags: DaemonFlags;
  readonly load: () => Loaded;
  readonly loaded: Loaded;
  readonly signals: DaemonSignals;
}

/** ms between looks whether the line for the service manager has changed. */
const SUMMARY_INTERVAL = 10_000;

/** @returns the exit status @throws CodedErrors that say why it did not work */
export async function run(process: NodeJS.Process, order: Order): Promise<number> {
  const { flags, loaded } = order;
  const background = backgroundSide(process);
  if (flags.isBackground && background === undefined) {
    // They are the other process's, which this one passes them to.
    order.signals.release();
    return goIntoBackground(process);
  }
  forgetSecrets(process.env);
  const stderr = background?.stderr ?? process.stderr;
  const syslogDeps = { clock: systemClock, fallback: stderr, pid: process.pid };
  const syslog = flags.isSyslog ? new Syslog(syslogDeps, { tag: 'tuntoxd' }) : undefined;
  const logging = new DaemonLog(
    {
      clock: systemClock,
      stream: syslog ?? stderr,
      environment: process.env,
      ...(syslog === undefined ? {} : { format: { kind: 'journal' } }),
    },
    loaded.settings.log,
  );
  tellFaultsTo(logging.logger);
  try {
    await serve(process, order, { logging, background });
    return 0;
  } finally {
    syslog?.end();
    if (syslog !== undefined) await finished(syslog);
  }
}

/** Resolves when it was told to stop, and has. @throws CodedErrors that say why it did not work */
async function serve(
  process: NodeJS.Process,
  { flags, load, loaded, signals }: Order,
  { logging, background }: { readonly logging: DaemonLog; readonly background: BackgroundSide | undefined },
): Promise<void> {
  const { env: environment, pid } = process;
  const log = logging.logger;
  const version = ownVersion();
  const managing = findServiceManager({ clock: systemClock, log, environment, pid, monotonic: systemMicroseconds });
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
    memory: residentMemory(systemClock),
    workload: eventLoopLoad(systemClock),
  };
  const form = new ProcessForm({ process, log }, loaded, { pidFile: flags.pidFile });
  try {
    const manager = await managing;
    manager.status('starting');
    const daemon = await Daemon.start(deps, loaded, { version, pid, groupId: form.groupId });
    const { path } = loaded.settings.socket;
    const link = await linkUsualSocket({ log, environment }, path);
    try {
      log.info(`tuntoxd ${version} is ready: ${daemon.engine.id.publicKey.short}, managed at ${path}`);
      const own = { path, restore: () => daemon.restoreSocket() };
      const sockets = new SocketUpkeep({ clock: systemClock, log }, link === undefined ? [own] : [own, link]);
      const ends = [keepSummary(daemon, manager), feedWatchdog(daemon, manager, log), () => sockets.stop()];
      await manager.ready();
      signals.onReload(() => reload(daemon, manager, sockets));
      await background?.ready();
      log.info(`stopping because of ${await signals.stop}; once more ends at once`);
      for (const end of ends) end();
      await manager.stopping();
      await daemon.drain();
    } finally {
      link?.remove();
      await daemon.stop();
    }
    log.info('stopped');
  } finally {
    form.end();
    signals.release();
  }
}

async function reload(daemon: Daemon, manager: ServiceManager, sockets: SocketUpkeep): Promise<void> {
  if (daemon.state !== 'running') return;
  await sockets.check();
  await manager.reloading();
  daemon.reload();
  await manager.ready();
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
