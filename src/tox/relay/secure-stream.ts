/**
 * The encrypted stream between a client and a relay, for both ends (spec: "TCP server", encrypted part; c-toxcore
 * TCP_common.c): frames of `length u16 || sealed`, with a counting nonce for each direction. A frame that does not open ends
 * the connection.
 *
 * Packets that may get lost (data, out of band, onion) are sent only while the socket has room, and are refused otherwise.
 * Control packets are always sent, up to a bound beyond which the other side does not read and the connection is over.
 */
import { openInto, sealInto } from '../crypto/box.js';
import { advanceNonce } from '../crypto/nonce.js';
import { MAC_SIZE, sodium_memzero } from '../crypto/sodium.js';
import { MAX_RELAY_FRAME_SIZE } from '../packet/relay.js';
import type { SessionKeys } from './handshake.js';

const LENGTH_SIZE = 2;
/** Bytes of control packets that may wait in a full socket: those of all 240 slots at once fit twice. */
const MAX_WAITING_CONTROL = 32 * 1024;

export interface SecureStreamDeps {
  /** Takes the bytes in any case; returns false when there is no more room. */
  write(bytes: Buffer): boolean;
  /** Called with each opened packet, 1 to 2032 bytes, which the receiver owns. May end the stream. */
  onPacket(plain: Buffer): void;
}

export class SecureStream {
  readonly #deps: SecureStreamDeps;
  readonly #session: SessionKeys;
  /** The beginning of a frame whose end has not arrived. */
  #partial: Buffer | undefined;
  #isFull = false;
  #waitingControl = 0;
  #state: 'open' | 'broken' | 'closed' = 'open';

  /** @param session owned by the stream from now on: its nonces advance */
  constructor(deps: SecureStreamDeps, session: SessionKeys) {
    this.#deps = deps;
    this.#session = session;
  }

  /** Whether `send` would refuse. */
  get isFull(): boolean {
    return this.#isFull || this.#state !== 'open';
  }

  /** Sends packets that may get lost, all or none. @returns false when they were not taken; `drained` follows */
  send(...plains: readonly Buffer[]): boolean {
    if (this.isFull) return false;
    for (const plain of plains) this.#isFull = !this.#deps.write(this.#seal(plain));
    return true;
  }

  /** Sends a packet that must arrive. @returns false when the other side has stopped reading: the connection must be ended */
  sendControl(plain: Buffer): boolean {
    if (this.#state !== 'open') return this.#state === 'closed';
    const frame = this.#seal(plain);
    if (this.#isFull) this.#waitingControl += frame.length;
    if (this.#waitingControl > MAX_WAITING_CONTROL) this.#state = 'broken';
    else if (!this.#deps.write(frame)) this.#isFull = true;
    return this.#state === 'open';
  }

  /** The socket has room again. */
  drained(): void {
    this.#isFull = false;
    this.#waitingControl = 0;
  }

  /** Bytes have arrived. @returns false when they are no frames of this session: the connection must be ended */
  receive(chunk: Buffer): boolean {
    const bytes = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = undefined;
    let at = 0;
    while (this.#state === 'open' && bytes.length - at >= LENGTH_SIZE) {
      const size = bytes.readUInt16BE(at);
      if (size <= MAC_SIZE || size > MAX_RELAY_FRAME_SIZE) return this.#break();
      const end = at + LENGTH_SIZE + size;
      if (end > bytes.length) break;
      // Opened in place: an allocation for each packet would cost as much as opening it.
      const plain = bytes.subarray(at + LENGTH_SIZE + MAC_SIZE, end);
      const { key, receiveNonce } = this.#session;
      if (!openInto(plain, key, receiveNonce, bytes.subarray(at + LENGTH_SIZE, end))) return this.#break();
      advanceNonce(this.#session.receiveNonce);
      at = end;
      this.#deps.onPacket(plain);
    }
    // At most one frame, copied so that it does not keep a whole chunk alive.
    if (this.#state === 'open' && at < bytes.length) this.#partial = Buffer.from(bytes.subarray(at));
    return this.#state !== 'broken';
  }

  /** Ends sending and receiving, and overwrites the key. */
  close(): void {
    this.#state = 'closed';
    this.#partial = undefined;
    sodium_memzero(this.#session.key);
  }

  #break(): false {
    this.#state = 'broken';
    return false;
  }

  #seal(plain: Buffer): Buffer {
    const size = plain.length + MAC_SIZE;
    if (plain.length === 0 || size > MAX_RELAY_FRAME_SIZE) throw new RangeError('SecureStream: 1 to 2032 bytes');
    const frame = Buffer.allocUnsafe(LENGTH_SIZE + size);
    frame.writeUInt16BE(size);
    sealInto(frame.subarray(LENGTH_SIZE), this.#session.key, this.#session.sendNonce, plain);
    advanceNonce(this.#session.sendNonce);
    return frame;
  }
}
