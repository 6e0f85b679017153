/**
 * How much goes to addresses of which nothing proves that the peer is there. Anybody can write another's address on a packet: until a
 * probe of ours is answered from there, an address gets no more than three times the bytes that came from it (RFC 9000, 8.1 and 9.3.1).
 * A cookie in a handshake proves nothing: it says who asked for it, and not from where.
 */
import type { Route } from './route.js';

/** RFC 9000, 8.1. */
const FACTOR = 3;
/** Bytes of IP and UDP, which count on both sides. */
const HEADERS = { udp4: 28, udp6: 48, relay: 0 } as const;

interface Address {
  readonly headers: number;
  /** Bytes that may go there. */
  credit: number;
  /** The DHT, or the peer itself, has named it: what finds out whether somebody is there goes by its own schedule. */
  isNamed: boolean;
}

export class AmplificationLimit {
  /** Those that are not proven, by the key of the route. */
  readonly #unproven = new Map<string, Address>();

  /** A route is new. Relays have no address that anybody could forge. */
  begin({ key, kind }: Pick<Route, 'key' | 'kind'>): void {
    if (kind !== 'relay') this.#unproven.set(key, { headers: HEADERS[kind], credit: 0, isNamed: false });
  }

  onNamed(key: string): void {
    const address = this.#unproven.get(key);
    if (address !== undefined) address.isNamed = true;
  }

  /** A packet came from there that the peer has made. @param size bytes without headers of IP and UDP */
  onReceived(key: string, size: number): void {
    const address = this.#unproven.get(key);
    if (address !== undefined) address.credit += FACTOR * (size + address.headers);
  }

  /** A packet of so many bytes has gone there as an answer. */
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

  /** Whether a packet of so many bytes may go there. */
  allows(key: string, size: number): boolean {
    const address = this.#unproven.get(key);
    return address === undefined || address.credit >= size + address.headers;
  }

  /** Takes the bytes for a packet, or none and returns false. */
  take(key: string, size: number): boolean {
    if (!this.allows(key, size)) return false;
    this.onSent(key, size);
    return true;
  }

  /** The same for one that finds out whether somebody is there. */
  takeProbe(key: string, size: number): boolean {
    return this.#unproven.get(key)?.isNamed === true || this.take(key, size);
  }

  /** The route is gone. */
  forget(key: string): void {
    this.#unproven.delete(key);
  }
}
