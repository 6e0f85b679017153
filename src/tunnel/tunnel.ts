/**
 * One local stream and one tunnel. Two things end on their own: the line, when nothing more will be said about the tunnel's
 * id, and the local end, when the local program has all its bytes.
 *
 * On extended terms each direction ends with an eof; when both have, or one side resets, each says a last word (a fin or
 * the reset) and the id is free once both last words are said. On upstream's terms a fin of either side ends all at once.
 */
import type { Clock, Timer } from '../base/clock.js';
import { EOF, encodeFrame, FRAME_HEADER_SIZE, FROM_ACCEPTOR, RESET, TCP, TCP_FIN, WINDOW } from './frame.js';
import type { LocalEnd } from './local-end.js';
import { LocalReader } from './local-reader.js';
import { LocalWriter } from './local-writer.js';
import { encodeReason, type Reason } from './reasons.js';
import { ReceiveWindow } from './receive-window.js';
import type { LineUser, Terms, TunnelIdentity, TunnelLine } from './tunnel-line.js';

/** What an upstream peer, which knows no windows, may have waiting here for a slow program, bytes. */
const UPSTREAM_BACKLOG = 16 * 1024 * 1024;
/** ms that a program may go on talking to nobody, after an upstream peer closed both directions: a reset could cost it the last bytes. */
const LOCAL_LINGER = 30_000;
/** Credit never counts further, whatever windows a peer sends, bytes. */
const MAX_CREDIT = 0x4000_0000;

type LastWord =
  | { readonly kind: 'unsaid' }
  | { readonly kind: 'due'; readonly frame: Buffer }
  | { readonly kind: 'said' };

export class Tunnel implements LineUser {
  readonly identity: TunnelIdentity;
  readonly openedAt: number;
  readonly #line: TunnelLine;
  readonly #clock: Clock;
  readonly #local: LocalEnd;
  readonly #reader: LocalReader;
  readonly #writer: LocalWriter;
  readonly #upstreamLinger: number | undefined;
  readonly #window: ReceiveWindow | undefined;
  /** Bytes that the peer will take. */
  #credit: number;
  #sending: 'open' | 'ending' | 'ended' = 'open';
  #receiving: 'open' | 'ended' = 'open';
  #ourLastWord: LastWord = { kind: 'unsaid' };
  #isTheirLastWordSaid = false;
  #isLineOver = false;
  #isSourceOver = false;
  #isSinkOver = false;
  #isOver = false;
  #reason: Reason | undefined;
  #lastReceivedAt = 0;
  #timer: Timer | undefined;
  #bytesSent = 0;
  #bytesReceived = 0;

