/**
 * A DHT key announcement that travels as a DHT request instead of through the onion (spec: "DHT public key packet"):
 *
 *     sender's real key (32) || nonce (24) || sealed from real key to real key: the announcement, as onion data
 */
import type { Random } from '../../base/random.js';
import { seal } from '../crypto/box.js';
import { PublicKey } from '../crypto/keys.js';
import type { SharedKeyCache } from '../crypto/shared-key-cache.js';
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE } from '../crypto/sodium.js';

export interface DhtAnnouncement {
  readonly sender: PublicKey;
  /** The announcement, its id first. */
  readonly data: Buffer;
}

/** @param realKeys those that our real key shares with others */
export function sealDhtAnnouncement(
  deps: { readonly random: Random; readonly ownKey: PublicKey; readonly realKeys: SharedKeyCache },
  receiver: PublicKey,
  data: Buffer,
): Buffer {
  const nonce = deps.random.bytes(NONCE_SIZE);
  return Buffer.concat([deps.ownKey.bytes, nonce, seal(deps.realKeys.get(receiver), nonce, data)]);
}

/** @param isKnown asked before the costly part, so that strangers cost nothing */
export function openDhtAnnouncement(
  realKeys: SharedKeyCache,
  packet: Buffer,
  isKnown: (sender: PublicKey) => boolean,
): DhtAnnouncement | undefined {
  if (packet.length <= PUBLIC_KEY_SIZE + NONCE_SIZE + MAC_SIZE) return undefined;
  const sender = new PublicKey(packet.subarray(0, PUBLIC_KEY_SIZE));
  const nonce = packet.subarray(PUBLIC_KEY_SIZE, PUBLIC_KEY_SIZE + NONCE_SIZE);
  const data = realKeys.open(sender, nonce, packet.subarray(PUBLIC_KEY_SIZE + NONCE_SIZE), () => isKnown(sender));
  return data === undefined ? undefined : { sender, data };
}
