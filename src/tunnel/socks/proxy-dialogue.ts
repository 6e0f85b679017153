/**
 * What one program and a proxy say until the program has named its target: SOCKS 5, 4 and 4a, or CONNECT of HTTP. The first byte of the
 * connection decides which, once: SOCKS has 5 or 4 there, and HTTP a letter. It never throws, and holds some 8 KiB at most.
 */
import { explainReason, type Reason } from '../wire/reasons.js';
import { describeTarget, type Target } from '../wire/target.js';
import { decodeConnect, encodeHttpFailure, HTTP_GRANTED, type HttpFailure } from './http-connect.js';
import { OUTCOME_CODES } from './outcome-codes.js';
import type { Credentials, ProxyUsers } from './proxy-users.js';
import { decodeSocks4, encodeSocks4Reply, SOCKS4, SOCKS4_CONNECT, SOCKS4_GRANTED, SOCKS4_REJECTED } from './socks4.js';
import {
  decodeGreeting,
  decodePassword,
  decodeRequest,
  encodeMethod,
  encodePasswordAnswer,
  encodeReply,
  NO_AUTHENTICATION,
  NO_METHOD,
  SOCKS5,
  SOCKS5_CODES,
  SOCKS5_GRANTED,
  type Socks5Address,
  type Socks5Failure,
  UDP_ASSOCIATE,
  USER_AND_PASSWORD,
} from './socks5.js';

/** With the answers to it. */
export type ProxyRequest =
  | { readonly kind: 'connect'; readonly target: Target; readonly granted: Buffer; refused(reason: Reason): Buffer }
  /** UDP by SOCKS 5. */
  | {
      readonly kind: 'associate';
      /** @param at where the program is to send its datagrams; literal */
      granted(at: { readonly host: string; readonly port: number }): Buffer;
      refused(reason: Reason): Buffer;
    };

/** Why there will be no tunnel, for the log. The answer for the program is in `answer` already. */
export interface ProxyRefusal {
  readonly kind: 'refused';
  readonly why: string;
}

/** What one piece of input brings. */
export interface ProxyOutput {
  /** To be sent now; may be empty. */
  readonly answer: Buffer;
  /** Undefined while the program has more to say. */
  readonly result: ProxyRequest | ProxyRefusal | undefined;
}

type Step =
  | 'incomplete'
  | { readonly answer: Buffer; readonly why: string }
  | { readonly request: ProxyRequest; readonly size: number }
  | { readonly answer: Buffer; readonly size: number; readonly next: Reader };
type Reader = (bytes: Buffer) => Step;

const NOTHING = Buffer.alloc(0);
const TLS_HANDSHAKE = 0x16;
const WRONG_PASSWORD = 'its user or password is wrong';
const NO_HOST = 'it asked for a name that can be no host';
const NO_PORT = 'it asked for port 0';
const ONLY_CONNECT =
  'This port is a proxy for SOCKS and for the method CONNECT of HTTP alone (in curl: --proxytunnel or --socks5-hostname).';

export class ProxyDialogue {
  readonly #users: ProxyUsers | undefined;
  #read: Reader = (bytes) => this.#readFirst(bytes);
  #waiting: Buffer = NOTHING;

  /** @param users who may use the proxy; undefined: everybody, with any password */
  constructor(users: ProxyUsers | undefined) {
    this.#users = users;
  }

  /** What the program has sent after its request. */
  get rest(): Buffer {
    return this.#waiting;
  }

  /** To be called until there is a result. */
  push(bytes: Buffer): ProxyOutput {
    this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    let answer: Buffer = NOTHING;
    for (;;) {
      const step = this.#read(this.#waiting);
      if (step === 'incomplete') return { answer, result: undefined };
      if ('why' in step) {
        return { answer: Buffer.concat([answer, step.answer]), result: { kind: 'refused', why: step.why } };
      }
      this.#waiting = this.#waiting.subarray(step.size);
      if ('request' in step) return { answer, result: step.request };
      answer = Buffer.concat([answer, step.answer]);
      this.#read = step.next;
    }
  }

