/**
 * The two boxes around onion data (spec: "Onion data"): the inner one proves the sender to the receiver, the outer one hides the
 * sender from the node that passes it on. Both use the same nonce.
 */
import type { Random } from '../../base/random.js';
import { open, seal, sharedKey } from '../crypto/box.js';
import { generateKeyPair, type KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import { NONCE_SIZE } from '../crypto/sodium.js';
import {
  decodeOnionDataContent,
  encodeOnionDataContent,
  encodeOnionDataRequest,
  MAX_ONION_DATA_SIZE,
  type SealedOnionData,
} from '../packet/onion-data.js';

/** Data for one receiver, sealed once for all of its data keys. */
export interface InnerBox {
  readonly receiver: PublicKey;
  readonly nonce: Buffer;
  readonly content: Buffer;
}

/** Seals the inner box. @throws RangeError unless the data has 1 to 948 bytes */
export function sealInner(random: Random, sender: KeyPair, receiver: PublicKey, data: Buffer): InnerBox {
  if (data.length === 0 || data.length > MAX_ONION_DATA_SIZE) {
    throw new RangeError(`onion data: 1 to ${MAX_ONION_DATA_SIZE} bytes`);
  }
  const nonce = random.bytes(NONCE_SIZE);
  const sealedData = seal(sharedKey(receiver, sender.secretKey), nonce, data);
  return { receiver, nonce, content: encodeOnionDataContent({ sender: sender.publicKey, sealedData }) };
}

/** Returns a data request. @param dataKey the receiver's data key, as the node that stores it reports */
export function sealOuter(random: Random, { receiver, nonce, content }: InnerBox, dataKey: PublicKey): Buffer {
  const ephemeral = generateKeyPair(random);
  const sealed = seal(sharedKey(dataKey, ephemeral.secretKey), nonce, content);
  ephemeral.secretKey.wipe();
  return encodeOnionDataRequest({ receiver, nonce, ephemeralKey: ephemeral.publicKey, sealed });
}

/** Opens both boxes of a data response; returns undefined unless it is for us and the sender is proven. Costs two key agreements. */
export function openBoth(
  response: SealedOnionData,
  dataKeys: KeyPair,
  identity: KeyPair,
): { readonly sender: PublicKey; readonly data: Buffer } | undefined {
  const plain = open(sharedKey(response.ephemeralKey, dataKeys.secretKey), response.nonce, response.sealed);
  const content = plain && decodeOnionDataContent(plain);
  if (content === undefined) return undefined;
  const data = open(sharedKey(content.sender, identity.secretKey), response.nonce, content.sealedData);
  return data === undefined ? undefined : { sender: content.sender, data };
}
