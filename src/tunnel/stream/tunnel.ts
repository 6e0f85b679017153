/**
 * One tunnel, between a line and a local program. The two end on their own: the line when nothing more will be said about the
 * tunnel's id, the program when it has all its bytes.
 *
 * On extended terms each direction ends with an eof; when both have, or one side resets, each says a last word (a fin or
 * the reset) and the id is free once both last words are said. On upstream's terms a fin of either side ends all at once.
 */
import type { Clock } from '../../base/clock.js';
import { EOF, encodeFrame, FRAME_HEADER_SIZE, FROM_ACCEPTOR, RESET, TCP, TCP_FIN, WINDOW } from '../wire/frame.js';
import { encodeReason, type Reason } from '../wire/reasons.js';
import { LastWords } from './close-handshake.js';
import { UpstreamSilence } from './idle-timeout.js';
import type { LocalEnd } from './local-end.js';
import { LocalProgram } from './local-program.js';
import { ReceiveWindow } from './receive-window.js';
import type { LineUser, Terms, TunnelIdentity, TunnelLine } from './tunnel-line.js';

/** What an upstream peer, which knows no windows, may have waiting here for a slow program, bytes. */
const UPSTREAM_BACKLOG = 16 * 1024 * 1024;
/** Credit never counts further, whatever windows a peer sends, bytes. */
const MAX_CREDIT = 0x4000_0000;

