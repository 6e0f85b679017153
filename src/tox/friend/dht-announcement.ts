/**
 * A DHT key announcement that travels as a DHT request instead of through the onion (spec: "DHT public key packet"):
 *
 *     sender's real key (32) || nonce (24) || sealed from real key to real key: the announcement, as onion data
 */
import type { Random } from '../../base/random.js';
import { open, seal, sharedKey } from '../crypto/box.js';
import { type KeyPair, PublicKey } from '../crypto/keys.js';
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE } from '../crypto/sodium.js';

export interface DhtAnnouncement {
  readonly sender: PublicKey;
  /** The announcement, its id first. */
  readonly data: Buffer;
}

export function sealDhtAnnouncement(random: Random, identity: KeyPair, receiver: PublicKey, data: Buffer): Buffer {
  const nonce = random.bytes(NONCE_SIZE);
  const key = sharedKey(receiver, identity.secretKey);
  return Buffer.concat([identity.publicKey.bytes, nonce, seal(key, nonce, data)]);
}

/** @param isKnown asked before the costly part, so that strangers cost nothing */
export function openDhtAnnouncement(
  identity: KeyPair,
  packet: Buffer,
  isKnown: (sender: PublicKey) => boolean,
): DhtAnnouncement | undefined {
  if (packet.length <= PUBLIC_KEY_SIZE + NONCE_SIZE + MAC_SIZE) return undefined;
  const sender = new PublicKey(packet.subarray(0, PUBLIC_KEY_SIZE));
  if (!isKnown(sender)) return undefined;
  const nonce = packet.subarray(PUBLIC_KEY_SIZE, PUBLIC_KEY_SIZE + NONCE_SIZE);
  const data = open(sharedKey(sender, identity.secretKey), nonce, packet.subarray(PUBLIC_KEY_SIZE + NONCE_SIZE));
  return data === undefined ? undefined : { sender, data };
}
