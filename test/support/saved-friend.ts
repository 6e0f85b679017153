import type { PublicKey } from '../../src/tox/crypto/keys.js';
import type { SavedFriend } from '../../src/tox/saved-friend.js';

/** A friend in a `tox_save` of which only the key is known. */
export function confirmedFriend(publicKey: PublicKey): SavedFriend {
  const none = Buffer.alloc(0);
  return {
    status: 'confirmed',
    publicKey,
    requestMessage: none,
    nospam: Buffer.alloc(4),
    name: none,
    statusMessage: none,
    userStatus: 0,
    lastSeen: 0n,
  };
}