  constructor(
    deps: { readonly line: TunnelLine; readonly clock: Clock; readonly local: LocalEnd },
    options: { readonly identity: TunnelIdentity; readonly terms: Terms },
  ) {
    const { identity, terms } = options;
    this.identity = identity;
    this.#line = deps.line;
    this.#clock = deps.clock;
    this.#local = deps.local;
    this.openedAt = deps.clock.now();
    this.#upstreamLinger = terms.kind === 'upstream' ? terms.linger : undefined;
    this.#window = terms.kind === 'extended' ? new ReceiveWindow(terms.pool, this.openedAt) : undefined;
    this.#credit = terms.kind === 'extended' ? terms.credit : Number.POSITIVE_INFINITY;
    this.#reader = new LocalReader(
      deps.local.source,
      { type: this.#typeOf(TCP), id: identity.id, dataSize: deps.line.frameData },
      { onFrames: () => this.#line.wantTurn(this), onEnd: () => deps.local.confirmEnd(() => this.#onSourceEnd()) },
    );
    this.#writer = new LocalWriter(deps.local.sink, deps.clock, (bytes) => this.#onDelivered(bytes));
  }

  /** Begins to carry; after the ack is on its way. */
  start(): void {
    const { source, sink } = this.#local;
    sink.on('finish', () => this.#onSinkFinish());
    source.on('error', () => this.#onLocalBroken());
    sink.on('error', () => this.#onLocalBroken());
    // Streams close after their end too.
    source.on('close', () => this.#isSourceOver || this.#onLocalBroken());
    sink.on('close', () => this.#isSinkOver || this.#onLocalBroken());
    if (source.destroyed || sink.destroyed) this.#onLocalBroken();
    else this.#reader.start();
    if (this.#window !== undefined && this.#window.due > 0) this.#line.wantTurn(this);
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** Bytes that came and wait for the local program. */
  get backlog(): number {
    return this.#writer.pending;
  }

  /** Of the TCP connection of this machine; undefined when there is none, or it is over. */
  get localPort(): number | undefined {
    return this.#local.localPort;
  }

  /** The local end is over; what is left is between the two peers. */
  get isClosing(): boolean {
    return this.#isSourceOver && this.#isSinkOver;
  }

  /** Breaks both directions, and tells the peer why. */
  close(reason: Reason): void {
    this.#breakLocal(reason);
    if (this.#window === undefined) this.#owe(TCP_FIN);
    else this.#owe(RESET, encodeReason(reason));
  }

  // What the peer says

  onData(data: Buffer): void {
    if (this.#ourLastWord.kind !== 'unsaid') return; // was under way when this side closed
    const fits = this.#window?.onReceived(data.length) ?? this.#writer.pending + data.length <= UPSTREAM_BACKLOG;
    if (this.#receiving === 'ended' || !fits) {
      this.close(fits ? 'failed' : 'overflow');
      return;
    }
    this.#bytesReceived += data.length;
    this.#writer.write(data);
    this.#line.onBacklog(data.length);
    if (this.#upstreamLinger !== undefined) this.#lastReceivedAt = this.#clock.now();
  }

  onWindow(bytes: number): void {
    this.#credit = Math.min(MAX_CREDIT, this.#credit + bytes);
    if (this.#reader.next !== undefined) this.#line.wantTurn(this);
  }

  onEof(): void {
    if (this.#window === undefined || this.#receiving === 'ended') return;
    this.#receiving = 'ended';
    this.#writer.end();
    if (this.#sending === 'ended') this.#owe(TCP_FIN);
  }

  onFin(): void {
    const isOrderly = this.#window === undefined || (this.#sending === 'ended' && this.#receiving === 'ended');
    if (!isOrderly) this.#breakLocal('closed-by-peer');
    this.#isTheirLastWordSaid = true;
    if (this.#window === undefined) this.#onUpstreamEnd();
    else this.#owe(TCP_FIN);
    this.#checkLine();
  }

  onReset(reason: Reason): void {
    this.#isTheirLastWordSaid = true;
    this.#breakLocal(reason);
    this.#owe(TCP_FIN);
    this.#checkLine();
  }

  /** The peer is away: what it has not finished saying is broken; what it has is still delivered. */
  onLinkClosed(): void {
    const isComplete = this.#sending === 'ended' && this.#receiving === 'ended';
    this.#ourLastWord = { kind: 'said' };
    this.#isTheirLastWordSaid = true;
    if (!isComplete) this.#breakLocal('peer-gone');
    this.#checkLine();
  }

  // Sending

  takeTurn(limit: number): 'idle' | 'more' | 'full' {
    if (this.#ourLastWord.kind === 'said') return 'idle';
    if (this.#ourLastWord.kind === 'due') return this.#sayLastWord(this.#ourLastWord.frame);
    if (!this.#sendGrant()) return 'full';
    for (let count = 0; count < limit; count += 1) {
      const frame = this.#reader.next;
      if (frame === undefined) break;
      const size = frame.length - FRAME_HEADER_SIZE;
      if (size > this.#credit) return 'idle';
      if (!this.#line.send(frame)) return 'full';
      this.#credit -= size;
      this.#bytesSent += size;
      this.#reader.shift();
    }
    if (this.#reader.next !== undefined) return 'more';
    return this.#sending === 'ending' ? this.#sendEnd() : 'idle';
  }

  #sendGrant(): boolean {
    if (this.#window === undefined || this.#window.due === 0 || this.#receiving === 'ended') return true;
    const grant = Buffer.allocUnsafe(4);
    grant.writeUInt32BE(this.#window.due);
    if (!this.#line.send(encodeFrame(this.#typeOf(WINDOW), this.identity.id, grant))) return false;
    this.#window.onGranted();
    return true;
  }

  #sendEnd(): 'idle' | 'full' {
    if (this.#upstreamLinger !== undefined) {
      this.#sending = 'ended';
      this.#lastReceivedAt = this.#clock.now();
      this.#awaitSilence(this.#upstreamLinger);
      return 'idle';
    }
    if (!this.#line.send(encodeFrame(this.#typeOf(EOF), this.identity.id))) return 'full';
    this.#sending = 'ended';
    if (this.#receiving === 'open') return 'idle';
    return this.#sayLastWord(encodeFrame(this.#typeOf(TCP_FIN), this.identity.id));
  }

  #owe(type: number, data?: Buffer): void {
    if (this.#ourLastWord.kind !== 'unsaid') return;
    this.#ourLastWord = { kind: 'due', frame: encodeFrame(this.#typeOf(type), this.identity.id, data) };
    this.#line.wantTurn(this);
  }

  #sayLastWord(frame: Buffer): 'idle' | 'full' {
    const isTaken = this.#line.send(frame);
    this.#ourLastWord = isTaken ? { kind: 'said' } : { kind: 'due', frame };
    if (!isTaken) return 'full';
    this.#checkLine();
    return 'idle';
  }

  /** Upstream knows no half-close, so silence has to tell that it has nothing more to say to a program that ended. */
  #awaitSilence(linger: number): void {
    const silence = this.#clock.now() - this.#lastReceivedAt;
    this.#timer?.cancel();
    if (silence < linger) {
      this.#timer = this.#clock.after(linger - silence, () => this.#awaitSilence(linger));
      return;
    }
    this.#owe(TCP_FIN);
    this.#onUpstreamEnd();
  }

  #onUpstreamEnd(): void {
    this.#timer?.cancel();
    this.#sending = 'ended';
    this.#receiving = 'ended';
    this.#reader.discard();
    this.#writer.end();
  }

  #checkLine(): void {
    const isSaid = this.#ourLastWord.kind === 'said';
    const isOver =
      this.#window === undefined ? isSaid || this.#isTheirLastWordSaid : isSaid && this.#isTheirLastWordSaid;
    if (!isOver || this.#isLineOver) return;
    this.#ourLastWord = { kind: 'said' };
    this.#isLineOver = true;
    this.#line.onLineOver(this);
    this.#checkOver();
  }

  // The local program

  #onSourceEnd(): void {
    this.#isSourceOver = true;
    if (this.#sending === 'open') {
      this.#sending = 'ending';
      this.#line.wantTurn(this);
    }
    this.#checkOver();
  }

  #onSinkFinish(): void {
    this.#isSinkOver = true;
    if (!this.#isSourceOver && this.#isLineOver) {
      const linger = this.#local.lingers ? LOCAL_LINGER : 0;
      this.#timer = this.#clock.after(linger, () => this.#onSourceEnd());
    }
    this.#checkOver();
  }

  #onLocalBroken(): void {
    if (!this.#isLineOver) this.close('connection-reset');
    else this.#breakLocal(this.#isSinkOver ? undefined : 'connection-reset');
  }

  #breakLocal(reason: Reason | undefined): void {
    this.#timer?.cancel();
    this.#reason ??= reason;
    if (this.#isSourceOver && this.#isSinkOver) return;
    this.#isSourceOver = true;
    this.#isSinkOver = true;
    this.#sending = 'ended';
    this.#receiving = 'ended';
    this.#reader.discard();
    this.#line.onBacklog(-this.#writer.pending);
    this.#writer.discard();
    this.#local.reset(reason ?? 'closed-by-peer');
    this.#checkOver();
  }

  #onDelivered(bytes: number): void {
    this.#line.onBacklog(-bytes);
    if (this.#window === undefined || this.#receiving === 'ended') return;
    const isDue = this.#window.onDelivered(bytes, this.#clock.now(), this.#line.roundTrip());
    if (isDue) this.#line.wantTurn(this);
  }

  #checkOver(): void {
    if (this.#isOver || !this.#isLineOver || !this.#isSourceOver || !this.#isSinkOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#window?.close();
    this.#local.destroy();
    this.#line.onOver(this, this.#reason);
  }

  /** On upstream's terms the direction does not show in the type. */
  #typeOf(type: number): number {
    return this.#window !== undefined && this.identity.side === 'acceptor' ? type | FROM_ACCEPTOR : type;
  }
}
