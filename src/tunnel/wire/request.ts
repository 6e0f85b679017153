/**
 * The request for a tunnel, and its two answers:
 *
 *     request  id = port      data = forward id u32 || host (to the end, without NUL)
 *     ack      id = tunnel    data = forward id u32
 *     deny     id = 0         data = forward id u32 || reason u16          (extension)
 *
 * The forward id is chosen by the requesting side and comes back unchanged, so that several requests can wait at once.
 */
import { ACK_TUNNEL, DENY_TUNNEL, encodeFrame, type Frame, REQUEST_TUNNEL } from './frame.js';
import { decodeReason, encodeReason, type Reason } from './reasons.js';
import { bareHost, type Target } from './target.js';

/** The longest name of DNS, which is much less than a frame holds. */
const MAX_HOST_SIZE = 255;

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
  return encodeFrame(REQUEST_TUNNEL, target.port, Buffer.concat([u32(forwardId), Buffer.from(target.host, 'latin1')]));
}

/** Returns undefined for a request without a forward id, which cannot be answered; upstream reads outside its buffer then. */
export function decodeRequest(frame: Frame): TunnelRequest | undefined {
  if (frame.data.length < 4) return undefined;
  const forwardId = frame.data.readUInt32BE();
  const bytes = frame.data.subarray(4);
  const isReadable = bytes.length <= MAX_HOST_SIZE && bytes.every((at) => at > 0x20 && at < 0x7f);
  const host = bytes.toString('latin1');
  // The system would take an empty host, in brackets or not, for this machine.
  return { forwardId, target: isReadable && bareHost(host) !== '' ? { host, port: frame.id } : undefined };
}

export function encodeAck(tunnelId: number, forwardId: number): Buffer {
  return encodeFrame(ACK_TUNNEL, tunnelId, u32(forwardId));
}

/** The forward id of an ack or a deny. */
export function decodeForwardId(frame: Frame): number | undefined {
  return frame.data.length < 4 ? undefined : frame.data.readUInt32BE();
}

export function encodeDeny(forwardId: number, reason: Reason): Buffer {
  return encodeFrame(DENY_TUNNEL, 0, Buffer.concat([u32(forwardId), encodeReason(reason)]));
}

export function decodeDenyReason(frame: Frame): Reason {
  return decodeReason(frame.data, 4);
}
