/** What a client does with its server, over a connection of its own or through the agent: -L, -D, -R, -W, -p. */
import { AgentError } from '../../../agent/conversation.js';
import { CodedError } from '../../../base/coded-error.js';
import { targetText } from '../../../base/endpoint.js';
import { placeText } from '../../../base/local-place.js';
import type { ClientSettings, ForwardSettings, PipeSettings } from '../../../config/classic-settings.js';
import type { ForwardText } from '../../../config/forward-text.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import { ServerError } from '../../../engine/client/server-error.js';
import type { ServiceProcess } from '../../../platform/process/service-process.js';
import type { Context } from '../context.js';
import { ExitStatus, statusOf } from '../exit-status.js';
import type { NewsEvent } from '../json-events.js';
import { UsageError } from '../usage-error.js';
import { ping } from './ping.js';
import { pipeTarget } from './pipe-target.js';
import { listServices } from './services.js';
import { speed } from './speed.js';
import { store } from './store.js';

type ForwardSpec = Parameters<Remote['forward']>[0];
type Forward = Awaited<ReturnType<Remote['forward']>>;

/** @returns the exit status, also when the server is not found, refuses or is lost */
export async function runJob(
  settings: ClientSettings,
  server: Remote,
  context: Context,
  service?: ServiceProcess,
): Promise<number> {
  const name = settings.host?.name ?? settings.serverId.publicKey.short;
  const endDisplay = context.display?.follow(server, { name, isLasting: settings.mode === 'forward' });
  const endEvents = context.tell && server.watch(context.tell);
  try {
    return await start(settings, server, context, service);
  } catch (error) {
    if (!(error instanceof ServerError || error instanceof AgentError)) throw error;
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

/** `-L`, `-D`, `-R`: forwards until a signal comes or the search for the server is given up. */
async function forward(
  settings: ForwardSettings,
  server: Remote,
  context: Context,
  service?: ServiceProcess,
): Promise<number> {
  // The ports are opened before the server is found: connections wait, and a port in use is reported now.
  for (const text of settings.forwards) await openPlace(settings, specOf(text), server, context);
  await service?.ready();
  return context.stopping.orStatusOf(server.givenUp);
}

/** Begins to forward; after `tuntox join` at any other port if the first one is in use. */
async function openPlace(
  { mayMovePorts }: ForwardSettings,
  spec: ForwardSpec,
  server: Remote,
  { log, tell }: Context,
): Promise<void> {
  const open = async (wanted: ForwardSpec): Promise<void> => {
    const forward = await server.forward(wanted);
    tell?.(listeningEvent(forward));
  };
  try {
    await open(spec);
  } catch (error) {
    const isTaken = error instanceof CodedError && error.code === 'address-in-use';
    if (!mayMovePorts || !isTaken || spec.kind === 'dynamic' || spec.at.kind !== 'port') throw error;
    log.warn(`port ${spec.at.port} is in use on this machine, so another one is opened; -L chooses it`);
    await open({ ...spec, at: { ...spec.at, port: 0 } });
  }
}

function specOf(text: ForwardText): ForwardSpec {
  const { at } = text;
  if (at.kind === 'descriptor')
    throw new UsageError('a socket of systemd (fd) is not supported in this version: remove it');
  return { ...text, at } as ForwardSpec;
}

function listeningEvent({ spec, at }: Forward): NewsEvent {
  const [address, port] = at.kind === 'port' ? [at.bind ?? '*', at.port] : [placeText(at), 0];
  return {
    event: 'listening',
    kind: spec.kind,
    address,
    port,
    target: spec.kind === 'dynamic' ? null : targetText(spec.target),
  };
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
