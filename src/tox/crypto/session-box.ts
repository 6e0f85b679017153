/**
 * The boxes of one direction of a session, sealed and opened in place. Our addon (native/box.c) does it in less time than
 * sodium-native, where the system has libsodium: it keeps the key that XSalsa20 derives from the first 16 bytes of the nonce.
 */
import { ownedCopy } from '../../base/bytes.js';
import { loadNativePart } from '../../base/native-part.js';
import { openInto, sealInto } from './box.js';
import { MAC_SIZE, SHARED_KEY_SIZE, sodium_memzero } from './sodium.js';

export interface SessionBox {
  /** Seals the end of a packet. @param packet at the place of the box room for the MAC (16 bytes), then the plain text */
  seal(packet: Buffer, nonce: Buffer): void;
  /** Opens the end of a packet. @returns false, with the packet unchanged, if it is forged, damaged or empty */
  open(packet: Buffer, nonce: Buffer): boolean;
  /** Overwrites the keys; the box can no longer seal or open. */
  wipe(): void;
}

export interface NativeBox {
  /** @param cipher the key and 49 bytes of scratch, which are zeros at first @returns false for arguments of another size */
  sealBox(packet: Uint8Array, at: number, nonce: Uint8Array, cipher: Uint8Array): boolean;
  openBox(packet: Uint8Array, at: number, nonce: Uint8Array, cipher: Uint8Array): boolean;
}

const SCRATCH_SIZE = 49;

let loaded: { readonly addon: NativeBox | undefined } | undefined;

/** Returns the addon, which is loaded once; undefined without libsodium, too. */
export function nativeBox(): NativeBox | undefined {
  loaded ??= { addon: loadNativePart<NativeBox>(['sealBox', 'openBox']) };
  return loaded.addon;
}

/**
 * @param key 32 bytes, copied
 * @param at the offset of the box in each packet
 */
export function sessionBox(key: Buffer, at: number): SessionBox {
  const addon = nativeBox();
  return addon === undefined ? new SodiumBox(key, at) : new AddonBox(key, at, addon);
}

export class SodiumBox implements SessionBox {
  readonly #key: Buffer;
  readonly #at: number;
  /** Views of the packet that was sealed last: most packets are sealed in the same memory. */
  #packet: Buffer | undefined;
  #box: Buffer = Buffer.alloc(0);
  #plain: Buffer = Buffer.alloc(0);

  constructor(key: Buffer, at: number) {
    this.#key = ownedCopy(key);
    this.#at = at;
  }

  seal(packet: Buffer, nonce: Buffer): void {
    if (packet !== this.#packet) {
      if (packet.length <= this.#at + MAC_SIZE) throw new RangeError('seal: nothing to seal');
      this.#packet = packet;
      this.#box = packet.subarray(this.#at);
      this.#plain = packet.subarray(this.#at + MAC_SIZE);
    }
    sealInto(this.#box, this.#key, nonce, this.#plain);
  }

  open(packet: Buffer, nonce: Buffer): boolean {
    if (packet.length <= this.#at + MAC_SIZE) return false;
    return openInto(packet.subarray(this.#at + MAC_SIZE), this.#key, nonce, packet.subarray(this.#at));
  }

  wipe(): void {
    sodium_memzero(this.#key);
  }
}

export class AddonBox implements SessionBox {
  readonly #addon: NativeBox;
  readonly #at: number;
  readonly #cipher = Buffer.alloc(SHARED_KEY_SIZE + SCRATCH_SIZE);

  constructor(key: Buffer, at: number, addon: NativeBox) {
    this.#addon = addon;
    this.#at = at;
    this.#cipher.set(key);
  }

  seal(packet: Buffer, nonce: Buffer): void {
    if (!this.#addon.sealBox(packet, this.#at, nonce, this.#cipher)) throw new RangeError('seal: nothing to seal');
  }

  open(packet: Buffer, nonce: Buffer): boolean {
    return this.#addon.openBox(packet, this.#at, nonce, this.#cipher);
  }

  wipe(): void {
    sodium_memzero(this.#cipher);
  }
}
