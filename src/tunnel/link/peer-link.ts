/**
 * All that is said with one peer over one channel: frames go to their tunnels, tunnels take turns, requests of both sides
 * become tunnels.
 */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { TokenBucket } from '../../base/token-bucket.js';
import { TurnQueue } from '../stream/frame-scheduler.js';
import type { LocalEnd } from '../stream/local-end.js';
import type { Tunnel } from '../stream/tunnel.js';
import {
  ACK_TUNNEL,
  DENY_TUNNEL,
  decodeFrame,
  EOF,
  encodeFrame,
  FRAME_HEADER_SIZE,
  FROM_ACCEPTOR,
  type Frame,
  isVersion1,
  MAX_FRAME_DATA,
  PING,
  PONG,
  REQUEST_TUNNEL,
  RESET,
  TCP,
  TCP_FIN,
  WINDOW,
} from '../wire/frame.js';
import type { PeerChannel } from '../wire/peer-channel.js';
import { decodeReason, encodeReason, type Reason } from '../wire/reasons.js';
import {
  decodeDenyReason,
  decodeForwardId,
  decodeRequest,
  encodeAck,
  encodeDeny,
  encodeRequest,
} from '../wire/request.js';
import type { Target } from '../wire/target.js';
import { TunnelOffer } from './incoming-request.js';
import { Negotiation, type PeerTerms } from './negotiation.js';
import { type OpenHandlers, type Opening, OpenRequests } from './outgoing-requests.js';
import { RoundTrip } from './round-trip.js';
import { MAX_TUNNELS, type TunnelHandlers, TunnelTable } from './tunnel-table.js';

/** Upstream's server uses select(), which ends at 1024 descriptors, its own and other clients' included. */
const MAX_UPSTREAM_TUNNELS = 500;
/** Answers a second to data for tunnels that are not there. */
const STRAY_ANSWERS = 20;

export interface LinkHandlers extends TunnelHandlers {
  onOffer(offer: TunnelOffer): void;
  /** Called once, before the tunnels close. */
  onClose(): void;
}

export class PeerLink {
  readonly peerId: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #handlers: LinkHandlers;
  readonly #queue: TurnQueue;
  readonly #roundTrip: RoundTrip;
  readonly #negotiation: Negotiation;
  readonly #requests: OpenRequests;
  readonly #tunnels: TunnelTable;
  readonly #strays: TokenBucket;
  #offers = 0;
  #isClosed = false;

  /** @param options.staleIds ids that an upstream server may still hold from an earlier channel; it is told to close them */
  constructor(
    deps: {
      readonly channel: PeerChannel;
      readonly clock: Clock;
      readonly random: Random;
      readonly log: Logger;
      readonly handlers: LinkHandlers;
    },
    options: { readonly staleIds?: readonly number[] } = {},
  ) {
    const { channel, clock, random, log, handlers } = deps;
    this.peerId = channel.peerId;
    this.#clock = clock;
    this.#log = log;
    this.#handlers = handlers;
    const queue = new TurnQueue((frame) => channel.send(frame));
    const roundTrip = new RoundTrip({ clock, random, send: (frame) => queue.push(frame) });
    const frameData = (): number => Math.min(MAX_FRAME_DATA, channel.maxPacketSize - FRAME_HEADER_SIZE);
    this.#queue = queue;
    this.#roundTrip = roundTrip;
    this.#negotiation = new Negotiation(clock, log);
    this.#requests = new OpenRequests(clock, random);
    this.#tunnels = new TunnelTable({ clock, random, queue, roundTrip, handlers }, { frameData });
    this.#strays = new TokenBucket(STRAY_ANSWERS, STRAY_ANSWERS, clock.now());
    channel.receive({
      onPacket: (packet) => this.#onPacket(packet),
      onDrain: () => queue.onDrain(),
      onClose: () => this.close('peer-gone'),
    });
    for (const id of options.staleIds ?? []) queue.push(encodeFrame(TCP_FIN, id));
  }

