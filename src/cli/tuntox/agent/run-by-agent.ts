/** Runs a client through the agent, in this process and the foreground: nothing of the network is loaded. */
import { systemClock } from '../../../base/clock.js';
import { mayColour as mayColourIn } from '../../../base/terminal.js';
import type { ClientSettings, RunSettings } from '../../../config/classic-settings.js';
import { plainLogger } from '../../../platform/logging/levels.js';
import { onStopSignal } from '../../../platform/process/signals.js';
import { closePipeAtEnd } from '../../../platform/process/standard-output.js';
import type { ListenDescriptor } from '../../../platform/service-manager/listen-descriptors.js';
import { StatusLine } from '../../status-line.js';
import { StopRequest } from '../context.js';
import { displayOn, mayShowProgress } from '../display.js';
import { jsonEvents } from '../json-events.js';
import { runJob } from '../modes/job.js';
import { checkBeforeStore } from '../modes/store.js';
import { withProxyUsers } from '../proxy-users.js';
import type { AgentRoute } from './agent-route.js';

/** Whether a client needs nothing but the agent: no service process, no syslog. */
export function isLight(settings: RunSettings): settings is ClientSettings {
  const { isBackground = false, pidFile } = 'service' in settings ? settings.service : {};
  return 'serverId' in settings && !settings.isSyslog && !isBackground && pidFile === undefined;
}

/** @returns the exit status @throws CodedErrors */
export async function runByAgent(
  process: NodeJS.Process,
  written: ClientSettings,
  {
    route,
    mayColour,
    descriptors,
  }: {
    readonly route: AgentRoute;
    readonly mayColour: boolean;
    readonly descriptors: readonly ListenDescriptor[];
  },
): Promise<number> {
  const { logLevel: level } = written;
  const hasColour = (stream: { readonly isTTY?: boolean }): boolean =>
    stream.isTTY === true && mayColour && mayColourIn(process.env);
  const line = mayShowProgress(written, process) ? new StatusLine(process.stderr) : undefined;
  const log = plainLogger(line?.stream ?? process.stderr, { level, hasColour: hasColour(process.stderr) });
  const settings = withProxyUsers(written, log);
  // The reader of our output may close it; each job handles that itself.
  process.stdout.on('error', () => {});
  closePipeAtEnd(process.stdout, systemClock);
  const remote = route(log, { isShown: line !== undefined });
  const stopping = new StopRequest();
  const release = onStopSignal(process, (signal) => {
    line?.end();
    stopping.ask(signal);
  });
  const context = {
    environment: process.env,
    log,
    // Opened only when it is used: an open standard input keeps the process alive.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    hasColour: hasColour(process.stdout),
    stopping,
    display: line && displayOn(line, log),
    tell: jsonEvents(settings, process)?.tell,
    descriptors,
  };
  try {
    if (settings.mode === 'store') await checkBeforeStore(settings, context);
    return await runJob(settings, remote, context);
  } finally {
    release();
    remote.close();
  }
}
