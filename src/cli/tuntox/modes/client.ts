/** A client: `tuntox -i ID` with -L, -W or -p. */
import { CodedError } from '../../../base/coded-error.js';
import { demoted, type Logger } from '../../../base/logger.js';
import type { ClientSettings, ForwardSettings, PipeSettings } from '../../../config/classic-settings.js';
import type { ForwardText } from '../../../config/formats.js';
import { noTarget } from '../../../engine/access/target-rules.js';
import type { RemoteServer } from '../../../engine/client/remote-server.js';
import { ServerError } from '../../../engine/client/server-error.js';
import { startEngine } from '../../../engine/start-engine.js';
import type { ServiceProcess } from '../../../platform/process/service-process.js';
import type { Context, StartContext } from '../context.js';
import { ExitStatus, statusOf } from '../exit-status.js';
import { writeIdFile } from '../id-file.js';
import { FLAG_NAMES } from '../setting-names.js';
import { UsageError } from '../usage-error.js';
import { ping } from './ping.js';
import { listServices } from './services.js';
import { checkBeforeStore, store } from './store.js';

export async function runClient(
  settings: ClientSettings,
  context: StartContext,
  service?: ServiceProcess,
): Promise<number> {
  const { directory } = settings;
  const { log, display } = context;
  const isShown = display !== undefined;
  if (settings.mode === 'store') await checkBeforeStore(settings, context);
  const engine = await startEngine(isShown ? demoted(log, 'info') : log, {
    tunnelLog: log,
    settings,
    place: directory === undefined ? { kind: 'nowhere' } : { kind: 'directory', path: directory },
    names: FLAG_NAMES,
    // Clients run for too short a time to be relays.
    isRelay: false,
    isLasting: settings.mode === 'forward',
    mayReach: noTarget,
  });
  try {
    if (settings.idFile !== undefined) await writeIdFile(settings.idFile, engine.id.toString());
    if (engine.id.publicKey.equals(settings.serverId.publicKey)) {
      throw new UsageError("this is the client's own Tox ID: use the one of the server, or another directory with -C");
    }
    const { host, patience: retry, serverId } = settings;
    const name = host?.name ?? serverId.publicKey.short;
    const server = engine.connect(serverId, context.given.secret, {
      name,
      retry,
      log: isShown ? demoted(log, 'info', 'warn') : log,
    });
    const endDisplay = display?.follow(server, { name, isLasting: settings.mode === 'forward' });
    try {
      return await runJob(settings, server, context, service);
    } finally {
      endDisplay?.();
    }
  } finally {
    await engine.stop();
  }
}

/** @returns the exit status, also when the server is not found, refuses or is lost */
export async function runJob(
  settings: ClientSettings,
  server: RemoteServer,
  context: Context,
  service?: ServiceProcess,
): Promise<number> {
  try {
    switch (settings.mode) {
      case 'forward':
        return await forward(settings, server, context, service);
      case 'pipe':
        return await pipe(settings, server, context);
      case 'ping':
        return await ping(settings, server, context);
      case 'store':
        return await store(settings, server, context);
      case 'services':
        return await listServices(settings, server, context);
    }
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    context.log.error(error.message);
    return statusOf(error.code);
  }
}

/** `-L`: forwards local ports until a signal comes or the search for the server is given up. */
async function forward(
  settings: ForwardSettings,
  server: RemoteServer,
  context: Context,
  service?: ServiceProcess,
): Promise<number> {
  // The ports are opened before the server is found: connections wait, and a port in use is reported now.
  for (const spec of settings.forwards) await openPort(settings, spec, { server, log: context.log });
  await service?.ready();
  return context.stopping.orStatusOf(server.givenUp);
}

/** Opens the local port; after `tuntox join` any other if that one is in use. */
async function openPort(
  { mayMovePorts }: ForwardSettings,
  spec: ForwardText,
  { server, log }: { readonly server: RemoteServer; readonly log: Logger },
): Promise<void> {
  try {
    await server.forward(spec);
  } catch (error) {
    if (!mayMovePorts || !(error instanceof CodedError) || error.code !== 'address-in-use') throw error;
    log.warn(`port ${spec.port} is in use on this machine, so another one is opened; -L chooses it`);
    await server.forward({ ...spec, port: 0 });
  }
}

/** `-W`: connects the target to standard input and output, as ssh's ProxyCommand needs it. */
async function pipe(settings: PipeSettings, server: RemoteServer, context: Context): Promise<number> {
  const { log, stdin, stdout, stopping } = context;
  try {
    const work = server.pipe(settings.target, { stdin, stdout }).then(() => ExitStatus.Ok);
    return await stopping.orStatusOf(work);
  } catch (error) {
    // A ServerError is not about the target: the caller reports it.
    if (!(error instanceof CodedError) || error instanceof ServerError) throw error;
    // After `tuntox … | head`, a closed output is not an error.
    const level = error.code === 'closed-pipe' ? 'debug' : 'error';
    log[level](`${settings.target.host} port ${settings.target.port}: ${error.message}`);
    return statusOf(error.code);
  } finally {
    // An open input would keep the process alive.
    stdin.destroy();
  }
}
