/** Runs one mode of the command, with its log and its signals. */
import { dirname } from 'node:path';
import { isatty } from 'node:tty';
import { systemClock } from '../../base/clock.js';
import type { Logger, LogLevel } from '../../base/logger.js';
import type { LastingSettings, RunSettings } from '../../config/classic-settings.js';
import { describeProxy } from '../../config/proxy.js';
import { lockFile } from '../../engine/state/file-lock.js';
import { makeDirectories } from '../../engine/state/file-system.js';
import { LogFile } from '../../platform/logging/log-file.js';
import { serviceLog, winstonLogger } from '../../platform/logging/winston-logger.js';
import type { BackgroundProcess } from '../../platform/process/background.js';
import { runProcess, ServiceProcess } from '../../platform/process/service-process.js';
import { onStopSignal, STOP_SIGNALS, type StopSignal, stopSignalsOf } from '../../platform/process/signals.js';
import type { ListenDescriptor } from '../../platform/service-manager/listen-descriptors.js';
import { StatusLine } from '../status-line.js';
import { logPathOf } from './agent/agent-paths.js';
import type { AgentRoute } from './agent/agent-route.js';
import { CompiledClient } from './compiled-client.js';
import { type StartContext, StopRequest } from './context.js';
import { mayShowProgress } from './display.js';
import { readGivenFiles } from './given-files.js';
import { runAgent } from './modes/agent.js';
import { runClient } from './modes/client.js';
import { runNode } from './modes/node.js';
import { runServer } from './modes/server.js';
import { runShare } from './modes/share.js';
import { colourRule, contextOf, outliveReader } from './process-context.js';

/**
 * @param options.isForwarded whether a parent process forwards signals to this one
 * @param options.mayColour whether a terminal may get colours
 * @param options.route of a client through the agent
 * @param options.descriptors that the service manager passed
 * @param options.keepCompiled makes the next start faster
 * @returns the exit status
 * @throws UsageError, and other CodedErrors
 */
export async function run(
  process: NodeJS.Process,
  settings: RunSettings,
  {
    isForwarded,
    mayColour,
    route,
    descriptors,
    keepCompiled,
  }: {
    readonly isForwarded: boolean;
    readonly mayColour: boolean;
    readonly route?: AgentRoute | undefined;
    readonly descriptors: readonly ListenDescriptor[];
    readonly keepCompiled: () => Promise<void>;
  },
): Promise<number> {
  const { isSyslog, logLevel: level } = settings;
  const hasColour = colourRule(process, mayColour);
  const isBackground = isService(settings) && settings.service.isBackground;
  const line = mayShowProgress(settings, process) && !isBackground ? new StatusLine(process.stderr) : undefined;
  const openLog = ({ stream }: { readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean } }) => {
    if (isSyslog) return serviceLog({ clock: systemClock, stream }, { level, format: { kind: 'journal' } });
    if (settings.mode === 'agent' && settings.service.isBackground) return agentLog(level);
    // Then each line of standard error is an object.
    if (settings.isJson === true && settings.mode === 'pipe')
      return serviceLog({ clock: systemClock, stream }, { level, format: { kind: 'json' } });
    const options = { level, hasTime: level === 'debug' || level === 'trace', hasColour: hasColour(stream) };
    return { logger: winstonLogger(line?.stream ?? stream, options) };
  };
  return runProcess(process, { program: 'tuntox', isBackground, isSyslog, openLog }, ({ logger: log }, background) =>
    runLogging(process, settings, {
      background,
      log,
      isForwarded,
      line,
      route,
      descriptors,
      keepCompiled,
      hasColour: background === undefined && hasColour(process.stdout),
    }),
  );
}

async function runLogging(
  process: NodeJS.Process,
  written: RunSettings,
  options: {
    readonly background: BackgroundProcess | undefined;
    readonly log: Logger;
    readonly isForwarded: boolean;
    readonly line: StatusLine | undefined;
    readonly hasColour: boolean;
    readonly route: AgentRoute | undefined;
    readonly descriptors: readonly ListenDescriptor[];
    readonly keepCompiled: () => Promise<void>;
  },
): Promise<number> {
  const { background, log, isForwarded, line, hasColour, route, descriptors, keepCompiled } = options;
  const { given, settings } = readGivenFiles(written, log);
  const stopping = new StopRequest();
  const stop = (signal: StopSignal): void => {
    log.debug(`stopping on ${signal}; a second signal stops at once`);
    line?.end();
    stopping.ask(signal);
  };
  const isForegroundService = background === undefined && !isForwarded && isService(settings);
  const streams = [process.stderr, ...[0, 1].map((fd) => ({ isTTY: isatty(fd) }))];
  const signals = isForegroundService ? stopSignalsOf(streams) : STOP_SIGNALS;
  // Without a listener SIGHUP would end the process.
  if (!signals.includes('SIGHUP')) process.on('SIGHUP', () => log.debug('ignoring SIGHUP: there is no terminal'));
  const release = onStopSignal(process, stop, signals, isForwarded ? systemClock : undefined);
  if (background === undefined) outliveReader(process);
  const stdout = background?.stdout;
  const context: StartContext = Object.assign(
    contextOf(process, settings, { log, hasColour, stopping, line, descriptors, stdout }),
    {
      given,
      remote: route?.(log, { isShown: line !== undefined }),
      compiled: new CompiledClient(systemClock, keepCompiled),
    },
  );
  logProxy(settings, log);
  try {
    if (!isService(settings)) return await runClient(settings, context);
    const service = new ServiceProcess({ process, log, lockFile, background }, settings.service);
    return await runService(settings, context, service);
  } finally {
    release();
  }
}

/** The log of an agent that nobody sees; how its start fails is on standard error. */
function agentLog(level: LogLevel): ReturnType<typeof serviceLog> {
  const path = logPathOf(process.env);
  try {
    makeDirectories(dirname(path), 0o700);
  } catch {
    // The identity cannot be stored there either, and says so.
  }
  return serviceLog(
    { clock: systemClock, stream: new LogFile(path) },
    { level, format: { kind: 'plain', hasTime: true, hasColour: false } },
  );
}

const isService = (settings: RunSettings): settings is LastingSettings => 'service' in settings;

async function runService(settings: LastingSettings, context: StartContext, service: ServiceProcess): Promise<number> {
  try {
    switch (settings.mode) {
      case 'server':
        return await runServer(settings, context, service);
      case 'share':
        return await runShare(settings, context, service);
      case 'forward':
        return await runClient(settings, context, service);
      case 'node':
        return await runNode(settings, context, service);
      case 'agent':
        return await runAgent(settings, context, service);
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