  /** Whether the peer knows the extension; 'unknown' before the first answer to a request. */
  get terms(): PeerTerms['kind'] {
    return this.#negotiation.terms.kind;
  }

  /** ms; undefined before it was measured. */
  get roundTrip(): number | undefined {
    return this.#roundTrip.latest;
  }

  get tunnels(): ReadonlySet<Tunnel> {
    return this.#tunnels.all;
  }

  /** Ids that an upstream server keeps open when the channel is lost, for the next link to the same peer. */
  get staleIds(): number[] {
    return this.terms === 'extended' ? [] : this.#tunnels.openedIds;
  }

  /** Asks for a tunnel to a target as the peer sees it. Exactly one handler is called, later or at once. */
  open(target: Target, handlers: OpenHandlers): Opening {
    const limit = this.terms === 'extended' ? MAX_TUNNELS : MAX_UPSTREAM_TUNNELS;
    if (this.#isClosed || this.#load >= limit || !this.#queue.hasRoom) {
      handlers.onRefused(this.#isClosed ? 'peer-gone' : 'too-many-tunnels');
      return { cancel: () => {} };
    }
    const hello = this.#negotiation.nextHello();
    if (hello !== undefined) this.#queue.push(hello);
    const forwardId = this.#requests.add(target, handlers);
    this.#queue.push(encodeRequest(forwardId, target));
    // The ack of a request that nobody waits for is answered with the tunnel's end.
    return { cancel: () => void this.#requests.take(forwardId) };
  }

  /** Resolves to the round trip in ms. @throws TunnelError `timeout`, `peer-gone` */
  ping(): Promise<number> {
    return this.#roundTrip.ping();
  }

  /** Breaks every tunnel and every request; the channel itself belongs to somebody else. */
  close(reason: Reason): void {
    if (this.#isClosed) return;
    if (reason !== 'peer-gone') for (const tunnel of [...this.tunnels]) tunnel.close(reason);
    this.#isClosed = true;
    this.#handlers.onClose();
    this.#queue.close();
    this.#roundTrip.close();
    for (const tunnel of [...this.tunnels]) tunnel.onLinkClosed();
    this.#requests.refuseAll('peer-gone');
  }

  #onPacket(packet: Buffer): void {
    if (this.#isClosed) return;
    const frame = decodeFrame(packet);
    if (frame === undefined) {
      this.#log.debug(
        isVersion1(packet) ? 'the peer speaks protocol version 1: too old' : 'dropped a packet: no frame',
      );
      return;
    }
    switch (frame.type) {
      case PING:
        this.#onPing(frame.data);
        break;
      case PONG:
        this.#onPong(frame.data);
        break;
      case REQUEST_TUNNEL:
        this.#onRequest(frame);
        break;
      case ACK_TUNNEL:
        this.#onAck(frame);
        break;
      case DENY_TUNNEL:
        this.#onDeny(frame);
        break;
      default:
        this.#onTunnelFrame(frame);
    }
  }

  #onTunnelFrame(frame: Frame): void {
    const tunnel = this.#tunnels.find(frame, this.#negotiation.terms);
    switch (frame.type & ~FROM_ACCEPTOR) {
      case TCP:
        if (tunnel === undefined) this.#onStrayData(frame);
        else tunnel.onData(frame.data);
        break;
      case TCP_FIN:
        tunnel?.onFin();
        break;
      case WINDOW:
        if (frame.data.length >= 4) tunnel?.onWindow(frame.data.readUInt32BE());
        break;
      case EOF:
        tunnel?.onEof();
        break;
      case RESET:
        tunnel?.onReset(decodeReason(frame.data));
        break;
      default:
        this.#log.debug(`dropped a frame of unknown type 0x${frame.type.toString(16)}`);
    }
  }

  /** The peer missed the end of this tunnel, or has kept it from an earlier channel. */
  #onStrayData(frame: Frame): void {
    if (!this.#strays.take(this.#clock.now())) return;
    this.#log.debug(`data for tunnel ${frame.id}, which is not there`);
    this.#rejectTunnel(frame.id, (frame.type & FROM_ACCEPTOR) === 0 ? 'acceptor' : 'opener');
  }

  #rejectTunnel(id: number, ourSide: 'acceptor' | 'opener'): void {
    const reset = ourSide === 'acceptor' ? RESET | FROM_ACCEPTOR : RESET;
    const isExtended = this.terms === 'extended';
    this.#queue.offer(isExtended ? encodeFrame(reset, id, encodeReason('unknown-tunnel')) : encodeFrame(TCP_FIN, id));
  }

