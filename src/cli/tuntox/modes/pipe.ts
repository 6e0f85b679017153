/** `-W`: one connection between standard input and output and the target, as ssh's ProxyCommand wants it. */
import { CodedError } from '../../../base/coded-error.js';
import type { PipeSettings } from '../../../config/classic-settings.js';
import type { RemoteServer } from '../../../engine/remote-server.js';
import { ServerError } from '../../../engine/server-error.js';
import type { Context } from '../context.js';
import { ExitStatus, statusOf } from '../exit-status.js';

export async function pipe(settings: PipeSettings, server: RemoteServer, context: Context): Promise<number> {
  const { log, stdin, stdout, stopping } = context;
  try {
    const work = server.pipe(settings.target, { stdin, stdout }).then(() => ExitStatus.Ok);
    return await stopping.orStatusOf(work);
  } catch (error) {
    // That one is not about the target.
    if (!(error instanceof CodedError) || error instanceof ServerError) throw error;
    // `tuntox … | head` has what it wanted, and says as little as any other program there.
    const level = error.code === 'nobody-reads' ? 'debug' : 'error';
    log[level](`${settings.target.host} port ${settings.target.port}: ${error.message}`);
    return statusOf(error.code);
  } finally {
    // An input that nobody reads any more would keep the process alive.
    stdin.destroy();
  }
}
