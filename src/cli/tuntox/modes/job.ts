/** What a client does with its server, over a connection of its own or through the agent: -L, -D, -R, -W, -p. */
import { AgentError } from '../../../agent/conversation.js';
import { CodedError } from '../../../base/coded-error.js';
import { type ClientSettings, type PipeSettings, serverName } from '../../../config/classic-settings.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import { ServerError } from '../../../engine/client/server-error.js';
import type { ServiceProcess } from '../../../platform/process/service-process.js';
import type { Context } from '../context.js';
import { ExitStatus, statusOf } from '../exit-status.js';
import { forward } from './forward.js';
import { ping } from './ping.js';
import { pipeTarget } from './pipe-target.js';
import { PortRefusedError } from './reverse.js';
import { listServices } from './services.js';
import { speed } from './speed.js';
import { store } from './store.js';

/** @returns the exit status, also when the server is not found, refuses or is lost */
export async function runJob(
  settings: ClientSettings,
  server: Remote,
  context: Context,
  service?: ServiceProcess,
): Promise<number> {
  const name = serverName(settings);
  const endDisplay = context.display?.follow(server, { name, isLasting: settings.mode === 'forward' });
  const endEvents = context.tell && server.watch(context.tell);
  try {
    return await start(settings, server, context, service);
  } catch (error) {
    if (!(error instanceof ServerError || error instanceof AgentError || error instanceof PortRefusedError))
      throw error;
    context.log.error(error.message);
    context.tell?.({ event: 'error', code: error.code, message: error.message });
    return statusOf(error.code);
  } finally {
    endEvents?.();
    endDisplay?.();
  }
}

function start(
  settings: ClientSettings,
  server: Remote,
  context: Context,
  service: ServiceProcess | undefined,
): Promise<number> {
  switch (settings.mode) {
    case 'forward':
      return forward(settings, server, context, service);
    case 'pipe':
      return pipe(settings, server, context);
    case 'ping':
      return ping(settings, server, context);
    case 'speed':
      return speed(settings, server, context);
    case 'store':
      return store(settings, server, context);
    case 'services':
      return listServices(settings, server, context);
  }
}

/** `-W`: connects the target to standard input and output, as ssh's ProxyCommand needs it. */
async function pipe(settings: PipeSettings, server: Remote, context: Context): Promise<number> {
  const { log, stdin, stdout, stopping } = context;
  let { target } = settings;
  const connected = async (): Promise<number> => {
    target = await pipeTarget(settings, server);
    await server.pipe(target, { stdin, stdout });
    return ExitStatus.Ok;
  };
  try {
    return await stopping.orStatusOf(connected());
  } catch (error) {
    // A ServerError is not about the target: the caller reports it.
    if (!(error instanceof CodedError) || error instanceof ServerError || isAboutAgent(error)) throw error;
    // After `tuntox … | head`, a closed output is not an error.
    const level = error.code === 'closed-pipe' ? 'debug' : 'error';
    if (level === 'error') context.tell?.({ event: 'error', code: error.code, message: error.message });
    const { host, port } = target;
    log[level](`${port === 0 ? host : `${host} port ${port}`}: ${error.message}`);
    return statusOf(error.code);
  } finally {
    // An open input would keep the process alive.
    stdin.destroy();
  }
}

/** Whether an error of the agent is about itself, or about the server. */
const isAboutAgent = (error: unknown): boolean =>
  error instanceof AgentError && !OF_TARGET.includes(statusOf(error.code));
const OF_TARGET: readonly number[] = [ExitStatus.NotAllowed, ExitStatus.TargetUnreachable];
