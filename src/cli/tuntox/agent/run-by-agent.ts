/** Runs a client through the agent, in this process and the foreground: nothing of the network is loaded. */
import type { ClientSettings, RunSettings } from '../../../config/classic-settings.js';
import { plainLogger } from '../../../platform/logging/levels.js';
import { onStopSignal } from '../../../platform/process/signals.js';
import type { ListenDescriptor } from '../../../platform/service-manager/listen-descriptors.js';
import { StatusLine } from '../../status-line.js';
import { StopRequest } from '../context.js';
import { mayShowProgress } from '../display.js';
import { runJob } from '../modes/job.js';
import { checkBeforeStore } from '../modes/store.js';
import { colourRule, contextOf, outliveReader } from '../process-context.js';
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
  const hasColour = colourRule(process, mayColour);
  const line = mayShowProgress(written, process) ? new StatusLine(process.stderr) : undefined;
  const log = plainLogger(line?.stream ?? process.stderr, { level, hasColour: hasColour(process.stderr) });
  const settings = withProxyUsers(written, log);
  outliveReader(process);
  const remote = route(log, { isShown: line !== undefined });
  const stopping = new StopRequest();
  const release = onStopSignal(process, (signal) => {
    line?.end();
    stopping.ask(signal);
  });
  const context = contextOf(process, settings, {
    log,
    hasColour: hasColour(process.stdout),
    stopping,
    line,
    descriptors,
  });
  try {
    if (settings.mode === 'store') await checkBeforeStore(settings, context);
    return await runJob(settings, remote, context);
  } finally {
    release();
    remote.close();
  }
}
