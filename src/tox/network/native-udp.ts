/**
 * UDP by our addon. All datagrams of one tick of the event loop are sent in one call, with runs of one size to one destination
 * as one message (UDP_SEGMENT), and received in batches (UDP_GRO).
 */
import { getSystemErrorName } from 'node:util';
import { Endpoint } from '../../base/endpoint.js';
import {
  type BindOptions,
  type BindSocket,
  type BoundSocket,
  type BoundSocketHandlers,
  isSocketDead,
  logBufferSize,
} from './bound-socket.js';
import type { NativeAddon, NativeEvent, NativeSocket } from './native-addon.js';

/** Limits of a run: datagrams (UDP_MAX_SEGMENTS), and bytes, which IP carries in one packet. */
const MAX_SEGMENTS = 64;
const MAX_RUN_SIZE = 65_000;
const MAX_DATAGRAM_SIZE = 65_507;
/** Bytes and runs that wait for the end of the tick, or for room in the socket; more is lost. */
const QUEUE_SIZE = 256 * 1024;
const MAX_RUNS = 256;
/** Times in a row that nothing could be sent although the socket was writable; then the queue is lost. */
const MAX_STALLS = 100;
const ADDRESS_SIZE = 28;
/** Words of a run, see NativeAddon.send. */
const [WORDS, SIZE, SEGMENT, IS_WHOLE, DONE, ERROR] = [5, 0, 1, 2, 3, 4] as const;
/**
 * Data packets of net_crypto above the safe size are lost rather than fragmented, since net-crypto/path/packet-size probes which sizes
 * pass. All other datagrams are fragmented where necessary.
 */
const MEASURED_KIND = 0x1b;
const SAFE_SIZE = 1168;
/** Bytes from which datagrams received as one message share its memory; smaller ones are copied, since they may be kept for long. */
const MIN_SHARED = 1024;

export function nativeBinder(addon: NativeAddon): BindSocket {
  return async (options, handlers) => new NativeUdp(addon, options, handlers);
}

class NativeUdp implements BoundSocket {
  readonly kind = 'native';
  readonly localPort: number;
  readonly #addon: NativeAddon;
  readonly #isIpv6: boolean;
  readonly #handlers: BoundSocketHandlers;
  readonly #socket: NativeSocket;
  #encoded = new WeakMap<Endpoint, Buffer>();
  readonly #bytes = Buffer.allocUnsafeSlow(QUEUE_SIZE);
  readonly #runs = new Int32Array(MAX_RUNS * WORDS);
  readonly #addresses = new Uint8Array(MAX_RUNS * ADDRESS_SIZE);
  /** The `onRefused` of each run; a run with one has a single datagram. */
  #refusals: ((() => void) | undefined)[] = [];
  #used = 0;
  #destination: Endpoint | undefined;
  /** Whether the last run may grow, and whether it is of the measured kind. */
  #isLastOpen = false;
  #isLastMeasured = false;
  #isScheduled = false;
  #isBlocked = false;
  #stalls = 0;
  #isOpen = true;
  /** The last source, kept because most datagrams come from where the one before came from. */
  #sourceAddress = '';
  #source: Endpoint | undefined;

