/**
 * How two peers find out that both have the extension: the data of a ping, and of its pong.
 *
 *     magic "tuntox++" || kind u8 (1 hello, 2 answer) || version u8 || records
 *     record: type u8 || length u8 || value
 *       type 1: initial window u32, the bytes that each tunnel may send to this peer before its first window frame
 *
 * Upstream returns the bytes of a ping unchanged: a pong of kind 1 is the echo of a peer without the extension.
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';

const MAGIC = Buffer.from('tuntox++', 'latin1');
const KINDS = ['hello', 'answer'] as const;
const INITIAL_WINDOW = 1;

export const VERSION = 1;
/** A window must hold some frames, or a sender that waits for room for a whole frame would wait forever. */
export const MIN_INITIAL_WINDOW = 16 * 1024;

export interface Hello {
  readonly kind: (typeof KINDS)[number];
  /** The highest version that the sender has; both use the lower one. */
  readonly version: number;
  /** Bytes. */
  readonly initialWindow: number;
}

export function encodeHello(hello: Hello): Buffer {
  return new ByteWriter(MAGIC.length + 8)
    .bytes(MAGIC)
    .u8(KINDS.indexOf(hello.kind) + 1)
    .u8(hello.version)
    .u8(INITIAL_WINDOW)
    .u8(4)
    .u32(hello.initialWindow)
    .finish();
}

/** Skips records of unknown type. Returns undefined for an ordinary ping. */
export function decodeHello(bytes: Buffer): Hello | undefined {
  const reader = new ByteReader(bytes);
  if (!reader.bytes(MAGIC.length).equals(MAGIC)) return undefined;
  const kind = KINDS[reader.u8() - 1];
  const version = reader.u8();
  let initialWindow = 0;
  while (reader.ok && reader.remaining > 0) {
    const type = reader.u8();
    const value = reader.bytes(reader.u8());
    if (type === INITIAL_WINDOW && value.length === 4) initialWindow = value.readUInt32BE();
  }
  if (!reader.isComplete || kind === undefined || version < 1 || initialWindow < MIN_INITIAL_WINDOW) return undefined;
  return { kind, version, initialWindow };
}
