/** `bans`: keys that are refused whatever else is configured. */
import { rfc3339 } from '../../base/clock.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers, Result } from '../../control/protocol.js';
import { type ClientKey, findClient, isKnown, keyAt, keyText, logName } from './client-names.js';
import type { MethodContext } from './context.js';
import { checkRead, saved } from './save-errors.js';

type Deps = Pick<MethodContext, 'access' | 'admission' | 'log' | 'targets'>;
type Ban = Result<'bans.list'>['bans'][number];

export function banMethods(deps: Deps): Pick<MethodHandlers, 'bans.list' | 'bans.clear'> {
  const { access, log } = deps;
  return {
    'bans.list': () => {
      checkRead(access.errors.get('bans'));
      return { schema: 'tuntox.bans/1', bans: access.bans.map(shown) };
    },
    'bans.clear': async ({ client, dryRun }) => {
      const { bans } = access;
      const names = bans.map(({ publicKey }) => ({ publicKey, alias: access.entry(publicKey)?.alias }));
      const key = client === undefined ? undefined : bannedClient(deps, client, names);
      const lifted = key === undefined ? bans : bans.filter(({ publicKey }) => publicKey.equals(key));
      if (!dryRun && lifted.length > 0) {
        await saved(access.unban(key));
        for (const { publicKey } of lifted) log.info(`${logName(deps, publicKey)}: ban lifted`);
      }
      return { schema: 'tuntox.bans/1', bans: lifted.map(shown) };
    },
  };
}

/** @throws ControlError, also for a client that is known and not banned */
function bannedClient(deps: Deps, client: string, banned: Parameters<typeof findClient>[1]): ClientKey {
  try {
    return findClient(keyAt(deps, client), banned);
  } catch (error) {
    if (!isKnown(deps, client)) throw error;
    const hint = 'to list the banned clients: tuntoxctl bans';
    throw new ControlError('not-found', `${client} is not banned`, { hint, cause: error });
  }
}

const shown = ({ publicKey, reason, since, until, isKept }: MethodContext['access']['bans'][number]): Ban => ({
  publicKey: keyText(publicKey),
  reason,
  since: rfc3339(since),
  until: until === undefined ? null : rfc3339(until),
  persistent: isKept,
});
