/** `-L`: local ports that lead to the server's side, until somebody stops the command or its patience with the server ends. */
import type { ForwardSettings } from '../../../config/classic-settings.js';
import type { RemoteServer } from '../../../engine/remote-server.js';
import type { Context } from '../context.js';
import type { Service } from '../service.js';

export async function forward(
  settings: ForwardSettings,
  server: RemoteServer,
  context: Context,
  service?: Service,
): Promise<number> {
  // At once, not when the server is found: connections can wait, and a port in use is better known now.
  for (const spec of settings.forwards) await server.forward(spec);
  await service?.ready();
  return context.stopping.orStatusOf(server.givenUp);
}
