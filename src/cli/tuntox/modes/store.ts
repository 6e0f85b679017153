/** `tuntox join LINK NAME`: connects once, so that a link that is wrong or used up is noticed, and stores the host. */
import { systemClock } from '../../../base/clock.js';
import { writeResult } from '../../../base/result-output.js';
import type { StoreSettings } from '../../../config/classic-settings.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import type { Context } from '../context.js';
import { ExitStatus } from '../exit-status.js';
import { openHosts } from '../hosts.js';
import { nextSteps } from '../next-steps.js';

/** @throws HostError when the name belongs to another key, before anything connects */
export async function checkBeforeStore({ host, serverId }: StoreSettings, { environment }: Context): Promise<void> {
  await openHosts(environment).check(host.name, serverId.toString());
}

/** @throws ServerError, HostError, StateFileError */
export async function store(settings: StoreSettings, server: Remote, context: Context): Promise<number> {
  return context.stopping.orStatusOf(
    Promise.race([server.online, server.givenUp]).then(async () => {
      const { serverId, host } = settings;
      await openHosts(context.environment).add({
        ...host,
        toxId: serverId.toString(),
        pinnedKey: serverId.publicKey.hex,
        addedAt: systemClock.unixTime(),
      });
      if (context.tell === undefined) {
        const services = (await server.services().catch(() => undefined)) ?? [];
        await writeResult(context.stdout, nextSteps({ name: host.name, target: settings.target, services }));
      } else context.tell({ event: 'stored', name: host.name });
      return ExitStatus.Ok;
    }),
  );
}
