/** Loads our own machine code (`native`), which exists on Linux only, if `make build` found a compiler. */
import { readFileSync } from 'node:fs';
import { ownFile } from './own-files.js';

/** `TUNTOX_NATIVE=off` disables it. */
const SWITCH = 'TUNTOX_NATIVE';

/** Offsets in the header of a 64-bit ELF file: the section table, the size of an entry, and their number. */
const [TABLE_AT, ENTRY_SIZE_AT, COUNT_AT, HEADER_SIZE] = [0x28, 0x3a, 0x3c, 64] as const;
/** The offset of the type in an entry, and the type of the last section, a string table (SHT_STRTAB). */
const [TYPE_AT, STRING_TABLE] = [4, 3] as const;

/** Its file on this machine, if it was built. */
export const nativeFile = (): string => ownFile(`dist/native/${process.platform}-${process.arch}.node`);

/**
 * Returns the functions of a native part; undefined if it does not exist, does not load, is disabled, or lacks one of them.
 * @param file another file, for tests
 */
export function loadNativePart<T extends object>(
  names: readonly (keyof T & string)[],
  environment: NodeJS.ProcessEnv = process.env,
  file = nativeFile(),
): T | undefined {
  if (environment[SWITCH] === 'off') return undefined;
  try {
    if (!isWhole(readFileSync(file))) return undefined;
    const module: { exports: Partial<T> } = { exports: {} };
    process.dlopen(module, file);
    return names.every((name) => typeof module.exports[name] === 'function') ? (module.exports as T) : undefined;
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
