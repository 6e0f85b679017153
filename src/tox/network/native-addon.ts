/** Our addon for batches of datagrams (native/udp.c), which is there where `make build` found a compiler, for Linux alone. */
import { existsSync } from 'node:fs';
import { ownFile } from '../../base/own-files.js';

/** An open socket; what else it is, only the addon knows. */
export interface NativeSocket {
  readonly port: number;
  /** Bytes that the kernel granted, twice what was asked for. */
  readonly receiveBuffer: number;
}

/**
 * What was received, four values for each message: its bytes, the length of the datagrams of which it consists (0: it is one),
 * their source's address (null: that of the message before) and port; an errno; or nothing: `send` may go on.
 */
export type NativeEvent = readonly (Buffer | number | string | null)[] | number | undefined;

export interface NativeAddon {
  /** @returns 28 bytes for `send`, or an errno */
  encode(address: string, port: number, isIpv6: boolean): Buffer | number;
  /** @param address '' for all. @returns an errno where it cannot be opened */
  open(address: string, port: number, isIpv6: boolean, onEvent: (event: NativeEvent) => void): NativeSocket | number;
  /**
   * @param runs 5 words for each run of datagrams to one address: bytes in all, bytes of each but the last, 1 to lose them rather than
   * to cut them, bytes sent so far, and the errno of the first that was refused
   * @param addresses 28 bytes each
   * @returns how many runs are done with; -1 for arguments that are not sound, or a socket that is closed
   */
  send(socket: NativeSocket, bytes: Uint8Array, runs: Int32Array, addresses: Uint8Array, count: number): number;
  close(socket: NativeSocket): void;
}

/** For those who do not want it: `TUNTOX_NATIVE=off`. */
const SWITCH = 'TUNTOX_NATIVE';

/** @returns undefined where it is not there, does not load, or is not wanted */
export function nativeAddon(environment: NodeJS.ProcessEnv = process.env): NativeAddon | undefined {
  const file = ownFile(`dist/native/${process.platform}-${process.arch}.node`);
  if (environment[SWITCH] === 'off' || !existsSync(file)) return undefined;
  try {
    const module = { exports: {} };
    process.dlopen(module, file);
    return module.exports as NativeAddon;
  } catch {
    // For another C library, say; everything works without.
    return undefined;
  }
}
