/**
 * How much may be sent to addresses where the peer is not proven to be. A source address can be forged: until a
 * probe of ours is answered from there, an address gets at most three times the bytes that came from it (RFC 9000, 8.1 and 9.3.1).
 * A cookie in a handshake proves no address: it names the peer that requested it, not the source.
 */
import type { Route } from './route.js';

/** RFC 9000, 8.1. */
const FACTOR = 3;
/** Bytes of the IP and UDP headers, which count in both directions. */
const HEADERS = { udp4: 28, udp6: 48, relay: 0 } as const;

interface Address {
  readonly headers: number;
  /** Bytes that may be sent there. */
  credit: number;
  /** The DHT or the peer itself has named the address: probes to it follow their own schedule. */
  isNamed: boolean;
}

export class AmplificationLimit {
  /** Unproven addresses, by the key of the route. */
  readonly #unproven = new Map<string, Address>();

  /** A route is new. A relay has no address that could be forged. */
  begin({ key, kind }: Pick<Route, 'key' | 'kind'>): void {
    if (kind !== 'relay') this.#unproven.set(key, { headers: HEADERS[kind], credit: 0, isNamed: false });
  }

  onNamed(key: string): void {
    const address = this.#unproven.get(key);
    if (address !== undefined) address.isNamed = true;
  }

  /** A packet made by the peer came from there. @param size bytes without IP and UDP headers */
  onReceived(key: string, size: number): void {
    const address = this.#unproven.get(key);
    if (address !== undefined) address.credit += FACTOR * (size + address.headers);
  }

  /** A packet of `size` bytes was sent there as an answer. */
  onSent(key: string, size: number): void {
    const address = this.#unproven.get(key);
    if (address !== undefined) address.credit -= size + address.headers;
  }

  onProven(key: string): void {
    this.#unproven.delete(key);
  }

  isProven(key: string): boolean {
    return !this.#unproven.has(key);
  }

  /** Whether a packet of `size` bytes may be sent there. */
  allows(key: string, size: number): boolean {
    const address = this.#unproven.get(key);
    return address === undefined || address.credit >= size + address.headers;
  }

  /** Takes the credit for a packet, or takes none and returns false. */
  take(key: string, size: number): boolean {
    if (!this.allows(key, size)) return false;
    this.onSent(key, size);
    return true;
  }

  /** Takes the credit for a probe; a named address needs none. */
  takeProbe(key: string, size: number): boolean {
    return this.#unproven.get(key)?.isNamed === true || this.take(key, size);
  }

  /** The route was removed. */
  forget(key: string): void {
    this.#unproven.delete(key);
  }
}
