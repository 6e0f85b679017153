/** Why a tunnel was refused or broken: names for programs, sentences for people, numbers for the wire. */
import { CodedError } from '../../base/coded-error.js';

const REASONS = {
  failed: { code: 0, text: 'failed for an unknown reason' },
  'not-allowed': {
    code: 1,
    text: 'the server does not allow this target',
    advice: 'ask its owner to allow it, in the rules (-f) or for this client (--allow)',
  },
  'connection-refused': {
    code: 2,
    text: 'the target refused the connection',
    advice: 'check the port, and that the service is running',
  },
  unreachable: {
    code: 3,
    text: 'the server cannot reach the target',
    advice: 'check its address, and the network of the server',
  },
  timeout: { code: 4, text: 'the target did not answer in time', advice: 'check its address, and that it is running' },
  'name-not-found': {
    code: 5,
    text: 'the server cannot resolve the name of the target',
    advice: 'check the name, or use an address',
  },
  'too-many-tunnels': { code: 6, text: 'too many tunnels are open', advice: 'close some' },
  'bad-request': { code: 7, text: 'the server cannot read the request' },
  'connection-reset': { code: 8, text: 'the connection was reset' },
  overflow: { code: 9, text: 'more data arrived than could be delivered' },
  'closed-by-owner': { code: 10, text: 'closed by the owner' },
  'unknown-tunnel': { code: 11, text: 'the other side has no such tunnel' },
  // Before 'shutting-down', so that the code is read as the other side's.
  'peer-shutting-down': { code: 12, text: 'the other side is shutting down', advice: 'try again' },
  'shutting-down': { code: 12, text: 'this side is shutting down' },
  'no-resources': {
    code: 13,
    text: 'the server has no file descriptor or memory left for another connection',
    advice: 'close some, or have its owner raise the limit of open files (LimitNOFILE)',
  },
  'share-ended': { code: 14, text: 'the share has ended', advice: 'ask its owner for a new link' },
  'address-in-use': {
    code: 20,
    text: 'another program of the server has that port',
    advice: 'choose another one, or 0 for any',
  },
  'port-not-permitted': {
    code: 21,
    text: 'the system does not let the server open that port',
    advice: 'choose a port above 1023, or have its owner give tuntoxd CAP_NET_BIND_SERVICE',
  },
  'no-such-address': {
    code: 22,
    text: 'the server has no such address',
    advice: 'leave the address out, for localhost of the server',
  },
  'too-many-listeners': { code: 23, text: 'the server has too many ports open for its clients', advice: 'close some' },
  // The following reasons are found by this side alone, and never sent.
  'connection-lost': { code: 0, text: 'the connection to the peer was lost', advice: 'try again' },
  'answer-lost': {
    code: 0,
    text: 'the connection to the peer was lost before it answered the request',
    advice: 'try again',
  },
  'peer-offline': {
    code: 0,
    text: 'the peer did not come online in time',
    advice: 'check that it is running, and that it admits this client',
  },
  'no-answer': {
    code: 0,
    text: 'the peer did not answer the request (upstream tuntox sends no answer when it refuses)',
  },
  'no-services': {
    code: 0,
    text: 'the server has no services with names (it is an original tuntox)',
    advice: 'give HOST:PORT instead of the name',
  },
  'no-extension': {
    code: 0,
    text: 'the server is an original tuntox, which has neither UDP nor Unix sockets',
    advice: 'give HOST:PORT of a TCP service, or update the server',
  },
  'no-reverse': {
    code: 0,
    text: 'the server is an original tuntox, which has no -R',
    advice: 'have its owner install this tuntox there',
  },
  'closed-by-peer': { code: 0, text: 'closed by the peer' },
} as const;

export type Reason = keyof typeof REASONS;

export const isReason = (text: string): text is Reason => Object.hasOwn(REASONS, text);

export function encodeReason(reason: Reason): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(REASONS[reason].code);
  return bytes;
}

const BY_CODE = new Map(
  (Object.keys(REASONS) as Reason[]).reverse().map((reason) => [REASONS[reason].code as number, reason]),
);

/** Reads two bytes at `offset`; a missing or unknown reason is `failed`. Later bytes are left to later versions. */
export function decodeReason(bytes: Buffer, offset = 0): Reason {
  return (bytes.length >= offset + 2 ? BY_CODE.get(bytes.readUInt16BE(offset)) : undefined) ?? 'failed';
}

export function describeReason(reason: Reason): string {
  return REASONS[reason].text;
}

/** The reason, and what a person can do about it. */
export function explainReason(reason: Reason): string {
  const { text, advice }: { readonly text: string; readonly advice?: string } = REASONS[reason];
  return advice === undefined ? text : `${text}: ${advice}`;
}

export class TunnelError extends CodedError<Reason> {
  constructor(reason: Reason, options?: { cause?: unknown }) {
    super(reason, explainReason(reason), options);
  }
}
