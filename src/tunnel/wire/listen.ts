/**
 * A port that the other side opens for us (-R), and whose connections come back as tunnels:
 *
 *     listen     id = port, 0 for any   data = forward id u32 || address to listen at (to the end; empty: all addresses)
 *     listening  id = port              data = forward id u32
 *     unlisten   id = 0                 data = forward id u32 || reason u16
 *
 * Either side may end it with an unlisten. A refusal is a deny. Each connection is a request with port 0 and the host `?reverse:` || forward id, decimal.
 */
import { encodeFrame, FROM_ACCEPTOR, type Frame, LISTEN, LISTENING, UNLISTEN } from './frame.js';
import { decodeReason, encodeReason, type Reason } from './reasons.js';
import type { Target } from './target.js';

/** The longest name of DNS. */
const MAX_BIND_SIZE = 255;
const BIND = /^[A-Za-z0-9._:%[\]-]*$/;
const REVERSE = '?reverse:';

/** Where to listen. */
export interface ListenPlace {
  /** A name or an address; undefined means all addresses. */
  readonly bind: string | undefined;
  /** 0 means any port. */
  readonly port: number;
}

export interface ListenRequest {
  readonly forwardId: number;
  /** Undefined when the address is too long, or can be none. */
  readonly place: ListenPlace | undefined;
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/**
 * Whether a text has the characters of names and literal addresses alone: what a peer writes here stands in commands that the owner is
 * told to type. It may be empty.
 */
export const isBindText = (text: string): boolean => text.length <= MAX_BIND_SIZE && BIND.test(text);

export function encodeListen(forwardId: number, { bind = '', port }: ListenPlace): Buffer {
  return encodeFrame(LISTEN, port, Buffer.concat([u32(forwardId), Buffer.from(bind, 'latin1')]));
}

/** Returns undefined for a request without a forward id, which cannot be answered. */
export function decodeListen(frame: Frame): ListenRequest | undefined {
  if (frame.data.length < 4) return undefined;
  const forwardId = frame.data.readUInt32BE();
  const bytes = frame.data.subarray(4);
  const text = bytes.toString('latin1');
  return { forwardId, place: isBindText(text) ? { bind: text === '' ? undefined : text, port: frame.id } : undefined };
}

export function encodeListening(forwardId: number, port: number): Buffer {
  return encodeFrame(LISTENING, port, u32(forwardId));
}

/** @param side `acceptor`: the one that listens */
export function encodeUnlisten(forwardId: number, side: 'opener' | 'acceptor', reason: Reason): Buffer {
  const type = side === 'acceptor' ? UNLISTEN | FROM_ACCEPTOR : UNLISTEN;
  return encodeFrame(type, 0, Buffer.concat([u32(forwardId), encodeReason(reason)]));
}

export function decodeUnlistenReason(frame: Frame): Reason {
  return decodeReason(frame.data, 4);
}

/** A place as the target of what comes in there. */
export const targetOfPlace = ({ bind = '*', port }: ListenPlace): Target => ({ host: bind, port });

/** What is requested for a connection at a port that the peer asked for. */
export const reverseTarget = (forwardId: number): Target => ({ host: `${REVERSE}${forwardId}`, port: 0 });

/** Returns the forward id; undefined for every other target. */
export function reverseIdOf({ host, port }: Target): number | undefined {
  const digits = port === 0 && host.startsWith(REVERSE) ? host.slice(REVERSE.length) : '';
  return /^(?:0|[1-9][0-9]{0,9})$/.test(digits) ? Number(digits) : undefined;
}
