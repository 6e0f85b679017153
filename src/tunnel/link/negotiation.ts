/**
 * Finds out whether the peer has the extension, without a round trip: the side that opens tunnels sends a hello before its first
 * request, and an extended peer answers it before anything that it sends about that request. What is learnt first stays, so both
 * sides have the same terms for every tunnel (docs/tunnel-protocol.md, "Finding out").
 */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { BASE_WINDOW } from '../stream/receive-window.js';
import { encodeFrame, PING, PONG } from '../wire/frame.js';
import { decodeHello, encodeHello, type Hello, partsOf, VERSION } from '../wire/hello.js';
import type { Service } from '../wire/target.js';

export type PeerTerms =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'upstream' }
  /** `credit`: bytes that the peer takes on each tunnel before its first window frame. */
  | { readonly kind: 'extended'; readonly version: number; readonly credit: number };

/** Services that are remembered of one peer. */
const MAX_SERVICES = 64;

const OURS = { version: VERSION, initialWindow: BASE_WINDOW } as const;

export class Negotiation {
  readonly #clock: Clock;
  readonly #log: Logger;
  #services: readonly Service[] | undefined;
  /** Those of answers that were not the last one. */
  #received: readonly Service[] = [];
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
    return this.#terms.kind === 'unknown' ? this.hello() : undefined;
  }

  /** A hello, which asks for the services of the peer too; undefined after the first, and for a peer as upstream. */
  hello(): Buffer | undefined {
    if (this.#terms.kind === 'upstream' || this.#helloSentAt !== undefined) return undefined;
    this.#helloSentAt = this.#clock.now();
    return encodeFrame(PING, 0, encodeHello({ kind: 'hello', ...OURS }));
  }

  /** The services of the peer that we may reach; undefined before its answer, and if it is as upstream. */
  get services(): readonly Service[] | undefined {
    return this.#services;
  }

  /** @returns the pong, which has the same bytes; undefined for a hello, which `answers` answer */
  onPing(data: Buffer): Buffer | undefined {
    const hello = decodeHello(data);
    if (hello?.kind !== 'hello' || this.#terms.kind === 'upstream') return encodeFrame(PONG, 0, data);
    this.#onExtended(hello);
    return undefined;
  }

  /**
   * Our answer to the hello of the peer, which is also sent when its services change.
   * @param services that the peer may reach
   * @param size bytes of data that a frame may have
   */
  answers(services: readonly Service[], size: number): readonly Buffer[] {
    const parts = partsOf(services, size);
    return parts.map((part, index) => {
      const hasMore = index < parts.length - 1;
      return encodeFrame(PONG, 0, encodeHello({ kind: 'answer', ...OURS, services: part, hasMore }));
    });
  }

  /** @returns whether it was about the extension, and the round trip in ms when it is the first answer to our hello */
  onPong(data: Buffer): { readonly roundTrip: number | undefined } | undefined {
    if (this.#helloSentAt === undefined) return undefined;
    const hello = decodeHello(data);
    if (hello === undefined) return undefined;
    const isFirst = this.#terms.kind === 'unknown';
    if (hello.kind === 'answer') this.#onAnswer(hello);
    else this.onUpstreamFrame();
    return { roundTrip: isFirst ? this.#clock.now() - this.#helloSentAt : undefined };
  }

  #onAnswer(hello: Hello): void {
    this.#onExtended(hello);
    if (this.#terms.kind !== 'extended') return;
    const services = [...this.#received, ...(hello.services ?? [])].slice(0, MAX_SERVICES);
    this.#received = hello.hasMore ? services : [];
    if (!hello.hasMore) this.#services = services;
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
