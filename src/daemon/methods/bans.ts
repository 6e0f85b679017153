/** `bans`: keys that are kept out whatever else they have. */
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers } from '../../control/method-handlers.js';
import type { Result } from '../../control/protocol.js';
import { type ClientKey, findClient, isKnown, keyText, logName } from './clients-by-name.js';
import type { MethodContext } from './context.js';
import { saved } from './saving.js';

type Deps = Pick<MethodContext, 'access' | 'admission' | 'log'>;
type Ban = Result<'bans.list'>['bans'][number];

export function banMethods(deps: Deps): Pick<MethodHandlers, 'bans.list' | 'bans.clear'> {
  const { access, log } = deps;
  return {
    'bans.list': () => ({ schema: 'tuntox.bans/1', bans: access.bans.map(shown) }),
    'bans.clear': async ({ client, dryRun }) => {
      const { bans } = access;
      const names = bans.map(({ publicKey }) => ({ publicKey, alias: access.entry(publicKey)?.alias }));
      const key = client === undefined ? undefined : bannedClient(deps, client, names);
      const lifted = key === undefined ? bans : bans.filter(({ publicKey }) => publicKey.equals(key));
      if (!dryRun && lifted.length > 0) {
        await saved(access.clearBans(key));
        for (const { publicKey } of lifted) log.info(`${logName(deps, publicKey)}: the ban was lifted`);
      }
      return { schema: 'tuntox.bans/1', bans: lifted.map(shown) };
    },
  };
}

/** @throws ControlError also for one that is known and not banned */
function bannedClient(deps: Deps, client: string, banned: Parameters<typeof findClient>[1]): ClientKey {
  try {
    return findClient(client, banned);
  } catch (error) {
    if (!isKnown(deps, client)) throw error;
    throw new ControlError('not-found', `${client} is not banned`, {
      hint: 'tuntoxctl bans lists those that are',
      cause: error,
    });
  }
}

const shown = ({ publicKey, reason, since, until, isKept }: MethodContext['access']['bans'][number]): Ban => ({
  publicKey: keyText(publicKey),
  reason,
  since,
  until: until ?? null,
  isKept,
});
