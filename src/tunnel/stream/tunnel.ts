/**
 * One tunnel, between a link and a local program. Its two sides end separately: the link's when nothing more will be sent or received
 * about the tunnel's id, the program's when it has all its bytes.
 *
 * On extended terms each direction ends with an eof. When both have, or one side resets, each side sends a last frame (a fin or the
 * reset), and the id is free once both are sent. On upstream's terms a fin of either side ends everything at once.
 */
import type { Clock } from '../../base/clock.js';
import { EOF, encodeFrame, FRAME_HEADER_SIZE, FROM_ACCEPTOR, RESET, TCP, TCP_FIN, WINDOW } from '../wire/frame.js';
import { encodeReason, type Reason } from '../wire/reasons.js';
import type { Target } from '../wire/target.js';
import { CloseHandshake } from './close-handshake.js';
import type { FrameSource } from './frame-scheduler.js';
import { IdleTimeout } from './idle-timeout.js';
import type { LocalEnd } from './local-end.js';
import { LocalReader } from './local-reader.js';
import { LocalWriter } from './local-writer.js';
import type { RateLimit, RateWaiter } from './rate-limit.js';
import { ReceiveWindow, type WindowPool } from './receive-window.js';

/** Bytes that may wait here for a slow program of an upstream peer, which has no windows. */
const UPSTREAM_BACKLOG = 16 * 1024 * 1024;
/** Credit is limited to this, whatever windows a peer sends, bytes. */
const MAX_CREDIT = 0x4000_0000;

export type Terms =
  /** `linger`: ms without data, after the local program's end, that count as the peer's end. */
  | { readonly kind: 'upstream'; readonly linger: number }
  /** `credit`: bytes that the peer takes before its first window frame. */
  | { readonly kind: 'extended'; readonly credit: number; readonly pool: WindowPool };

export interface TunnelIdentity {
  readonly id: number;
  readonly side: 'opener' | 'acceptor';
  readonly target: Target;
  /** What the target stood for when it was connected to; only of an accepted tunnel whose target is a service. */
  readonly destination?: Target | undefined;
  /** That of the request, by which early data names it; only of an accepted tunnel. */
  readonly forwardId?: number | undefined;
  /** That of the request, by which people name it; undefined if it had none. */
  readonly number?: number | undefined;
}

/** How fast tunnels carry, those of a peer together. */
export interface RateLimits {
  readonly toPeer: RateLimit;
  /** Without effect on upstream's terms: without a window, bytes that have to wait would be too many at some time. */
  readonly fromPeer: RateLimit;
}

/** What a tunnel needs of the link that carries it. */
export interface TunnelLink {
  /** Bytes of data that a frame may have now. */
  frameData(): number;
  /** Called only within `sendUpTo`. */
  send(frame: Buffer): boolean;
  schedule(tunnel: FrameSource): void;
  /** ms */
  roundTrip(): number;
  /** @param change bytes that wait for the local program, more or less than before */
  onBacklog(change: number): void;
  /** The tunnel's id may be used again. */
  onIdFree(tunnel: CarriedTunnel): void;
  /** The local end is over too. @param reason undefined when the tunnel ended in good order */
  onClosed(tunnel: CarriedTunnel, reason: Reason | undefined): void;
}

/** A tunnel of either kind, for its link and for those who list it. */
export interface CarriedTunnel extends FrameSource {
  readonly identity: TunnelIdentity;
  /** ms of the clock. */
  readonly openedAt: number;
  /** Bytes to the peer, and from it. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Received bytes that wait for the local program. */
  readonly backlog: number;
  /** Port of our side of the local connection; undefined when there is no connection. */
  readonly localPort: number | undefined;
  /** Address of the other side of the local connection: of the target, where the tunnel was accepted. */
  readonly remoteAddress: string | undefined;
  /** Whether the local end is over; what is left is between the two peers. */
  readonly isClosing: boolean;
  /** Begins to carry; after the ack is queued. */
  start(): void;
  /** Breaks both directions, and tells the peer why. */
  close(reason: Reason): void;
  onData(data: Buffer): void;
  /** Ignored on upstream's terms, which have no windows. */
  onWindow(bytes: number): void;
  onEof(): void;
  onFin(): void;
  onReset(reason: Reason): void;
  /** The peer has gone offline: unfinished directions are broken, and bytes that it sent are still delivered. */
  onLinkClosed(): void;
}

