/** Seals and opens the data packets of one session in place, without allocating for each. */
import { ownedCopy } from '../../../base/bytes.js';
import { sharedKey } from '../../crypto/box.js';
import type { KeyPair } from '../../crypto/key-pair.js';
import type { PublicKey } from '../../crypto/keys.js';
import { advanceNonce } from '../../crypto/nonce.js';
import { type SessionBox, sessionBox } from '../../crypto/session-box.js';
import { NONCE_SIZE, sodium_memzero } from '../../crypto/sodium.js';
import {
  DATA_BOX_OFFSET,
  type DataContent,
  dataPacketSize,
  decodeOpenedData,
  EXTENDED_CRYPTO_PACKET_SIZE,
  layOutData,
  lowNonceOf,
} from '../../packet/net-crypto.js';
import { ReceiveNonce } from './receive-nonce.js';

const LOW_AT = NONCE_SIZE - 2;

/** Our half of a session; made once for a connection, whatever handshakes arrive. */
export interface SessionOffer {
  readonly keyPair: KeyPair;
  /** Counts up in place with each packet, even when the peer's half is replaced: no nonce is used twice with a key. */
  readonly sendNonce: Buffer;
  /** The first value of `sendNonce`, as sent in our handshake. */
  readonly baseNonce: Buffer;
}

export class SessionCipher {
  readonly #sendBox: SessionBox;
  readonly #receiveBox: SessionBox;
  readonly #sendNonce: Buffer;
  readonly #receiveNonce: ReceiveNonce;
  readonly #peerSessionKey: PublicKey;
  readonly #peerBaseNonce: Buffer;
  /** Where packets are sealed; a new view is made only for a new size, since most packets have the same size. */
  readonly #memory = Buffer.allocUnsafeSlow(EXTENDED_CRYPTO_PACKET_SIZE);
  #packet: Buffer = this.#memory;
  #isFirst = false;

  constructor(ours: SessionOffer, peer: { readonly sessionKey: PublicKey; readonly baseNonce: Buffer }) {
    const key = sharedKey(peer.sessionKey, ours.keyPair.secretKey);
    this.#sendBox = sessionBox(key, DATA_BOX_OFFSET);
    this.#receiveBox = sessionBox(key, DATA_BOX_OFFSET);
    sodium_memzero(key);
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
   * @param data 1 to 1445 bytes, its id first
   * @param size bytes up to which it is padded
   * @returns the packet, valid until the next call
   */
  seal(bufferStart: number, packetNumber: number, data: Buffer, size?: number): Buffer {
    const nonce = this.#sendNonce;
    const packetSize = dataPacketSize(data.length, size);
    if (this.#packet.length !== packetSize) this.#packet = this.#memory.subarray(0, packetSize);
    const packet = this.#packet;
    layOutData(packet, nonce.readUInt16BE(LOW_AT), bufferStart, packetNumber, data);
    this.#sendBox.seal(packet, nonce);
    advanceNonce(nonce);
    return packet;
  }

  /**
   * Opens a packet in place.
   * @returns undefined, with the packet unchanged, if it is not of this session; 'empty' if it contains no data
   */
  open(packet: Buffer): DataContent | 'empty' | undefined {
    const low = lowNonceOf(packet);
    if (low === undefined) return undefined;
    if (!this.#receiveBox.open(packet, this.#receiveNonce.full(low))) return undefined;
    this.#isFirst = this.#receiveNonce.onOpened(low);
    return decodeOpenedData(packet) ?? 'empty';
  }

  /** Whether the packet opened last is not a copy of an earlier one, which could have been replayed from any address. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** Overwrites the keys; the session can no longer seal or open. */
  wipe(): void {
    this.#sendBox.wipe();
    this.#receiveBox.wipe();
  }
}
