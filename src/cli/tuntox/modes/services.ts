/** `tuntox NAME` alone: what the host offers. */
import { writeResult } from '../../../base/result-output.js';
import type { ServicesSettings } from '../../../config/classic-settings.js';
import type { RemoteServer } from '../../../engine/client/remote-server.js';
import type { Context } from '../context.js';
import { ExitStatus } from '../exit-status.js';

export async function listServices(
  settings: ServicesSettings,
  server: RemoteServer,
  context: Context,
): Promise<number> {
  return context.stopping.orStatusOf(
    Promise.race([server.online, server.givenUp]).then(async () => {
      const name = settings.host?.name ?? settings.serverId.publicKey.short;
      await writeResult(
        context.stdout,
        `${name} does not list its services. -L PORT:HOST:PORT and -W HOST:PORT reach a target that it allows.\n`,
      );
      return ExitStatus.Ok;
    }),
  );
}
