/** A client with a connection of its own. */
import { demoted } from '../../../base/logger.js';
import { type ClientSettings, serverName } from '../../../config/classic-settings.js';
import { startEngine } from '../../../engine/start-engine.js';
import type { ServiceProcess } from '../../../platform/process/service-process.js';
import type { StartContext } from '../context.js';
import { writeIdFile } from '../id-file.js';
import { namesOf } from '../setting-names.js';
import { UsageError } from '../usage-error.js';
import { runJob } from './job.js';
import { checkBeforeStore } from './store.js';

export async function runClient(
  settings: ClientSettings,
  context: StartContext,
  service?: ServiceProcess,
): Promise<number> {
  const { directory } = settings;
  const { log, display } = context;
  const isShown = display !== undefined;
  if (settings.mode === 'store') await checkBeforeStore(settings, context);
  if (context.remote !== undefined) return runJob(settings, context.remote, context, service);
  const engine = await startEngine(isShown ? demoted(log, 'info') : log, {
    tunnelLog: log,
    settings,
    place: directory === undefined ? { kind: 'nowhere' } : { kind: 'directory', path: directory },
    names: namesOf(settings),
    // Clients run for too short a time to be relays.
    isRelay: false,
    isLasting: settings.mode === 'forward',
  });
  try {
    if (settings.idFile !== undefined) await writeIdFile(settings.idFile, engine.id.toString());
    if (engine.id.publicKey.equals(settings.serverId.publicKey)) {
      throw new UsageError("this is the client's own Tox ID: use the one of the server, or another directory with -C");
    }
    const server = engine.connect(settings.serverId, context.given.secret, {
      name: serverName(settings),
      retry: settings.patience,
      log: isShown ? demoted(log, 'info', 'warn') : log,
    });
    context.compiled.follow(server);
    return await runJob(settings, server, context, service);
  } finally {
    await engine.stop();
    await context.compiled.end();
  }
}
