/** Our own Tox ID, without a connection. */
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { ToxId } from '../../tox/crypto/tox-id.js';
import { Identity } from './identity.js';
import type { SettingNames } from './setting-names.js';

/**
 * Makes the identity if there is none. Another process may use it meanwhile.
 * @throws StateFileError, IdentityError
 */
export async function readOwnId(
  deps: { readonly random: Random; readonly log: Logger },
  path: string,
  names: SettingNames,
): Promise<ToxId> {
  const identity =
    (await Identity.peek(path, names)) ?? (await Identity.open(deps, { kind: 'directory', path }, names));
  const { publicKey, nospam } = identity.savedata.identity;
  await identity.close();
  return new ToxId(publicKey, nospam);
}
