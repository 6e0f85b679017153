/**
 * A UDP session: a tunnel whose local end has datagrams. They are lossy packets, so none waits for another; the tunnel's frames open
 * and close it as any other. Only between extended peers.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { MemoryShare } from '../../base/memory-budget.js';
import { CloseHandshake } from '../stream/close-handshake.js';
import type { DatagramEnd } from '../stream/datagram-end.js';
import type { CarriedTunnel, RateLimits, TunnelIdentity, TunnelLink } from '../stream/tunnel.js';
import { encodeFrame, FROM_ACCEPTOR, RESET, TCP_FIN } from '../wire/frame.js';
import { encodeReason, type Reason } from '../wire/reasons.js';
import { type DatagramPacket, encodeDatagram, MAX_DATAGRAM } from './datagram-packet.js';
import { REASSEMBLY_TIME, Reassembly } from './reassembly.js';

/** ms without a datagram in either direction after which the opener ends a session; the acceptor does where the opener does not. */
const IDLE_TIME = { opener: 60_000, acceptor: 90_000 } as const;

export interface DatagramLink extends Pick<TunnelLink, 'send' | 'schedule' | 'onIdFree' | 'onClosed'> {
  /** Bytes of a lossy packet on this channel now. */
  packetSize(): number;
  /** @returns false when it is lost here */
  sendLossy(packet: Buffer): boolean;
}

export class DatagramTunnel implements CarriedTunnel {
  readonly identity: TunnelIdentity;
  readonly openedAt: number;
  /** Nothing waits: what cannot be delivered is lost. */
  readonly backlog = 0;
  readonly #link: DatagramLink;
  readonly #clock: Clock;
  readonly #local: DatagramEnd;
  readonly #reassembly: Reassembly;
  readonly #limits: RateLimits | undefined;
  readonly #closing = new CloseHandshake({ needsBoth: true });
  #activeAt: number;
  #idle: Timer | undefined;
  #purge: Timer | undefined;
  #number = 0;
  #bytesSent = 0;
  #bytesReceived = 0;
  #isLocalOver = false;
  #isClosed = false;
  #reason: Reason | undefined;

  /** @param deps.memory for fragments that wait for others */
  constructor(
    deps: {
      readonly link: DatagramLink;
      readonly clock: Clock;
      readonly local: DatagramEnd;
      readonly memory: MemoryShare;
      readonly limits?: RateLimits | undefined;
    },
    identity: TunnelIdentity,
  ) {
    this.identity = identity;
    this.#link = deps.link;
    this.#clock = deps.clock;
    this.#local = deps.local;
    this.#reassembly = new Reassembly(deps.memory);
    this.#limits = deps.limits;
    this.openedAt = deps.clock.now();
    this.#activeAt = this.openedAt;
  }

  start(): void {
    this.#checkIdle();
    this.#local.start({
      onDatagram: (bytes) => this.#sendDatagram(bytes),
      onFailed: (reason) => this.close(reason),
      onEnd: () => this.#end(),
    });
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  get localPort(): number | undefined {
    return this.#local.localPort;
  }

  get remoteAddress(): string | undefined {
    return this.#local.remoteAddress;
  }

  get isClosing(): boolean {
    return this.#isLocalOver;
  }

  close(reason: Reason): void {
    this.#finishLocal(reason);
    this.#sendLast(RESET, encodeReason(reason));
  }

  /** A lossy packet of the peer for this tunnel. */
  onPacket({ fragment, bytes }: DatagramPacket): void {
    if (this.#isLocalOver) return;
    this.#activeAt = this.#clock.now();
    if (this.#limits?.fromPeer.police(bytes.length) === false) return;
    const whole = fragment === undefined ? bytes : this.#reassembly.add(fragment, bytes, this.#activeAt);
    if (whole === undefined) {
      this.#purge ??= this.#clock.after(REASSEMBLY_TIME, () => this.#onPurge());
      return;
    }
    this.#bytesReceived += whole.length;
    this.#local.send(whole);
  }

  onFin(): void {
    this.onReset(undefined);
  }

  onReset(reason: Reason | undefined): void {
    this.#finishLocal(reason);
    this.#closing.onPeerClosed();
    this.#sendLast(TCP_FIN);
    this.#checkClosed();
  }

  onLinkClosed(): void {
    this.#finishLocal('connection-lost');
    this.#closing.abandon();
    this.#checkClosed();
  }

  // Frames of streams mean nothing here.

  onData(): void {}

  onWindow(): void {}

  onEof(): void {}

  sendUpTo(): 'idle' | 'full' {
    const { pending } = this.#closing;
    if (pending === undefined) return 'idle';
    if (!this.#link.send(pending)) return 'full';
    this.#closing.onSent();
    this.#checkClosed();
    return 'idle';
  }

  /** What does not fit into the path is lost, all fragments of it: the others would be useless. */
  #sendDatagram(bytes: Buffer): void {
    if (this.#isLocalOver || bytes.length > MAX_DATAGRAM) return;
    this.#activeAt = this.#clock.now();
    if (this.#limits?.toPeer.police(bytes.length) === false) return;
    const { id: tunnelId, side } = this.identity;
    const from = { tunnelId, isAcceptor: side === 'acceptor', number: this.#number };
    const packets = encodeDatagram(bytes, from, this.#link.packetSize());
    if (packets.length > 1) this.#number = (this.#number + 1) & 0xffff;
    if (packets.every((packet) => this.#link.sendLossy(packet))) this.#bytesSent += bytes.length;
  }

  #checkIdle(): void {
    const left = this.#activeAt + IDLE_TIME[this.identity.side] - this.#clock.now();
    if (left > 0) this.#idle = this.#clock.after(left, () => this.#checkIdle());
    else this.#end();
  }

  #onPurge(): void {
    this.#purge = undefined;
    this.#reassembly.expire(this.#clock.now());
    if (this.#reassembly.isWaiting) this.#purge = this.#clock.after(REASSEMBLY_TIME, () => this.#onPurge());
  }

  #end(): void {
    this.#finishLocal(undefined);
    this.#sendLast(TCP_FIN);
  }

  /** @param reason undefined in good order */
  #finishLocal(reason: Reason | undefined): void {
    if (this.#isLocalOver) return;
    this.#isLocalOver = true;
    this.#reason = reason;
    this.#idle?.cancel();
    this.#purge?.cancel();
    this.#reassembly.close();
    if (reason === undefined) this.#local.destroy();
    else this.#local.reset(reason);
  }

  #sendLast(type: number, data?: Buffer): void {
    const { id, side } = this.identity;
    const frame = encodeFrame(side === 'acceptor' ? type | FROM_ACCEPTOR : type, id, data);
    if (this.#closing.queue(frame)) this.#link.schedule(this);
  }

  #checkClosed(): void {
    if (!this.#closing.isComplete || this.#isClosed) return;
    this.#isClosed = true;
    this.#link.onIdFree(this);
    this.#link.onClosed(this, this.#reason);
  }
}