  /** @throws Error with the system's code */
  constructor(addon: NativeAddon, { isIpv6, address, port, log }: BindOptions, handlers: BoundSocketHandlers) {
    this.#addon = addon;
    this.#isIpv6 = isIpv6;
    this.#handlers = handlers;
    const socket = addon.open(address ?? '', port, isIpv6, this.#onEvent);
    if (typeof socket === 'number') throw systemError(socket);
    this.#socket = socket;
    this.localPort = socket.port;
    logBufferSize(log, this.kind, socket.receiveBuffer);
  }

  send(packet: Buffer, destination: Endpoint, onRefused?: () => void): void {
    if (!this.#isOpen) throw systemError(EBADF);
    if (packet.length > MAX_DATAGRAM_SIZE) {
      this.#refuse(EMSGSIZE, onRefused);
      return;
    }
    const address = this.#encode(destination);
    if (typeof address === 'number') {
      this.#refuse(address, onRefused);
      return;
    }
    if (!this.#hasRoom(packet.length)) this.#flush();
    if (!this.#hasRoom(packet.length)) {
      this.#handlers.onError(systemError(ENOBUFS), this);
      return;
    }
    this.#bytes.set(packet, this.#used);
    this.#used += packet.length;
    this.#enqueue(packet, destination, address, onRefused);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(this.#flush);
  }

  /** Sends what waits first, as far as the system takes it: it may be kill packets. */
  close(): void {
    if (!this.#isOpen) return;
    this.#flush();
    this.#isOpen = false;
    this.#addon.close(this.#socket);
  }

  #hasRoom(size: number): boolean {
    return this.#used + size <= QUEUE_SIZE && this.#refusals.length < MAX_RUNS;
  }

  #encode(destination: Endpoint): Buffer | number {
    const known = this.#encoded.get(destination);
    if (known !== undefined) return known;
    const encoded = this.#addon.encode(destination.address, destination.port, this.#isIpv6);
    if (typeof encoded !== 'number') this.#encoded.set(destination, encoded);
    return encoded;
  }

  #enqueue(packet: Buffer, destination: Endpoint, address: Buffer, onRefused: (() => void) | undefined): void {
    const { length } = packet;
    const isMeasured = packet[0] === MEASURED_KIND;
    const runs = this.#runs;
    const count = this.#refusals.length;
    const last = (count - 1) * WORDS;
    if (this.#isLastOpen && destination === this.#destination && onRefused === undefined && length > 0) {
      const segment = runs[last + SEGMENT] as number;
      const size = (runs[last + SIZE] as number) + length;
      const isFull = size > MAX_RUN_SIZE || size > segment * MAX_SEGMENTS;
      if (length <= segment && !isFull && isMeasured === this.#isLastMeasured) {
        runs[last + SIZE] = size;
        this.#isLastOpen = length === segment;
        return;
      }
    }
    const at = count * WORDS;
    runs[at + SIZE] = length;
    runs[at + SEGMENT] = Math.max(1, length);
    runs[at + IS_WHOLE] = isMeasured && length > SAFE_SIZE ? 1 : 0;
    runs[at + DONE] = 0;
    runs[at + ERROR] = 0;
    this.#addresses.set(address, count * ADDRESS_SIZE);
    this.#refusals.push(onRefused);
    this.#destination = destination;
    this.#isLastMeasured = isMeasured;
    this.#isLastOpen = onRefused === undefined && length > 0;
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    const count = this.#refusals.length;
    if (!this.#isOpen || this.#isBlocked || count === 0) return;
    const before = this.#runs[DONE];
    const done = this.#addon.send(this.#socket, this.#bytes, this.#runs, this.#addresses, count);
    if (done < 0) {
      this.#shift(count, count);
      this.#refuse(EBADF, undefined);
      return;
    }
    const refused: [errno: number, onRefused: (() => void) | undefined][] = [];
    for (let index = 0; index < done; index += 1) {
      const errno = this.#runs[index * WORDS + ERROR] as number;
      if (errno !== 0) refused.push([errno, this.#refusals[index]]);
    }
    const hasMoved = done > 0 || this.#runs[DONE] !== before;
    this.#stalls = hasMoved ? 0 : this.#stalls + 1;
    this.#shift(done, count);
    if (this.#stalls > MAX_STALLS) {
      refused.push([ENOBUFS, undefined]);
      this.#shift(this.#refusals.length, this.#refusals.length);
    }
    this.#isBlocked = this.#refusals.length > 0;
    for (const [errno, onRefused] of refused) this.#refuse(errno, onRefused);
  };

  /** Removes the first runs, which are finished, from the queue. */
  #shift(done: number, count: number): void {
    let bytes = 0;
    for (let index = 0; index < done; index += 1) bytes += this.#runs[index * WORDS + SIZE] as number;
    // A run that was partly sent must not grow.
    this.#isLastOpen = false;
    if (done === count) {
      this.#refusals = [];
      this.#used = 0;
      return;
    }
    this.#bytes.copyWithin(0, bytes, this.#used);
    this.#used -= bytes;
    this.#runs.copyWithin(0, done * WORDS, count * WORDS);
    this.#addresses.copyWithin(0, done * ADDRESS_SIZE, count * ADDRESS_SIZE);
    this.#refusals.splice(0, done);
  }

  #refuse(errno: number, onRefused: (() => void) | undefined): void {
    // An address may name an interface, whose number changes when it is removed and added again.
    this.#encoded = new WeakMap();
    const error = systemError(errno);
    this.#handlers.onError(error, this);
    if (onRefused !== undefined && !isSocketDead(error.code)) queueMicrotask(onRefused);
  }

  readonly #onEvent = (event: NativeEvent): void => {
    if (!this.#isOpen) return;
    if (typeof event === 'object') {
      for (let at = 0; at < event.length; at += 4) {
        const [bytes, segment, address, port] = event.slice(at, at + 4) as [Buffer, number, string | null, number];
        this.#receive(bytes, segment, this.#sourceOf(address, port));
      }
    } else if (event === undefined) {
      this.#isBlocked = false;
      this.#flush();
    } else {
      this.#handlers.onError(systemError(event), this);
    }
  };

  #sourceOf(address: string | null, port: number): Endpoint {
    if (this.#source !== undefined) {
      if (address === null) return this.#source;
      if (address === this.#sourceAddress && port === this.#source.port) return this.#source;
    }
    this.#sourceAddress = address ?? '';
    this.#source = Endpoint.ofSource(this.#sourceAddress, port);
    return this.#source;
  }

  #receive(bytes: Buffer, segment: number, source: Endpoint): void {
    const { onDatagram } = this.#handlers;
    if (segment === 0 || segment >= bytes.length) {
      if (this.#isOpen) onDatagram(bytes, source);
      return;
    }
    for (let at = 0; at < bytes.length && this.#isOpen; at += segment) {
      const datagram = bytes.subarray(at, at + segment);
      onDatagram(segment < MIN_SHARED ? Buffer.from(datagram) : datagram, source);
    }
  }
}

/** Linux's numbers of errors that are found here. */
const [EBADF, EMSGSIZE, ENOBUFS] = [9, 90, 105] as const;

function systemError(errno: number): Error & { readonly code: string } {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`system error ${code}`), { code });
}