export class Tunnel implements LineUser {
  readonly identity: TunnelIdentity;
  readonly openedAt: number;
  readonly #line: TunnelLine;
  readonly #clock: Clock;
  readonly #program: LocalProgram;
  readonly #lastWords: LastWords;
  /** On upstream's terms. */
  readonly #silence: UpstreamSilence | undefined;
  /** On extended terms. */
  readonly #window: ReceiveWindow | undefined;
  /** Bytes that the peer will take. */
  #credit: number;
  #sending: 'open' | 'ending' | 'ended' = 'open';
  #receiving: 'open' | 'ended' = 'open';
  #isLineOver = false;
  #isOver = false;
  #reason: Reason | undefined;
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
    this.openedAt = deps.clock.now();
    this.#lastWords = new LastWords({ needsBoth: terms.kind === 'extended' });
    if (terms.kind === 'upstream') {
      this.#silence = new UpstreamSilence(deps.clock, terms.linger, () => this.#onUpstreamSilent());
    }
    this.#window = terms.kind === 'extended' ? new ReceiveWindow(terms.pool, this.openedAt) : undefined;
    this.#credit = terms.kind === 'extended' ? terms.credit : Number.POSITIVE_INFINITY;
    this.#program = new LocalProgram(
      { clock: deps.clock, end: deps.local },
      { type: this.#typeOf(TCP), id: identity.id, dataSize: () => deps.line.frameData() },
      {
        onFrames: () => this.#line.wantTurn(this),
        onSaidAll: () => this.#onSaidAll(),
        onDelivered: (bytes) => this.#onDelivered(bytes),
        onHasAll: () => this.#onHasAll(),
        onBroken: () => this.#onLocalBroken(),
      },
    );
  }

  /** Begins to carry; after the ack is on its way. */
  start(): void {
    this.#program.start();
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
    return this.#program.pending;
  }

  /** Of the TCP connection of this machine; undefined when there is none, or it is over. */
  get localPort(): number | undefined {
    return this.#program.localPort;
  }

  /** Of the other end of that connection. */
  get remoteAddress(): string | undefined {
    return this.#program.remoteAddress;
  }

  /** The local end is over; what is left is between the two peers. */
  get isClosing(): boolean {
    return this.#program.isOver;
  }

  /** Breaks both directions, and tells the peer why. */
  close(reason: Reason): void {
    this.#breakLocal(reason);
    if (this.#window === undefined) this.#owe(TCP_FIN);
    else this.#owe(RESET, encodeReason(reason));
  }

  // What the peer says

  onData(data: Buffer): void {
    if (this.#lastWords.isSettled) return; // was under way when this side closed
    const fits = this.#window?.onReceived(data.length) ?? this.#program.pending + data.length <= UPSTREAM_BACKLOG;
    if (this.#receiving === 'ended' || !fits) {
      this.close(fits ? 'failed' : 'overflow');
      return;
    }
    this.#bytesReceived += data.length;
    this.#program.write(data);
    this.#line.onBacklog(data.length);
    this.#silence?.heard();
  }

  /** On upstream's terms there are no windows, and a frame of that type means nothing. */
  onWindow(bytes: number): void {
    if (this.#window === undefined) return;
    this.#credit = Math.min(MAX_CREDIT, this.#credit + bytes);
    if (this.#program.next !== undefined) this.#line.wantTurn(this);
  }

  onEof(): void {
    if (this.#window === undefined || this.#receiving === 'ended') return;
    this.#receiving = 'ended';
    this.#program.end();
    if (this.#sending === 'ended') this.#owe(TCP_FIN);
  }

  onFin(): void {
    const isOrderly = this.#window === undefined || (this.#sending === 'ended' && this.#receiving === 'ended');
    if (!isOrderly) this.#breakLocal('closed-by-peer');
    this.#lastWords.noteTheirs();
    if (this.#window === undefined) this.#onUpstreamEnd();
    else this.#owe(TCP_FIN);
    this.#checkLine();
  }

  onReset(reason: Reason): void {
    this.#lastWords.noteTheirs();
    this.#breakLocal(reason);
    this.#owe(TCP_FIN);
    this.#checkLine();
  }

  /** The peer is away: what it has not finished saying is broken; what it has is still delivered. */
  onLinkClosed(): void {
    const isComplete = this.#sending === 'ended' && this.#receiving === 'ended';
    this.#lastWords.silence();
    if (!isComplete) this.#breakLocal('peer-gone');
    this.#checkLine();
  }

  // Sending

  takeTurn(limit: number): 'idle' | 'more' | 'full' {
    if (this.#lastWords.isSettled) return this.#sayLastWord();
    if (!this.#sendGrant()) return 'full';
    for (let sent = 0; sent < limit; ) {
      const frame = this.#program.next;
      if (frame === undefined) break;
      const size = frame.length - FRAME_HEADER_SIZE;
      if (size > this.#credit) return 'idle';
      if (!this.#line.send(frame)) return 'full';
      this.#credit -= size;
      this.#bytesSent += size;
      sent += frame.length;
      this.#program.shift();
    }
    if (this.#program.next !== undefined) return 'more';
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
    if (this.#silence !== undefined) {
      this.#sending = 'ended';
      this.#silence.begin();
      return 'idle';
    }
    if (!this.#line.send(encodeFrame(this.#typeOf(EOF), this.identity.id))) return 'full';
    this.#sending = 'ended';
    if (this.#receiving === 'open') return 'idle';
    this.#lastWords.owe(encodeFrame(this.#typeOf(TCP_FIN), this.identity.id));
    return this.#sayLastWord();
  }

  #owe(type: number, data?: Buffer): void {
    if (this.#lastWords.owe(encodeFrame(this.#typeOf(type), this.identity.id, data))) this.#line.wantTurn(this);
  }

  #sayLastWord(): 'idle' | 'full' {
    const { due } = this.#lastWords;
    if (due === undefined) return 'idle';
    if (!this.#line.send(due)) return 'full';
    this.#lastWords.noteSaid();
    this.#checkLine();
    return 'idle';
  }

  #onUpstreamSilent(): void {
    this.#owe(TCP_FIN);
    this.#onUpstreamEnd();
  }

  #onUpstreamEnd(): void {
    this.#silence?.stop();
    this.#sending = 'ended';
    this.#receiving = 'ended';
    this.#program.ignore();
    this.#program.end();
  }

  #checkLine(): void {
    if (!this.#lastWords.areSaid || this.#isLineOver) return;
    this.#lastWords.silence();
    this.#isLineOver = true;
    // The peer need not be there any more, and its target could keep our memory for ever. A program of this side's owner may take its time.
    if (this.identity.side === 'acceptor') this.#program.watchTaking(() => this.#breakLocal('overflow'));
    this.#line.onLineOver(this);
    this.#checkOver();
  }

  // The local program

  #onSaidAll(): void {
    if (this.#sending === 'open') {
      this.#sending = 'ending';
      this.#line.wantTurn(this);
    }
    this.#checkOver();
  }

  #onHasAll(): void {
    if (!this.#program.hasSaidAll && this.#isLineOver) this.#program.linger();
    this.#checkOver();
  }

  #onLocalBroken(): void {
    if (!this.#isLineOver) this.close('connection-reset');
    else this.#breakLocal(this.#program.hasAll ? undefined : 'connection-reset');
  }

  #breakLocal(reason: Reason | undefined): void {
    this.#silence?.stop();
    this.#reason ??= reason;
    if (this.#program.isOver) return;
    this.#sending = 'ended';
    this.#receiving = 'ended';
    const { pending } = this.#program;
    this.#program.reset(reason ?? 'closed-by-peer');
    this.#line.onBacklog(-pending);
    this.#checkOver();
  }

  #onDelivered(bytes: number): void {
    this.#line.onBacklog(-bytes);
    if (this.#window === undefined || this.#receiving === 'ended') return;
    const isDue = this.#window.onDelivered(bytes, this.#clock.now(), this.#line.roundTrip());
    if (isDue) this.#line.wantTurn(this);
  }

  #checkOver(): void {
    if (this.#isOver || !this.#isLineOver || !this.#program.isOver) return;
    this.#isOver = true;
    this.#silence?.stop();
    this.#window?.close();
    this.#program.destroy();
    this.#line.onOver(this, this.#reason);
  }

  /** On upstream's terms the direction does not show in the type. */
  #typeOf(type: number): number {
    return this.#window !== undefined && this.identity.side === 'acceptor' ? type | FROM_ACCEPTOR : type;
  }
}
