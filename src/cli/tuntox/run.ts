/** Runs one mode of the command, with its log and its signals. */
import { finished } from 'node:stream/promises';
import { isatty } from 'node:tty';
import { systemClock } from '../../base/clock.js';
import { forgetSecrets } from '../../base/helper-environment.js';
import type { Logger } from '../../base/logger.js';
import { mayColour as mayColourIn } from '../../base/terminal.js';
import type { LastingSettings, RunSettings } from '../../config/classic-settings.js';
import { describeProxy } from '../../config/proxy.js';
import { Syslog } from '../../platform/logging/syslog.js';
import { serviceLog, winstonLogger } from '../../platform/logging/winston-logger.js';
import { type BackgroundSide, backgroundSide, goIntoBackground } from '../../platform/process/background.js';
import { onStopSignal, STOP_SIGNALS, type StopSignal, stopSignalsOf } from '../../platform/process/signals.js';
import { closePipeAtEnd } from '../../platform/process/standard-output.js';
import { tellFaultsTo } from '../../platform/process/uncaught-errors.js';
import { type StartContext, StopRequest } from './context.js';
import { readGivenFiles } from './given-files.js';
import { runClient } from './modes/client.js';
import { runNode } from './modes/node.js';
import { runServer } from './modes/server.js';
import { Service } from './service.js';

/**
 * @param options.isSecond whether a first process passes signals on to this one
 * @param options.mayColour whether a terminal may get colours
 * @returns the exit status
 * @throws UsageError, and other CodedErrors
 */
export async function run(
  process: NodeJS.Process,
  settings: RunSettings,
  { isSecond, mayColour }: { readonly isSecond: boolean; readonly mayColour: boolean },
): Promise<number> {
  const background = backgroundSide(process);
  if (isService(settings) && settings.service.isBackground && background === undefined) {
    return goIntoBackground(process);
  }
  forgetSecrets(process.env);
  const stderr = background?.stderr ?? process.stderr;
  const deps = { clock: systemClock, fallback: stderr, pid: process.pid };
  const syslog = settings.isSyslog ? new Syslog(deps, { tag: 'tuntox' }) : undefined;
  const log = logTo(syslog ?? stderr, settings, mayColour && mayColourIn(process.env));
  tellFaultsTo(log);
  try {
    return await runLogging(process, settings, { background, log, isSecond });
  } finally {
    syslog?.end();
    if (syslog !== undefined) await finished(syslog);
  }
}

function logTo(stream: NodeJS.WritableStream, { logLevel: level }: RunSettings, mayColour: boolean): Logger {
  if (stream instanceof Syslog) {
    return serviceLog({ clock: systemClock, stream }, { level, format: { kind: 'journal' } }).logger;
  }
  const isTerminal = (stream as { readonly isTTY?: boolean }).isTTY === true;
  return winstonLogger(stream, {
    level,
    hasTime: level === 'debug' || level === 'trace',
    hasColour: isTerminal && mayColour,
  });
}

async function runLogging(
  process: NodeJS.Process,
  written: RunSettings,
  options: { readonly background: BackgroundSide | undefined; readonly log: Logger; readonly isSecond: boolean },
): Promise<number> {
  const { background, log, isSecond } = options;
  const { given, settings } = readGivenFiles(written, log);
  const stopping = new StopRequest();
  const stop = (signal: StopSignal): void => {
    log.debug(`stopping on ${signal}; a second signal stops at once`);
    stopping.ask(signal);
  };
  const isForegroundService = background === undefined && !isSecond && isService(settings);
  const streams = [process.stderr, ...[0, 1].map((fd) => ({ isTTY: isatty(fd) }))];
  const signals = isForegroundService ? stopSignalsOf(streams) : STOP_SIGNALS;
  // Without a listener SIGHUP would end the process.
  if (!signals.includes('SIGHUP')) process.on('SIGHUP', () => log.debug('ignoring SIGHUP: there is no terminal'));
  const release = onStopSignal(process, stop, signals, isSecond ? systemClock : undefined);
  if (background === undefined) {
    // The reader of our output may close it; each mode handles that itself.
    process.stdout.on('error', () => {});
    closePipeAtEnd(process.stdout, systemClock);
  }
  const context: StartContext = {
    log,
    // Opened only when it is used: an open standard input keeps the process alive.
    get stdin() {
      return process.stdin;
    },
    stdout: background?.stdout ?? process.stdout,
    stopping,
    given,
  };
  logProxy(settings, log);
  try {
    if (!isService(settings)) return await runClient(settings, context);
    return await runService(settings, context, new Service({ process, log, background }, settings));
  } finally {
    release();
  }
}

const isService = (settings: RunSettings): settings is LastingSettings => 'service' in settings;

async function runService(settings: LastingSettings, context: StartContext, service: Service): Promise<number> {
  try {
    switch (settings.mode) {
      case 'server':
        return await runServer(settings, context, service);
      case 'forward':
        return await runClient(settings, context, service);
      case 'node':
        return await runNode(settings, context, service);
    }
  } finally {
    service.end();
  }
}

function logProxy({ proxy }: RunSettings, log: Logger): void {
  if (proxy === undefined) return;
  log.info(`all Tox traffic goes through the proxy ${describeProxy(proxy.address)}`);
  if (proxy.from === 'flag' && proxy.address.credentials !== undefined) {
    log.warn('other users can see the password of --proxy in the process list: use ALL_PROXY');
  }
}