  #readFirst(bytes: Buffer): Step {
    const [first] = bytes;
    if (first === undefined) return 'incomplete';
    const reader = this.#readerFor(first);
    if (reader !== undefined) return { answer: NOTHING, size: 0, next: reader };
    const why =
      first === TLS_HANDSHAKE
        ? 'it speaks TLS: write http:// in front of this proxy, not https://'
        : 'it speaks neither SOCKS nor HTTP';
    return { answer: NOTHING, why };
  }

  #readerFor(first: number): Reader | undefined {
    if (first === SOCKS5) return (bytes) => this.#readGreeting(bytes);
    if (first === SOCKS4) return (bytes) => this.#readSocks4(bytes);
    if (/[A-Za-z]/.test(String.fromCharCode(first))) return (bytes) => this.#readConnect(bytes);
    return undefined;
  }

  // SOCKS 5

  #readGreeting(bytes: Buffer): Step {
    const greeting = decodeGreeting(bytes);
    if (typeof greeting === 'string') return refuseIfInvalid(greeting, encodeMethod(NO_METHOD));
    const { message: methods, size } = greeting;
    if (this.#users === undefined && methods.includes(NO_AUTHENTICATION)) {
      return { answer: encodeMethod(NO_AUTHENTICATION), size, next: readRequest };
    }
    if (methods.includes(USER_AND_PASSWORD)) {
      return { answer: encodeMethod(USER_AND_PASSWORD), size, next: (more) => this.#readPassword(more) };
    }
    const why = this.#users === undefined ? 'it offers no method that is known here' : 'it gives no user and password';
    return { answer: encodeMethod(NO_METHOD), why };
  }

  #readPassword(bytes: Buffer): Step {
    const password = decodePassword(bytes);
    if (typeof password === 'string') return refuseIfInvalid(password, encodePasswordAnswer(false));
    const { message, size } = password;
    if (!this.#admits(message)) return { answer: encodePasswordAnswer(false), why: WRONG_PASSWORD };
    return { answer: encodePasswordAnswer(true), size, next: readRequest };
  }

  #admits(credentials: Credentials): boolean {
    return this.#users === undefined || this.#users.admits(credentials);
  }

  // SOCKS 4

  #readSocks4(bytes: Buffer): Step {
    const decoded = decodeSocks4(bytes);
    const refusal = encodeSocks4Reply(SOCKS4_REJECTED);
    if (typeof decoded === 'string') return refuseIfInvalid(decoded, refusal);
    const { command, ...address } = decoded.message;
    const target = targetOf(address);
    if (this.#users !== undefined) return { answer: refusal, why: 'it gives no password, which SOCKS 4 does not have' };
    if (command !== SOCKS4_CONNECT) return { answer: refusal, why: 'it asked for another command than CONNECT' };
    if (typeof target === 'string') return { answer: refusal, why: target };
    const granted = encodeSocks4Reply(SOCKS4_GRANTED);
    return { request: { kind: 'connect', target, granted, refused: () => refusal }, size: decoded.size };
  }

  // HTTP

  #readConnect(bytes: Buffer): Step {
    const decoded = decodeConnect(bytes);
    if (decoded === 'incomplete') return decoded;
    if (typeof decoded === 'string') return HTTP_REFUSALS[decoded];
    const { credentials, ...address } = decoded.message;
    if (this.#users !== undefined && !(credentials !== undefined && this.#users.admits(credentials))) {
      const why = credentials === undefined ? 'it gives no user and password' : WRONG_PASSWORD;
      return httpRefusal(407, why, 'This proxy wants a user and a password.');
    }
    const target = targetOf(address);
    if (typeof target === 'string') return HTTP_REFUSALS.invalid;
    const refused = (reason: Reason): Buffer =>
      encodeHttpFailure(OUTCOME_CODES[reason].http, `${describeTarget(target)}: ${explainReason(reason)}`);
    return { request: { kind: 'connect', target, granted: HTTP_GRANTED, refused }, size: decoded.size };
  }
}

const httpRefusal = (status: HttpFailure, why: string, text: string): Step => ({
  answer: encodeHttpFailure(status, text),
  why,
});

const HTTP_REFUSALS = {
  'other-method': httpRefusal(405, 'it sent an HTTP request that is not CONNECT', ONLY_CONNECT),
  'too-large': httpRefusal(431, 'the header of its request is too large', 'The header has more than 8192 bytes.'),
  invalid: httpRefusal(400, 'its CONNECT names no host and port', 'The request is not CONNECT HOST:PORT HTTP/1.1.'),
};

function readRequest(bytes: Buffer): Step {
  const decoded = decodeRequest(bytes);
  if (decoded === 'incomplete') return decoded;
  if (decoded === 'invalid') return socks5Refusal('failed', 'its request is not of SOCKS 5');
  if (decoded === 'no-such-command') return socks5Refusal(decoded, 'it asked for a command that is unknown here');
  if (typeof decoded === 'string')
    return socks5Refusal('no-such-address-type', 'it asked for an unknown type of address');
  const { message, size } = decoded;
  const refused = (reason: Reason): Buffer => encodeReply(SOCKS5_CODES[OUTCOME_CODES[reason].socks5]);
  // The address from which the program says that it will send is often none, or wrong.
  if (message.command === UDP_ASSOCIATE)
    return { request: { kind: 'associate', granted: (at) => encodeReply(SOCKS5_GRANTED, at), refused }, size };
  const target = targetOf(message);
  if (typeof target === 'string') return socks5Refusal(target === NO_HOST ? 'host-unreachable' : 'failed', target);
  return { request: { kind: 'connect', target, granted: encodeReply(SOCKS5_GRANTED), refused }, size };
}

const socks5Refusal = (failure: Socks5Failure, why: string): Step => ({
  answer: encodeReply(SOCKS5_CODES[failure]),
  why,
});

/** Port 0 would be the name of a service. */
function targetOf({ host, port }: Socks5Address): Target | string {
  if (host === undefined) return NO_HOST;
  return port === 0 ? NO_PORT : { host, port };
}

const refuseIfInvalid = (decoded: 'incomplete' | 'invalid', answer: Buffer): Step =>
  decoded === 'incomplete' ? decoded : { answer, why: 'its request cannot be read' };