  #onPing(data: Buffer): void {
    this.#queue.offer(this.#negotiation.answerPing(data));
  }

  #onPong(data: Buffer): void {
    const roundTrip = this.#negotiation.onPong(data);
    if (roundTrip === undefined) this.#roundTrip.onPong(data);
    else this.#roundTrip.onMeasured(roundTrip);
  }

  /** Tunnels, and what may become one. */
  get #load(): number {
    return this.tunnels.size + this.#requests.size + this.#offers;
  }

  #onRequest(frame: Frame): void {
    this.#negotiation.onUpstreamFrame();
    const request = decodeRequest(frame);
    if (request === undefined || !this.#queue.hasRoom) this.#log.debug('dropped a request');
    else if (request.target === undefined) this.#refuse(request.forwardId, 'bad-request');
    else if (this.#load >= MAX_TUNNELS) this.#refuse(request.forwardId, 'too-many-tunnels');
    else this.#offer(request.forwardId, request.target);
  }

  #offer(forwardId: number, target: Target): void {
    this.#offers += 1;
    const offer = new TunnelOffer(this.peerId, target, (local) => {
      this.#offers -= 1;
      if (typeof local === 'string') this.#refuse(forwardId, local);
      else this.#accept(forwardId, target, local);
    });
    this.#handlers.onOffer(offer);
  }

  #accept(forwardId: number, target: Target, local: LocalEnd): void {
    if (this.#isClosed) {
      local.reset('peer-gone');
      return;
    }
    const id = this.#tunnels.takeId();
    if (!this.#queue.offer(encodeAck(id, forwardId))) {
      this.#tunnels.releaseId(id);
      local.reset('overflow');
      return;
    }
    this.#tunnels.add({ id, side: 'acceptor', target }, local, this.#negotiation.terms);
  }

  /** Upstream has no word for no: a tunnel that ends at once frees what its client holds. */
  #refuse(forwardId: number, reason: Reason): void {
    if (this.terms === 'extended') {
      this.#queue.offer(encodeDeny(forwardId, reason));
      return;
    }
    const id = this.#tunnels.takeId();
    // The fin belongs to the ack: alone, the ack would open a tunnel that nobody ends.
    if (this.#queue.offer(encodeAck(id, forwardId))) this.#queue.push(encodeFrame(TCP_FIN, id));
    this.#tunnels.releaseId(id);
  }

  #onAck(frame: Frame): void {
    this.#negotiation.onUpstreamFrame();
    const forwardId = decodeForwardId(frame);
    if (forwardId === undefined) return;
    const request = this.#requests.take(forwardId);
    if (request === undefined) {
      // Cancelled, or timed out. A peer that repeats an ack of a living tunnel must not break it.
      if (this.#tunnels.opened(frame.id) === undefined) this.#rejectTunnel(frame.id, 'opener');
      return;
    }
    // The id comes anew, so the peer has forgotten the tunnel that had it: upstream can lose a fin.
    this.#tunnels.opened(frame.id)?.onLinkClosed();
    const local = request.handlers.onAccepted();
    this.#tunnels.add({ id: frame.id, side: 'opener', target: request.target }, local, this.#negotiation.terms);
  }

  #onDeny(frame: Frame): void {
    const forwardId = decodeForwardId(frame);
    if (forwardId !== undefined) this.#requests.take(forwardId)?.handlers.onRefused(decodeDenyReason(frame));
  }
}