/** A tunnel of bytes. */
export class Tunnel implements CarriedTunnel {
  readonly identity: TunnelIdentity;
  readonly openedAt: number;
  readonly #link: TunnelLink;
  readonly #clock: Clock;
  readonly #local: LocalEnd;
  readonly #reader: LocalReader;
  readonly #writer: LocalWriter;
  readonly #closing: CloseHandshake;
  /** On upstream's terms. */
  readonly #idle: IdleTimeout | undefined;
  /** On extended terms. */
  readonly #window: ReceiveWindow | undefined;
  readonly #limit: RateLimit | undefined;
  readonly #waiter: RateWaiter = { onRoom: () => this.#link.schedule(this) };
  /** Bytes that the peer will take. */
  #credit: number;
  #sending: 'open' | 'ending' | 'ended' = 'open';
  #receiving: 'open' | 'ended' = 'open';
  #isIdFree = false;
  #isClosed = false;
  #reason: Reason | undefined;
  #bytesSent = 0;
  #bytesReceived = 0;

  /** @param options.sentEarly bytes that were sent before the answer */
  constructor(
    deps: {
      readonly link: TunnelLink;
      readonly clock: Clock;
      readonly local: LocalEnd;
      readonly limits?: RateLimits | undefined;
    },
    options: { readonly identity: TunnelIdentity; readonly terms: Terms; readonly sentEarly?: number | undefined },
  ) {
    const { link, clock, local, limits } = deps;
    const { identity, terms, sentEarly = 0 } = options;
    this.identity = identity;
    this.#link = link;
    this.#clock = clock;
    this.#local = local;
    this.openedAt = clock.now();
    this.#closing = new CloseHandshake({ needsBoth: terms.kind === 'extended' });
    this.#idle = terms.kind === 'upstream' ? new IdleTimeout(clock, terms.linger, () => this.#onIdle()) : undefined;
    const limit = terms.kind === 'extended' ? limits?.fromPeer : undefined;
    this.#window =
      terms.kind === 'extended' ? new ReceiveWindow(terms.pool, this.openedAt, limit?.isLimited) : undefined;
    this.#limit = limits?.toPeer;
    this.#credit = terms.kind === 'extended' ? terms.credit - sentEarly : Number.POSITIVE_INFINITY;
    this.#bytesSent = sentEarly;
    this.#limit?.spend(this.#waiter, sentEarly);
    const onError = (): void => this.#onLocalError();
    const frame = { type: this.#typeOf(TCP), id: identity.id, dataSize: () => link.frameData() };
    this.#reader = new LocalReader({ clock, end: local }, frame, {
      onFrames: () => link.schedule(this),
      onEnd: () => this.#onLocalEnd(),
      onError,
    });
    this.#writer = new LocalWriter(
      { clock, sink: local.sink, limit },
      { onDelivered: (bytes) => this.#onDelivered(bytes), onFinish: () => this.#onLocalFinish(), onError },
    );
  }

  start(): void {
    this.#writer.start();
    this.#reader.start();
    if (this.#window !== undefined && this.#window.due > 0) this.#link.schedule(this);
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  get backlog(): number {
    return this.#writer.pending;
  }

  get localPort(): number | undefined {
    return this.#local.localPort;
  }

  get remoteAddress(): string | undefined {
    return this.#local.remoteAddress;
  }

  get isClosing(): boolean {
    return this.#reader.isDone && this.#writer.isDone;
  }

  close(reason: Reason): void {
    this.#breakLocal(reason);
    if (this.#window === undefined) this.#sendLast(TCP_FIN);
    else this.#sendLast(RESET, encodeReason(reason));
  }

  // Frames of the peer

  onData(data: Buffer): void {
    if (this.#closing.isStarted) return; // was in flight when this side closed
    const fits = this.#window?.onReceived(data.length) ?? this.backlog + data.length <= UPSTREAM_BACKLOG;
    if (this.#receiving === 'ended' || !fits) {
      this.close(fits ? 'failed' : 'overflow');
      return;
    }
    this.#bytesReceived += data.length;
    this.#writer.write(data);
    this.#link.onBacklog(data.length);
    this.#idle?.onData();
  }

  onWindow(bytes: number): void {
    if (this.#window === undefined) return;
    this.#credit = Math.min(MAX_CREDIT, this.#credit + bytes);
    if (this.#reader.next !== undefined) this.#link.schedule(this);
  }

  onEof(): void {
    if (this.#window === undefined || this.#receiving === 'ended') return;
    this.#receiving = 'ended';
    this.#writer.end();
    if (this.#sending === 'ended') this.#sendLast(TCP_FIN);
  }

  onFin(): void {
    const isOrderly = this.#window === undefined || (this.#sending === 'ended' && this.#receiving === 'ended');
    if (!isOrderly) this.#breakLocal('closed-by-peer');
    this.#closing.onPeerClosed();
    if (this.#window === undefined) this.#onUpstreamEnd();
    else this.#sendLast(TCP_FIN);
    this.#checkId();
  }

  onReset(reason: Reason): void {
    this.#closing.onPeerClosed();
    this.#breakLocal(reason);
    this.#sendLast(TCP_FIN);
    this.#checkId();
  }

  onLinkClosed(): void {
    const isComplete = this.#sending === 'ended' && this.#receiving === 'ended';
    this.#closing.abandon();
    if (!isComplete) this.#breakLocal('connection-lost');
    this.#checkId();
  }

  // Sending

  sendUpTo(limit: number): 'idle' | 'more' | 'full' {
    if (this.#closing.isStarted) return this.#sendPending();
    if (!this.#sendGrant()) return 'full';
    for (let sent = 0; sent < limit; ) {
      const frame = this.#reader.next;
      if (frame === undefined) break;
      const size = frame.length - FRAME_HEADER_SIZE;
      if (size > this.#credit || this.#limit?.room(this.#waiter) === 0) return 'idle';
      if (!this.#link.send(frame)) return 'full';
      this.#limit?.spend(this.#waiter, size);
      this.#credit -= size;
      this.#bytesSent += size;
      sent += frame.length;
      this.#reader.shift();
    }
    if (this.#reader.next !== undefined) return 'more';
    return this.#sending === 'ending' ? this.#sendEnd() : 'idle';
  }

  #sendGrant(): boolean {
    if (this.#window === undefined || this.#window.due === 0 || this.#receiving === 'ended') return true;
    const grant = Buffer.allocUnsafe(4);
    grant.writeUInt32BE(this.#window.due);
    if (!this.#link.send(this.#encode(WINDOW, grant))) return false;
    this.#window.onGranted();
    return true;
  }

  #sendEnd(): 'idle' | 'full' {
    if (this.#idle !== undefined) {
      this.#sending = 'ended';
      this.#idle.start();
      return 'idle';
    }
    if (!this.#link.send(this.#encode(EOF))) return 'full';
    this.#sending = 'ended';
    if (this.#receiving === 'open') return 'idle';
    this.#closing.queue(this.#encode(TCP_FIN));
    return this.#sendPending();
  }

  #sendLast(type: number, data?: Buffer): void {
    if (this.#closing.queue(this.#encode(type, data))) this.#link.schedule(this);
  }

  #sendPending(): 'idle' | 'full' {
    const { pending } = this.#closing;
    if (pending === undefined) return 'idle';
    if (!this.#link.send(pending)) return 'full';
    this.#closing.onSent();
    this.#checkId();
    return 'idle';
  }

  #encode(type: number, data?: Buffer): Buffer {
    return encodeFrame(this.#typeOf(type), this.identity.id, data);
  }

  /** On upstream's terms the direction does not show in the type. */
  #typeOf(type: number): number {
    return this.#window !== undefined && this.identity.side === 'acceptor' ? type | FROM_ACCEPTOR : type;
  }

  // The end

  #onIdle(): void {
    this.#sendLast(TCP_FIN);
    this.#onUpstreamEnd();
  }

  #onUpstreamEnd(): void {
    this.#idle?.stop();
    this.#sending = 'ended';
    this.#receiving = 'ended';
    this.#reader.discard();
    this.#writer.end();
  }

  #checkId(): void {
    if (!this.#closing.isComplete || this.#isIdFree) return;
    this.#closing.abandon();
    this.#isIdFree = true;
    this.#limit?.leave(this.#waiter);
    // The peer may be gone, and its target could keep our memory forever. A program of this side's owner may take its time.
    if (this.identity.side === 'acceptor') this.#writer.watchProgress(() => this.#breakLocal('overflow'));
    this.#link.onIdFree(this);
    this.#checkClosed();
  }

  #onLocalEnd(): void {
    if (this.#sending === 'open') {
      this.#sending = 'ending';
      this.#link.schedule(this);
    }
    this.#checkClosed();
  }

  #onLocalFinish(): void {
    if (!this.#reader.isDone && this.#isIdFree) this.#reader.linger();
    this.#checkClosed();
  }

  #onLocalError(): void {
    if (!this.#isIdFree) this.close('connection-reset');
    else this.#breakLocal(this.#writer.isDone ? undefined : 'connection-reset');
  }

  #breakLocal(reason: Reason | undefined): void {
    this.#idle?.stop();
    this.#reason ??= reason;
    if (this.isClosing) return;
    this.#sending = 'ended';
    this.#receiving = 'ended';
    const { backlog } = this;
    this.#reader.abort();
    this.#writer.abort();
    this.#local.reset(reason ?? 'closed-by-peer');
    this.#link.onBacklog(-backlog);
    this.#checkClosed();
  }

  #onDelivered(bytes: number): void {
    this.#link.onBacklog(-bytes);
    if (this.#window === undefined || this.#receiving === 'ended') return;
    const isDue = this.#window.onDelivered(bytes, this.#clock.now(), this.#link.roundTrip());
    if (isDue) this.#link.schedule(this);
  }

  #checkClosed(): void {
    if (!this.isClosing) return;
    this.#reader.stop();
    this.#writer.stop();
    if (this.#isClosed || !this.#isIdFree) return;
    this.#isClosed = true;
    this.#idle?.stop();
    this.#window?.close();
    this.#local.destroy();
    this.#link.onClosed(this, this.#reason);
  }
}
