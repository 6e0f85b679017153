/** `tuntox join LINK NAME`: connects once, so that a link that is wrong or used up is noticed, and stores the host. */
import { systemClock } from '../../../base/clock.js';
import { writeResult } from '../../../base/result-output.js';
import type { StoreSettings } from '../../../config/classic-settings.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import { HostError } from '../../../engine/client/host-entry.js';
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
      const secret = await secretToStore(settings, server, context);
      await openHosts(context.environment).add({
        ...host,
        secret,
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

/**
 * A link that could not be tried may be wrong, and must not take the place of a good one. Without a link there is nothing to try, and a
 * stored secret stays.
 * @throws HostError
 */
async function secretToStore(
  { host, serverId }: StoreSettings,
  server: Remote,
  { environment }: Context,
): Promise<string | undefined> {
  if (server.isUntried !== true) return host.secret;
  const known = await openHosts(environment).check(host.name, serverId.toString());
  if (host.secret === undefined || known?.secret === host.secret) return known?.secret;
  const before = known === undefined ? 'nothing is stored' : `${host.name} stays as it is stored`;
  throw new HostError(
    'not-tried',
    `the agent is connected to this server already, so this link could not be tried, and ${before}: to use the link, run "tuntox agent stop", then join again`,
  );
}
