/** `-W`: one connection between standard input and output and the target, as ssh's ProxyCommand wants it. */
import { CodedError } from '../../../base/coded-error.js';
import type { PipeSettings } from '../../../config/classic-settings.js';
import type { RemoteServer } from '../../../engine/remote-server.js';
import type { Context } from '../context.js';
import { ExitStatus } from '../exit-status.js';

/** Where scripts can do something about a reason, it has a status of its own. */
const STATUS_OF_REASON: Readonly<Record<string, number>> = {
  'not-allowed': ExitStatus.NotAllowed,
  'connection-refused': ExitStatus.TargetUnreachable,
  unreachable: ExitStatus.TargetUnreachable,
  timeout: ExitStatus.TargetUnreachable,
  'name-not-found': ExitStatus.TargetUnreachable,
  'nobody-reads': ExitStatus.NobodyReads,
};

export async function pipe(settings: PipeSettings, server: RemoteServer, context: Context): Promise<number> {
  const { log, stdin, stdout, stopping } = context;
  try {
    const work = server.pipe(settings.target, { stdin, stdout }).then(() => ExitStatus.Ok);
    return await stopping.orStatusOf(work);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    // `tuntox … | head` has what it wanted, and says as little as any other program there.
    const level = error.code === 'nobody-reads' ? 'debug' : 'error';
    log[level](`${settings.target.host} port ${settings.target.port}: ${error.message}`);
    return STATUS_OF_REASON[error.code] ?? ExitStatus.Failed;
  } finally {
    // An input that nobody reads any more would keep the process alive.
    stdin.destroy();
  }
}
