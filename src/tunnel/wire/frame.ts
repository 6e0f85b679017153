/**
 * One frame is one packet of the channel:
 *
 *     magic u16 (0xa26b) || type u16 || id u16 || data length u16 || data
 *
 * `id` names a tunnel; in a request it is the port of the target. docs/tunnel-protocol.md has every type.
 */

const MAGIC = 0xa26b;
export const FRAME_HEADER_SIZE = 8;
/** Bytes. Upstream has no room for more than 1365, what a packet of c-toxcore can contain, and drops frames that announce more. */
export const MAX_FRAME_DATA = 1437;

/** Types of protocol version 2, which upstream has. */
export const PONG = 0x0100;
export const PING = 0x0108;
export const TCP = 0x0600;
export const TCP_FIN = 0x0601;
export const REQUEST_TUNNEL = 0x0602;
export const DENY_TUNNEL = 0x0604;
export const ACK_TUNNEL = 0x0610;

/** Types of the extension; sent only to a peer that has it. */
export const WINDOW = 0x0620;
export const EOF = 0x0621;
export const RESET = 0x0622;
/** The sender ends, and does not come back. */
export const END = 0x0623;
/** About a request that is not answered yet (wire/request). */
export const EARLY = 0x0624;
/** About ports that the sender asks for (wire/listen). */
export const LISTEN = 0x0630;
export const LISTENING = 0x0631;
export const UNLISTEN = 0x0632;
/**
 * Set in frames of the accepting side of an extended tunnel, and in an unlisten of the side that listens. Each side chooses the ids of the tunnels that it accepts, so two tunnels
 * of opposite direction may have the same id; this bit tells them apart.
 */
export const FROM_ACCEPTOR = 0x0080;

export interface Frame {
  readonly type: number;
  readonly id: number;
  /** Of a received frame, a view into the packet. */
  readonly data: Buffer;
}

const NO_DATA = Buffer.alloc(0);

export function encodeFrame(type: number, id: number, data: Buffer = NO_DATA): Buffer {
  if (data.length > MAX_FRAME_DATA) throw new RangeError(`frame: ${data.length} bytes of data`);
  const packet = Buffer.allocUnsafe(FRAME_HEADER_SIZE + data.length);
  writeHeader(packet, 0, type, id, data.length);
  data.copy(packet, FRAME_HEADER_SIZE);
  return packet;
}

/** Ignores bytes after the announced data, as upstream does. Returns undefined for packets that upstream drops. */
export function decodeFrame(packet: Buffer): Frame | undefined {
  if (packet.length < FRAME_HEADER_SIZE || packet.readUInt16BE(0) !== MAGIC) return undefined;
  const length = packet.readUInt16BE(6);
  if (length > MAX_FRAME_DATA || FRAME_HEADER_SIZE + length > packet.length) return undefined;
  const data = packet.subarray(FRAME_HEADER_SIZE, FRAME_HEADER_SIZE + length);
  return { type: packet.readUInt16BE(2), id: packet.readUInt16BE(4), data };
}

/** Whether a packet is a frame of protocol version 1, which current peers do not use. */
export function isVersion1(packet: Buffer): boolean {
  return packet.length >= 2 && packet.readUInt16BE(0) === 0xa26a;
}

/** Bytes of the frames that `encodeFrames` makes. */
export const framesSize = (length: number, frameData: number): number =>
  length + Math.ceil(length / frameData) * FRAME_HEADER_SIZE;

/**
 * Cuts data into frames, each but the last with `frameData` bytes of it. They lie one after another in `target`, from `at` on, so a
 * read of 64 KiB costs one buffer instead of 49.
 * @returns where they end
 */
export function encodeFrames(target: Buffer, at: number, { type, id, data }: Frame, frameData: number): number {
  let to = at;
  for (let from = 0; from < data.length; from += frameData) {
    const length = Math.min(frameData, data.length - from);
    writeHeader(target, to, type, id, length);
    data.copy(target, to + FRAME_HEADER_SIZE, from, from + length);
    to += FRAME_HEADER_SIZE + length;
  }
  return to;
}

/** One of the frames of `encodeFrames`. @param at where it begins */
export function frameAt(frames: Buffer, at: number): Buffer {
  return frames.subarray(at, at + FRAME_HEADER_SIZE + frames.readUInt16BE(at + 6));
}

function writeHeader(target: Buffer, at: number, type: number, id: number, length: number): void {
  target.writeUInt16BE(MAGIC, at);
  target.writeUInt16BE(type, at + 2);
  target.writeUInt16BE(id, at + 4);
  target.writeUInt16BE(length, at + 6);
}
