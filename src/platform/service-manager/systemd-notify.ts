/**
 * The only file that imports sd-notify: notifies the service manager (sd_notify(3)). The addon is built for one version of Node
 * against libsystemd; if it is missing or does not load, systemd-notify(1) is used.
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import { type Notification, NotifyProgram } from './notify-program.js';

export interface ServiceManager {
  /** How it is notified; `none` if no service manager started us. */
  readonly way: 'addon' | 'program' | 'none';
  /** ms between two pings of the watchdog; undefined without a watchdog. */
  readonly watchdogInterval: number | undefined;
  /** Sent after the start, and at the end of each reload. Resolves when it was sent or given up; never rejects. */
  ready(): Promise<void>;
  /** Sets the line of `systemctl status`. */
  status(text: string): void;
  /** Sent before a reload, which `ready` ends. */
  reloading(): Promise<void>;
  stopping(): Promise<void>;
  /** Called only when it is proved that the daemon works. */
  feedWatchdog(): void;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly environment: NodeJS.ProcessEnv;
  readonly pid: number;
  /** µs of CLOCK_MONOTONIC. */
  readonly monotonic: () => bigint;
  readonly loadAddon?: () => Promise<Addon>;
  readonly command?: string;
}

interface Addon {
  sendState(text: string): void;
}

/** Pings within the timeout of the watchdog. sd_watchdog_enabled(3) recommends two; with four, one may be late. */
const PINGS = 4;
/** Each of these pings takes a process. */
const PINGS_BY_PROGRAM = 2;
/** characters of the line of `systemctl status`. */
const MAX_STATUS = 300;

/** Never rejects. */
export async function findServiceManager(deps: Deps): Promise<ServiceManager> {
  const { environment, log } = deps;
  if (!environment.NOTIFY_SOCKET) return NONE;
  try {
    const addon = await (deps.loadAddon ?? loadSdNotify)();
    if (typeof addon.sendState !== 'function') throw new TypeError('it has no sendState');
    log.debug('systemd is notified by the addon sd-notify');
    return overAddon(addon, deps);
  } catch (error) {
    log.debug(`systemd is notified by systemd-notify, because the addon sd-notify does not load: ${messageOf(error)}`);
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
      deps.log.debug(`cannot notify systemd: ${messageOf(error)}`);
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
    // The time distinguishes the READY of this reload from an earlier one (Type=notify-reload).
    reloading: () => send('reloading', ['RELOADING=1', `MONOTONIC_USEC=${monotonic()}`]),
    stopping: () => send('stopping', ['STOPPING=1']),
    feedWatchdog: () => void send('watchdog', ['WATCHDOG=1']),
  };
}

/** sd_watchdog_enabled(3): the watchdog is for the process of WATCHDOG_PID, if that is set. */
function watchdogInterval(
  { WATCHDOG_USEC: text = '', WATCHDOG_PID: forPid }: NodeJS.ProcessEnv,
  pid: number,
  pings: number,
): number | undefined {
  if (!/^[1-9][0-9]{0,15}$/.test(text) || (forPid && forPid !== String(pid))) return undefined;
  return Number(text) / 1000 / pings;
}

const nothing = async (): Promise<void> => {};

const NONE: ServiceManager = {
  way: 'none',
  watchdogInterval: undefined,
  ready: nothing,
  status: () => {},
  reloading: nothing,
  stopping: nothing,
  feedWatchdog: () => {},
};
