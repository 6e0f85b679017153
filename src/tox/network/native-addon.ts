/** Loads our addon for batches of datagrams (native/udp.c). It exists on Linux only, if `make build` found a compiler. */
import { readFileSync } from 'node:fs';
import { ownFile } from '../../base/own-files.js';

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

/** `TUNTOX_NATIVE=off` disables the addon. */
const SWITCH = 'TUNTOX_NATIVE';

/** Offsets in the header of a 64-bit ELF file: the section table, the size of an entry, and their number. */
const [TABLE_AT, ENTRY_SIZE_AT, COUNT_AT, HEADER_SIZE] = [0x28, 0x3a, 0x3c, 64] as const;
/** The offset of the type in an entry, and the type of the last section, a string table (SHT_STRTAB). */
const [TYPE_AT, STRING_TABLE] = [4, 3] as const;
const FUNCTIONS = ['encode', 'open', 'send', 'close'] as const;

/**
 * Loads the addon; returns undefined if it does not exist, does not load, or is disabled.
 * @param file another file, for tests
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
    // It does not exist, or needs another C library. Everything works without it.
    return undefined;
  }
}

/** Whether the section table, which is at the end of the file, is there: loading a truncated file ends the process (SIGBUS). */
function isWhole(bytes: Buffer): boolean {
  if (bytes.length < HEADER_SIZE) return false;
  const size = bytes.readUInt16LE(ENTRY_SIZE_AT);
  const end = Number(bytes.readBigUInt64LE(TABLE_AT)) + size * bytes.readUInt16LE(COUNT_AT);
  return end >= HEADER_SIZE + size && end <= bytes.length && bytes.readUInt32LE(end - size + TYPE_AT) === STRING_TABLE;
}
