/** `tuntox -i ID` with a job: what the three kinds of clients have in common. */
import type { ClientSettings } from '../../../config/classic-settings.js';
import { writeIdFile } from '../../../engine/id-file.js';
import type { RemoteServer } from '../../../engine/remote-server.js';
import { ServerError } from '../../../engine/server-error.js';
import { startEngine } from '../../../engine/start-engine.js';
import { noTarget } from '../../../engine/target-rules.js';
import type { Context, StartContext } from '../context.js';
import { statusOf } from '../exit-status.js';
import type { Service } from '../service.js';
import { UsageError } from '../usage-error.js';
import { forward } from './forward.js';
import { ping } from './ping.js';
import { pipe } from './pipe.js';

export async function runClient(settings: ClientSettings, context: StartContext, service?: Service): Promise<number> {
  const { directory } = settings;
  const engine = await startEngine(context.log, {
    settings,
    place: directory === undefined ? { kind: 'nowhere' } : { kind: 'directory', path: directory },
    // It lives too short for others to rely on it.
    isRelay: false,
    isLasting: settings.mode === 'forward',
    mayReach: noTarget,
  });
  try {
    if (settings.idFile !== undefined) await writeIdFile(settings.idFile, engine.id.toString());
    if (engine.id.publicKey.equals(settings.serverId.publicKey)) {
      throw new UsageError('-i is the Tox ID of this client itself: give the one of the server');
    }
    const server = engine.connect(settings.serverId, context.given.secret, settings.patience);
    return await runJob(settings, server, context, service);
  } finally {
    await engine.stop();
  }
}

/** @returns the exit status, also when the server is not there, refuses or is lost */
export async function runJob(
  settings: ClientSettings,
  server: RemoteServer,
  context: Context,
  service?: Service,
): Promise<number> {
  try {
    switch (settings.mode) {
      case 'forward':
        return await forward(settings, server, context, service);
      case 'pipe':
        return await pipe(settings, server, context);
      case 'ping':
        return await ping(settings, server, context);
    }
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    context.log.error(error.message);
    return statusOf(error.code);
  }
}
