/**
 * Early data: what a program sends before its request is answered goes to the peer at once, so that the answer of a program that is
 * spoken to needs one round trip, as with TCP Fast Open (RFC 7413). It is read from the source only when it is sent; what is left there
 * is the tunnel's.
 */
import type { Readable } from 'node:stream';
import type { FrameScheduler, FrameSource } from '../stream/frame-scheduler.js';
import { earlySize, encodeEarly, MAX_EARLY } from '../wire/request.js';

interface EarlySenderDeps {
  readonly scheduler: FrameScheduler;
  /** Not read by anybody else until `stop`. */
  readonly source: Readable;
  /** Bytes of data that a frame may have now. */
  readonly frameData: () => number;
}

export class EarlySender implements FrameSource {
  readonly #deps: EarlySenderDeps;
  readonly #forwardId: number;
  #sent = 0;

  /** Sends from now on; the request was sent before. */
  constructor(deps: EarlySenderDeps, forwardId: number) {
    this.#deps = deps;
    this.#forwardId = forwardId;
    deps.source.on('readable', this.#onReadable);
  }

  /** Bytes. */
  get sent(): number {
    return this.#sent;
  }

  stop(): void {
    const { scheduler, source } = this.#deps;
    source.off('readable', this.#onReadable);
    scheduler.remove(this);
  }

  sendUpTo(limit: number): 'idle' | 'more' | 'full' {
    const { scheduler, source, frameData } = this.#deps;
    for (const before = this.#sent; this.#sent - before < limit; ) {
      const size = Math.min(MAX_EARLY - this.#sent, earlySize(frameData()), source.readableLength);
      // To read when there is nothing would end the source, before the tunnel listens.
      const bytes = size > 0 ? (source.read(size) as Buffer | null) : null;
      if (bytes === null) return 'idle';
      if (!scheduler.send(encodeEarly(this.#forwardId, bytes))) {
        source.unshift(bytes);
        return 'full';
      }
      this.#sent += bytes.length;
    }
    return 'more';
  }

  readonly #onReadable = (): void => this.#deps.scheduler.schedule(this);
}
