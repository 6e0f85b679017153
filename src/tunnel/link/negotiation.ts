/**
 * Finds out whether the peer has the extension, without a round trip: the side that opens tunnels sends a hello before its first
 * request, and an extended peer answers it before anything that it sends about that request. What is learnt first stays, so both
 * sides have the same terms for every tunnel (docs/tunnel-protocol.md, "Finding out").
 */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { BASE_WINDOW } from '../stream/receive-window.js';
import { encodeFrame, PING, PONG } from '../wire/frame.js';
import { decodeHello, encodeHello, type Hello, VERSION } from '../wire/hello.js';

export type PeerTerms =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'upstream' }
  /** `credit`: bytes that the peer takes on each tunnel before its first window frame. */
  | { readonly kind: 'extended'; readonly version: number; readonly credit: number };

export class Negotiation {
  readonly #clock: Clock;
  readonly #log: Logger;
  #terms: PeerTerms = { kind: 'unknown' };
  #helloSentAt: number | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  get terms(): PeerTerms {
    return this.#terms;
  }

  /** The hello to send before the next request; undefined when none is needed. */
  nextHello(): Buffer | undefined {
    if (this.#terms.kind !== 'unknown' || this.#helloSentAt !== undefined) return undefined;
    this.#helloSentAt = this.#clock.now();
    return encodeFrame(PING, 0, encodeHello({ kind: 'hello', version: VERSION, initialWindow: BASE_WINDOW }));
  }

  /** The answer to a ping: a pong with the same bytes, or our answer to a hello. */
  answerPing(data: Buffer): Buffer {
    const hello = decodeHello(data);
    if (hello?.kind !== 'hello' || this.#terms.kind === 'upstream') return encodeFrame(PONG, 0, data);
    this.#onExtended(hello);
    return encodeFrame(PONG, 0, encodeHello({ kind: 'answer', version: VERSION, initialWindow: BASE_WINDOW }));
  }

  /** @returns the round trip in ms when the pong answers our hello */
  onPong(data: Buffer): number | undefined {
    if (this.#helloSentAt === undefined) return undefined;
    const hello = decodeHello(data);
    if (hello === undefined) return undefined;
    if (hello.kind === 'answer') this.#onExtended(hello);
    else this.onUpstreamFrame();
    return this.#clock.now() - this.#helloSentAt;
  }

  /** A request without a hello before it, or an ack without the answer to ours, comes from upstream. */
  onUpstreamFrame(): void {
    if (this.#terms.kind !== 'unknown') return;
    this.#terms = { kind: 'upstream' };
    this.#log.debug('the peer uses the protocol of upstream tuntox');
  }

  #onExtended(hello: Hello): void {
    if (this.#terms.kind !== 'unknown') return;
    const version = Math.min(VERSION, hello.version);
    this.#terms = { kind: 'extended', version, credit: hello.initialWindow };
    this.#log.debug(`the peer has version ${version} of the extension`);
  }
}
