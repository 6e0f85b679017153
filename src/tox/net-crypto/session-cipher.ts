/** Seals and opens the data packets of one session, in place: one allocation a packet that goes, none for one that comes. */
import { ownedCopy } from '../../base/bytes.js';
import { openInto, sealInto, sharedKey } from '../crypto/box.js';
import type { KeyPair, PublicKey } from '../crypto/keys.js';
import { advanceNonce } from '../crypto/nonce.js';
import { NONCE_SIZE, sodium_memzero } from '../crypto/sodium.js';
import {
  DATA_BOX_OFFSET,
  DATA_CONTENT_OFFSET,
  type DataContent,
  decodeOpenedData,
  layOutData,
  lowNonceOf,
} from '../packet/net-crypto.js';
import { ReceiveNonce } from './receive-nonce.js';

const LOW_AT = NONCE_SIZE - 2;

/** Our half of a session; made once for a connection, whatever handshakes come. */
export interface SessionOffer {
  readonly keyPair: KeyPair;
  /** Counts up in place with each packet, also when the peer's half is replaced: no nonce is used twice with a key. */
  readonly sendNonce: Buffer;
  /** Where `sendNonce` began, as our handshake tells. */
  readonly baseNonce: Buffer;
}

export class SessionCipher {
  readonly #key: Buffer;
  readonly #sendNonce: Buffer;
  readonly #receiveNonce: ReceiveNonce;
  readonly #peerSessionKey: PublicKey;
  readonly #peerBaseNonce: Buffer;
  #isFirst = false;

  constructor(ours: SessionOffer, peer: { readonly sessionKey: PublicKey; readonly baseNonce: Buffer }) {
    this.#key = sharedKey(peer.sessionKey, ours.keyPair.secretKey);
    this.#sendNonce = ours.sendNonce;
    this.#receiveNonce = new ReceiveNonce(peer.baseNonce);
    this.#peerSessionKey = peer.sessionKey;
    this.#peerBaseNonce = ownedCopy(peer.baseNonce);
  }

  /** Whether a handshake repeats the one that this session was made from. */
  isOf(peer: { readonly sessionKey: PublicKey; readonly baseNonce: Buffer }): boolean {
    return this.#peerSessionKey.equals(peer.sessionKey) && this.#peerBaseNonce.equals(peer.baseNonce);
  }

  /**
   * @param data 1 to 1373 bytes, its id first
   * @param size bytes up to which it is padded
   */
  seal(bufferStart: number, packetNumber: number, data: Buffer, size?: number): Buffer {
    const nonce = this.#sendNonce;
    const packet = layOutData(nonce.readUInt16BE(LOW_AT), bufferStart, packetNumber, data, size);
    sealInto(packet.subarray(DATA_BOX_OFFSET), this.#key, nonce, packet.subarray(DATA_CONTENT_OFFSET));
    advanceNonce(nonce);
    return packet;
  }

  /**
   * Opens a packet in place.
   * @returns undefined, the packet untouched, when it is not of this session; 'empty' when it is, but says nothing
   */
  open(packet: Buffer): DataContent | 'empty' | undefined {
    const low = lowNonceOf(packet);
    if (low === undefined) return undefined;
    const plain = packet.subarray(DATA_CONTENT_OFFSET);
    if (!openInto(plain, this.#key, this.#receiveNonce.full(low), packet.subarray(DATA_BOX_OFFSET))) return undefined;
    this.#isFirst = this.#receiveNonce.opened(low);
    return decodeOpenedData(packet) ?? 'empty';
  }

  /** Whether the packet opened last is no copy of one before it, which anybody could have sent from anywhere. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** Overwrites the key; the session seals and opens nothing any more. */
  wipe(): void {
    sodium_memzero(this.#key);
  }
}
