/**
 * The container of a `tox_save` (spec: "State Format"; c-toxcore state.c), all integers little endian:
 *
 *     u32 0 || u32 0x15ED1B1F || section… || END section || zeros
 *     section: u32 length || u16 type || u16 cookie || content (length)
 *
 * The DHT section holds the same again without the zero: `u32 0x0159000D || section…`, with another cookie in each.
 */
import { ByteReader, ByteWriter } from '../base/bytes.js';
import { CodedError } from '../base/coded-error.js';

/**
 * Why bytes are not a usable `tox_save`:
 * - `encrypted`: written with a password
 * - `not-a-tox-save`: something else, or nothing
 * - `corrupt`: a `tox_save` that was cut off or damaged
 */
export type SavedataErrorCode = 'encrypted' | 'not-a-tox-save' | 'corrupt';

/** The message says what is wrong inside the bytes; the caller, which knows the file, adds its path and what to do. */
export class SavedataError extends CodedError<SavedataErrorCode> {}

export interface Section {
  readonly type: number;
  readonly content: Buffer;
}

export const SectionType = {
  Identity: 1,
  Dht: 2,
  Friends: 3,
  Name: 4,
  StatusMessage: 5,
  UserStatus: 6,
  Relays: 10,
  PathNodes: 11,
  End: 255,
} as const;

const GLOBAL_COOKIE = 0x15ed1b1f;
const SECTION_COOKIE = 0x01ce;
const DHT_COOKIE = 0x0159000d;
const DHT_SECTION_COOKIE = 0x11ce;
const SECTION_HEADER_SIZE = 8;
/** The prefix that c-toxcore's toxencryptsave gives a `tox_save` with a password. */
const ENCRYPTED_MAGIC = 'toxEsave';

/** @throws SavedataError */
export function decodeSections(bytes: Buffer): Section[] {
  if (bytes.length === 0) throw new SavedataError('not-a-tox-save', 'it is empty');
  if (bytes.subarray(0, ENCRYPTED_MAGIC.length).equals(Buffer.from(ENCRYPTED_MAGIC))) {
    throw new SavedataError('encrypted', 'it is encrypted with a password');
  }
  const reader = new ByteReader(bytes);
  const zero = reader.u32LE();
  if (zero !== 0 || reader.u32LE() !== GLOBAL_COOKIE || !reader.ok) {
    throw new SavedataError('not-a-tox-save', 'it does not begin as a tox_save does');
  }
  return readSections(reader.rest(), SECTION_COOKIE, 8);
}

/** Writes the sections in their order, and the END section after them. */
export function encodeSections(sections: readonly Section[]): Buffer {
  const all = [...sections, { type: SectionType.End, content: Buffer.alloc(0) }];
  const writer = new ByteWriter(8 + sizeOf(all)).u32LE(0).u32LE(GLOBAL_COOKIE);
  return writeSections(writer, all, SECTION_COOKIE).finish();
}

/** The sections inside the DHT section. @throws SavedataError */
export function decodeDhtSections(content: Buffer): Section[] {
  const reader = new ByteReader(content);
  if (reader.u32LE() !== DHT_COOKIE) throw new SavedataError('corrupt', 'its DHT section does not begin as one');
  return readSections(reader.rest(), DHT_SECTION_COOKIE, 4);
}

export function encodeDhtSections(sections: readonly Section[]): Buffer {
  const writer = new ByteWriter(4 + sizeOf(sections)).u32LE(DHT_COOKIE);
  return writeSections(writer, sections, DHT_SECTION_COOKIE).finish();
}

/** @param base the offset of `bytes` in the file, for error messages */
function readSections(bytes: Buffer, cookie: number, base: number): Section[] {
  const sections: Section[] = [];
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0) {
    const start = bytes.length - reader.remaining;
    // Some files have no END, and files may be padded with zeros, as libtoxcore's own always are.
    if (isAllZero(bytes.subarray(start))) break;
    const length = reader.u32LE();
    const type = reader.u16LE();
    const found = reader.u16LE();
    if (!reader.ok)
      throw new SavedataError('corrupt', `it is cut off in the header of a section at byte ${base + start}`);
    if (found !== cookie)
      throw new SavedataError('corrupt', `it is damaged at byte ${base + start}: no section begins there`);
    // Bytes after END are ignored, as by c-toxcore.
    if (type === SectionType.End) break;
    const content = reader.bytes(length);
    if (!reader.ok) {
      const there = bytes.length - start - SECTION_HEADER_SIZE;
      throw new SavedataError('corrupt', `it is cut off: section ${type} has ${there} of ${length} bytes`);
    }
    sections.push({ type, content });
  }
  return sections;
}

function writeSections(writer: ByteWriter, sections: readonly Section[], cookie: number): ByteWriter {
  for (const { type, content } of sections) writer.u32LE(content.length).u16LE(type).u16LE(cookie).bytes(content);
  return writer;
}

const sizeOf = (sections: readonly Section[]): number =>
  sections.reduce((sum, { content }) => sum + SECTION_HEADER_SIZE + content.length, 0);

const isAllZero = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);
