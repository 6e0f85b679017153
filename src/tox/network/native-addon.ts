/** Our addon for batches of datagrams (native/udp.c). */
import { loadNativePart } from '../../base/native-part.js';

/** An open socket, with more properties that only the addon uses. */
export interface NativeSocket {
  readonly port: number;
  /** Bytes that the kernel granted, twice the usable size. */
  readonly receiveBuffer: number;
}

/**
 * Received messages, with four values each: the bytes, the length of the datagrams in them (0 for a single datagram), the
 * address of the source (null for that of the message before) and its port. A number is an errno. Undefined means that `send`
 * may continue.
 */
export type NativeEvent = readonly (Buffer | number | string | null)[] | number | undefined;

export interface NativeAddon {
  /** @returns 28 bytes for `send`, or an errno */
  encode(address: string, port: number, isIpv6: boolean): Buffer | number;
  /** @param address '' for all addresses @returns an errno if it cannot be opened */
  open(address: string, port: number, isIpv6: boolean, onEvent: (event: NativeEvent) => void): NativeSocket | number;
  /**
   * @param runs 5 words for each run of datagrams to one address: bytes in all, bytes of each datagram but the last, 1 to lose
   * datagrams rather than fragment them, bytes sent so far, and the errno of the first refused datagram
   * @param addresses 28 bytes each
   * @returns the number of finished runs; -1 for invalid arguments or a closed socket
   */
  send(socket: NativeSocket, bytes: Uint8Array, runs: Int32Array, addresses: Uint8Array, count: number): number;
  close(socket: NativeSocket): void;
}

const FUNCTIONS = ['encode', 'open', 'send', 'close'] as const;

/** Loads the addon; returns undefined if it does not exist, does not load, or is disabled. @param file another file, for tests */
export function nativeAddon(environment?: NodeJS.ProcessEnv, file?: string): NativeAddon | undefined {
  return loadNativePart(FUNCTIONS, environment, file);
}
