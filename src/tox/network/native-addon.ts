/** Our addon for batches of datagrams (native/udp.c), which is there where `make build` found a compiler, for Linux alone. */
import { readFileSync } from 'node:fs';
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

/** Of an ELF file of 64 bits, all that we have: where the table of sections is, the size of an entry and their number. */
const [TABLE_AT, ENTRY_SIZE_AT, COUNT_AT, HEADER_SIZE] = [0x28, 0x3a, 0x3c, 64] as const;
/** The last section has names, which its type says. */
const [TYPE_AT, NAMES] = [4, 3] as const;
const FUNCTIONS = ['encode', 'open', 'send', 'close'] as const;

/**
 * @param file for tests
 * @returns undefined where it is not there, does not load, or is not wanted
 */
export function nativeAddon(
  environment: NodeJS.ProcessEnv = process.env,
  file = ownFile(`dist/native/${process.platform}-${process.arch}.node`),
): NativeAddon | undefined {
  if (environment[SWITCH] === 'off') return undefined;
  try {
    if (!isWhole(readFileSync(file))) return undefined;
    const module: { exports: Partial<NativeAddon> } = { exports: {} };
    process.dlopen(module, file);
    const isOurs = FUNCTIONS.every((name) => typeof module.exports[name] === 'function');
    return isOurs ? (module.exports as NativeAddon) : undefined;
  } catch {
    // Not there, or for another C library, say; everything works without.
    return undefined;
  }
}

/** Loading a file of which the end was never written ends the process (SIGBUS). What is at the end of it is the table of sections. */
function isWhole(bytes: Buffer): boolean {
  if (bytes.length < HEADER_SIZE) return false;
  const size = bytes.readUInt16LE(ENTRY_SIZE_AT);
  const end = Number(bytes.readBigUInt64LE(TABLE_AT)) + size * bytes.readUInt16LE(COUNT_AT);
  return end >= HEADER_SIZE + size && end <= bytes.length && bytes.readUInt32LE(end - size + TYPE_AT) === NAMES;
}
