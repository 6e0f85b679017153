/** Why a tunnel was refused or broken: names for programs, sentences for people, numbers for the wire. */

import { CodedError } from '../../base/coded-error.js';

const REASONS = {
  failed: { code: 0, text: 'failed for a reason without a name' },
  'not-allowed': {
    code: 1,
    text: 'the other side does not allow this target',
    advice: 'ask its owner to allow it, in the rules (-f) or for this client (--allow)',
  },
  'connection-refused': {
    code: 2,
    text: 'the target refused the connection',
    advice: 'check that the service runs there, and its port',
  },
  unreachable: {
    code: 3,
    text: 'the target cannot be reached from the other side',
    advice: 'check its address, and the network of the other side',
  },
  timeout: { code: 4, text: 'the target did not answer in time', advice: 'check that it runs, and its address' },
  'name-not-found': {
    code: 5,
    text: 'the other side cannot resolve the name of the target',
    advice: 'check the name, or give an address',
  },
  'too-many-tunnels': { code: 6, text: 'too many tunnels are open', advice: 'close some' },
  'bad-request': { code: 7, text: 'the other side cannot read the request' },
  'connection-reset': { code: 8, text: 'the connection was reset' },
  overflow: { code: 9, text: 'more data came than could be delivered' },
  'closed-by-owner': { code: 10, text: 'closed by the owner' },
  'unknown-tunnel': { code: 11, text: 'the other side does not know this tunnel' },
  // What the other side says of itself; it comes first, so that it is what is read from the wire.
  'peer-shutting-down': { code: 12, text: 'the other side is shutting down', advice: 'try again' },
  'shutting-down': { code: 12, text: 'this side is shutting down' },
  'no-resources': {
    code: 13,
    text: 'the serving side has no file descriptor or memory left for another connection',
    advice: 'close some, or have its owner raise the limit of open files (LimitNOFILE)',
  },
  // The following are noticed by this side alone and never sent.
  'peer-gone': { code: 0, text: 'the connection to the peer was lost', advice: 'try again' },
  'peer-away': {
    code: 0,
    text: 'the peer did not come online in time',
    advice: 'check that it runs and lets this client in',
  },
  'no-answer': { code: 0, text: 'the peer did not answer the request (an upstream peer says nothing when it refuses)' },
  'closed-by-peer': { code: 0, text: 'closed by the peer' },
} as const;

export type Reason = keyof typeof REASONS;

export function encodeReason(reason: Reason): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(REASONS[reason].code);
  return bytes;
}

const BY_CODE = new Map(
  (Object.keys(REASONS) as Reason[]).reverse().map((reason) => [REASONS[reason].code as number, reason]),
);

/** Reads two bytes at `offset`; what is missing or unknown is `failed`. Bytes after them are left to later versions. */
export function decodeReason(bytes: Buffer, offset = 0): Reason {
  return (bytes.length >= offset + 2 ? BY_CODE.get(bytes.readUInt16BE(offset)) : undefined) ?? 'failed';
}

export function describeReason(reason: Reason): string {
  return REASONS[reason].text;
}

/** The reason, and what to do about it where something can be done. */
export function explainReason(reason: Reason): string {
  const { text, advice }: { readonly text: string; readonly advice?: string } = REASONS[reason];
  return advice === undefined ? text : `${text}: ${advice}`;
}

export class TunnelError extends CodedError<Reason> {
  constructor(reason: Reason, options?: { cause?: unknown }) {
    super(reason, explainReason(reason), options);
  }
}
