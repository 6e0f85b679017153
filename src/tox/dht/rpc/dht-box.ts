/** Seals and opens the packets of the DHT with our DHT key. */
import type { Clock } from '../../../base/clock.js';
import type { Random } from '../../../base/random.js';
import { TokenBucket } from '../../../base/token-bucket.js';
import { seal } from '../../crypto/box.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { SharedKeyCache } from '../../crypto/shared-key-cache.js';
import { NONCE_SIZE } from '../../crypto/sodium.js';
import { decodeDhtPacket, encodeDhtPacket } from '../../packet/dht.js';
import {
  type DhtRequestPlain,
  decodeDhtRequestPlain,
  encodeDhtRequest,
  encodeDhtRequestPlain,
  type SealedDhtRequest,
} from '../../packet/dht-request.js';

// A packet of an unknown sender costs a key agreement of 60 µs. A flood of them may take at most an eighth of the
// processor; a busy public node sees a few hundred packets a second. Known senders cost 10 µs and have a limit of their own.
const UNKNOWN_PER_SECOND = 2000;
const KNOWN_PER_SECOND = 4000;

export interface DhtBoxDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Our DHT key, and the keys that it shares with others. */
  readonly ownKey: PublicKey;
  readonly sharedKeys: SharedKeyCache;
}

export class DhtBox {
  readonly #deps: DhtBoxDeps;
  readonly #unknownLimit: TokenBucket;
  readonly #knownLimit: TokenBucket;

  constructor(deps: DhtBoxDeps) {
    this.#deps = deps;
    const now = deps.clock.now();
    this.#unknownLimit = new TokenBucket(UNKNOWN_PER_SECOND, UNKNOWN_PER_SECOND, now);
    this.#knownLimit = new TokenBucket(KNOWN_PER_SECOND, KNOWN_PER_SECOND, now);
  }

  seal(kind: number, receiver: PublicKey, plain: Buffer): Buffer {
    return encodeDhtPacket({ kind, sender: this.#deps.ownKey, ...this.#box(receiver, plain) });
  }

  /** Returns undefined for a packet that is damaged, forged, our own, or above the rate limit. */
  open(packet: Buffer): { readonly sender: PublicKey; readonly plain: Buffer } | undefined {
    const sealed = decodeDhtPacket(packet);
    const plain = sealed && this.#unbox(sealed);
    return plain && { sender: sealed.sender, plain };
  }

  sealRequest(receiver: PublicKey, content: DhtRequestPlain): Buffer {
    const plain = encodeDhtRequestPlain(content);
    return encodeDhtRequest({ receiver, sender: this.#deps.ownKey, ...this.#box(receiver, plain) });
  }

  /** Returns undefined for a request that is damaged, forged, our own, or above the rate limit. */
  openRequest(request: SealedDhtRequest): DhtRequestPlain | undefined {
    const plain = this.#unbox(request);
    return plain && decodeDhtRequestPlain(plain);
  }

  #box(receiver: PublicKey, plain: Buffer): { readonly nonce: Buffer; readonly sealed: Buffer } {
    const nonce = this.#deps.random.bytes(NONCE_SIZE);
    return { nonce, sealed: seal(this.#deps.sharedKeys.get(receiver), nonce, plain) };
  }

  #unbox(packet: Pick<SealedDhtRequest, 'sender' | 'nonce' | 'sealed'>): Buffer | undefined {
    const { clock, ownKey, sharedKeys } = this.#deps;
    if (packet.sender.equals(ownKey)) return undefined;
    return sharedKeys.open(packet.sender, packet.nonce, packet.sealed, (isKnown) =>
      (isKnown ? this.#knownLimit : this.#unknownLimit).take(clock.now()),
    );
  }
}
