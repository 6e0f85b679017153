/**
 * The request for a tunnel, what its program sends before the answer, and the two answers:
 *
 *     request  id = port      data = forward id u32 || host (to the end, without NUL), with `udp:` in front for UDP (extension)
 *     early    id = 0         data = forward id u32 || bytes of the stream (extension, version 2)
 *     ack      id = tunnel    data = forward id u32
 *     deny     id = 0         data = forward id u32 || reason u16          (extension)
 *
 * The forward id is chosen by the requesting side and comes back unchanged, so that several requests can wait at once.
 */
import { ACK_TUNNEL, DENY_TUNNEL, EARLY, encodeFrame, type Frame, REQUEST_TUNNEL } from './frame.js';
import { MIN_INITIAL_WINDOW } from './hello.js';
import { decodeReason, encodeReason, type Reason } from './reasons.js';
import { bareHost, type Target } from './target.js';

/** The longest name of DNS, which is much less than a frame holds. */
const MAX_HOST_SIZE = 255;

const UDP = 'udp:';

/** Bytes of one request's early data: the least initial window, so that no tunnel gets more than its window. */
export const MAX_EARLY = MIN_INITIAL_WINDOW;
const FORWARD_ID_SIZE = 4;

/** Bytes of early data in a frame. @param frameData bytes of data that the frame may have */
export const earlySize = (frameData: number): number => frameData - FORWARD_ID_SIZE;

const u32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

export interface TunnelRequest {
  readonly forwardId: number;
  /** Undefined when the host is empty, too long or not printable ASCII. */
  readonly target: Target | undefined;
}

export function encodeRequest(forwardId: number, target: Target): Buffer {
  const host = target.protocol === 'udp' ? UDP + target.host : target.host;
  return encodeFrame(REQUEST_TUNNEL, target.port, Buffer.concat([u32(forwardId), Buffer.from(host, 'latin1')]));
}

/** Returns undefined for a request without a forward id, which cannot be answered; upstream reads outside its buffer then. */
export function decodeRequest(frame: Frame): TunnelRequest | undefined {
  if (frame.data.length < 4) return undefined;
  const forwardId = frame.data.readUInt32BE();
  const bytes = frame.data.subarray(4);
  const isReadable = bytes.length <= MAX_HOST_SIZE && bytes.every((at) => at > 0x20 && at < 0x7f);
  return { forwardId, target: isReadable ? targetOf(bytes.toString('latin1'), frame.id) : undefined };
}

function targetOf(text: string, port: number): Target | undefined {
  const isUdp = text.startsWith(UDP);
  const host = isUdp ? text.slice(UDP.length) : text;
  // The system would take an empty host, in brackets or not, for this machine.
  if (bareHost(host) === '') return undefined;
  return isUdp ? { host, port, protocol: 'udp' } : { host, port };
}

export function encodeAck(tunnelId: number, forwardId: number): Buffer {
  return encodeFrame(ACK_TUNNEL, tunnelId, u32(forwardId));
}

export function encodeEarly(forwardId: number, bytes: Buffer): Buffer {
  return encodeFrame(EARLY, 0, Buffer.concat([u32(forwardId), bytes]));
}

/** A view into the frame; its forward id was read. */
export const decodeEarly = (frame: Frame): Buffer => frame.data.subarray(FORWARD_ID_SIZE);

/** The forward id of an ack, a deny or early data. */
export function decodeForwardId(frame: Frame): number | undefined {
  return frame.data.length < 4 ? undefined : frame.data.readUInt32BE();
}

export function encodeDeny(forwardId: number, reason: Reason): Buffer {
  return encodeFrame(DENY_TUNNEL, 0, Buffer.concat([u32(forwardId), encodeReason(reason)]));
}

export function decodeDenyReason(frame: Frame): Reason {
  return decodeReason(frame.data, 4);
}
