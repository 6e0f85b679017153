/**
 * The only file that imports sd-notify: tells the service manager how we are (sd_notify(3)). The addon is built for one version
 * of Node against libsystemd; where it is missing or does not load, systemd's own program says it.
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import { type Notification, NotifyProgram } from './notify-program.js';

export interface ServiceManager {
  /** How it is told; `nobody` where no service manager started us, and then nothing is done. */
  readonly way: 'addon' | 'program' | 'nobody';
  /** ms between two pings that the watchdog is to be fed with; undefined where there is no watchdog. */
  readonly watchdogInterval: number | undefined;
  /** We serve: after the start, and at the end of each reload. Resolves once it is told or given up; never rejects. */
  ready(): Promise<void>;
  /** What we are doing, in one line, for `systemctl status`. */
  status(text: string): void;
  /** The settings are being read anew, until `ready`. */
  reloading(): Promise<void>;
  stopping(): Promise<void>;
  /** To be called only when it is proved that we are well. */
  feedWatchdog(): void;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly environment: NodeJS.ProcessEnv;
  readonly pid: number;
  /** µs of CLOCK_MONOTONIC. */
  readonly monotonic: () => bigint;
  /** A test passes another one. */
  readonly loadAddon?: () => Promise<Addon>;
  readonly command?: string;
}

interface Addon {
  sendState(text: string): void;
}

/** Pings in the time after which systemd takes us for dead: the manual wants two; of two more the first may come late. */
const PINGS = 4;
/** Each costs a process: as few as the manual allows. */
const PINGS_BY_PROGRAM = 2;
/** Characters; what `systemctl status` shows in a line. */
const MAX_STATUS = 300;

/** Never rejects, and waits for nobody. */
export async function findServiceManager(deps: Deps): Promise<ServiceManager> {
  const { environment, log } = deps;
  if (!environment.NOTIFY_SOCKET) return nobody;
  try {
    const addon = await (deps.loadAddon ?? loadSdNotify)();
    if (typeof addon.sendState !== 'function') throw new TypeError('it has no sendState');
    log.debug('systemd is told about us by the addon sd-notify');
    return overAddon(addon, deps);
  } catch (error) {
    log.debug(
      `systemd is told about us by systemd-notify, because the addon sd-notify does not load: ${messageOf(error)}`,
    );
    const program = new NotifyProgram({ ...deps, command: deps.command ?? 'systemd-notify' });
    const send = (kind: string, notification: Notification): Promise<void> => program.send(kind, notification);
    return managerBy('program', send, deps, PINGS_BY_PROGRAM);
  }
}

async function loadSdNotify(): Promise<Addon> {
  const { default: addon } = await import('sd-notify');
  return addon;
}

function overAddon(addon: Addon, deps: Deps): ServiceManager {
  const send = async (_kind: string, notification: Notification): Promise<void> => {
    try {
      addon.sendState(notification.join('\n'));
    } catch (error) {
      deps.log.debug(`cannot tell systemd about us: ${messageOf(error)}`);
    }
  };
  return managerBy('addon', send, deps, PINGS);
}

function managerBy(
  way: ServiceManager['way'],
  send: (kind: string, notification: Notification) => Promise<void>,
  { environment, monotonic, pid }: Deps,
  pings: number,
): ServiceManager {
  return {
    way,
    watchdogInterval: watchdogInterval(environment, pid, pings),
    ready: () => send('ready', ['READY=1']),
    status: (text) => void send('status', [`STATUS=${text.replace(/\p{Cc}+/gu, ' ').slice(0, MAX_STATUS)}`]),
    // The time lets systemd tell this reload's READY from one before (Type=notify-reload).
    reloading: () => send('reloading', ['RELOADING=1', `MONOTONIC_USEC=${monotonic()}`]),
    stopping: () => send('stopping', ['STOPPING=1']),
    feedWatchdog: () => void send('watchdog', ['WATCHDOG=1']),
  };
}

/** sd_watchdog_enabled(3): only for the process that WATCHDOG_PID names, if it names one. */
function watchdogInterval(
  { WATCHDOG_USEC: text = '', WATCHDOG_PID: forPid }: NodeJS.ProcessEnv,
  pid: number,
  pings: number,
): number | undefined {
  if (!/^[1-9][0-9]{0,15}$/.test(text) || (forPid && forPid !== String(pid))) return undefined;
  return Number(text) / 1000 / pings;
}

const nothing = async (): Promise<void> => {};

const nobody: ServiceManager = {
  way: 'nobody',
  watchdogInterval: undefined,
  ready: nothing,
  status: () => {},
  reloading: nothing,
  stopping: nothing,
  feedWatchdog: () => {},
};
