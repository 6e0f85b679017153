/**
 * The tunnels with one peer over one channel: received frames go to their tunnels, tunnels send in turn, and requests of both sides
 * become tunnels.
 */
import type { Clock } from '../../base/clock.js';
import { Listeners } from '../../base/listeners.js';
import type { Logger } from '../../base/logger.js';
import type { MemoryBudget } from '../../base/memory-budget.js';
import type { Random } from '../../base/random.js';
import { TokenBucket } from '../../base/token-bucket.js';
import { decodeDatagram } from '../datagram/datagram-packet.js';
import { FrameScheduler } from '../stream/frame-scheduler.js';
import type { CarriedTunnel } from '../stream/tunnel.js';
import {
  ACK_TUNNEL,
  DENY_TUNNEL,
  decodeFrame,
  EARLY,
  END,
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
import { decodeDenyReason, decodeForwardId } from '../wire/request.js';
import type { Service, Target } from '../wire/target.js';
import { ForwardIds } from './forward-ids.js';
import { type IncomingRequest, IncomingRequests } from './incoming-requests.js';
import { Negotiation, type PeerTerms } from './negotiation.js';
import { type OpenHandlers, OutgoingRequests } from './outgoing-requests.js';
import { type PeerPortHandlers, PortRequests } from './port-requests.js';
import { RoundTrip } from './round-trip.js';
import { ServiceList } from './service-list.js';
import { MAX_TUNNELS, type TunnelHandlers, TunnelTable } from './tunnel-table.js';

/** Upstream's server uses select(), which takes 1024 descriptors, its own and those of other clients included. */
const MAX_UPSTREAM_TUNNELS = 500;
/** Answers a second to data for unknown tunnels. */
const STRAY_ANSWERS = 20;

export interface LinkHandlers extends TunnelHandlers, PeerPortHandlers {
  /** Returns our services that the peer may reach. */
  services(): readonly Service[];
  onRequest(request: IncomingRequest): void;
  /** The peer ends, and does not come back. */
  onEnd(reason: Reason): void;
  /** Called once, before the tunnels close. */
  onClose(): void;
}

interface PeerLinkDeps {
  readonly channel: PeerChannel;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Makes what the link tells. */
  readonly handlersOf: (link: PeerLink) => LinkHandlers;
  /** Memory of all peers for fragments of datagrams that wait for others. */
  readonly fragments: MemoryBudget;
}

export class PeerLink {
  readonly peerId: string;
  readonly channel: PeerChannel;
  /** Ports that one side has the other open. */
  readonly ports: PortRequests;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #handlers: LinkHandlers;
  readonly #scheduler: FrameScheduler;
  readonly #roundTrip: RoundTrip;
  readonly #negotiation: Negotiation;
  readonly #requests: OutgoingRequests;
  readonly #incoming: IncomingRequests;
  readonly #tunnels: TunnelTable;
  readonly #services: ServiceList;
  readonly #strays: TokenBucket;
  readonly #stale: readonly number[];
  readonly #onServices = new Listeners<[]>();
  #isClosed = false;

  /** @param options.staleIds tunnels that an upstream server may still have from an earlier channel, which it is told to close */
  constructor(deps: PeerLinkDeps, options: { readonly staleIds?: readonly number[] } = {}) {
    const { channel, clock, random, log } = deps;
    const { peerId } = channel;
    this.peerId = peerId;
    this.channel = channel;
    this.#clock = clock;
    this.#log = log;
    const handlers = deps.handlersOf(this);
    this.#handlers = handlers;
    const scheduler = new FrameScheduler((frame) => channel.send(frame));
    const roundTrip = new RoundTrip({ clock, random, send: (frame) => scheduler.push(frame) });
    const frameData = (): number => Math.min(MAX_FRAME_DATA, channel.maxPacketSize - FRAME_HEADER_SIZE);
    this.#scheduler = scheduler;
    this.#roundTrip = roundTrip;
    this.#negotiation = new Negotiation(clock, log);
    const ids = new ForwardIds(random);
    this.#requests = new OutgoingRequests({ clock, ids, scheduler, frameData });
    const [terms, greet] = [() => this.#negotiation.terms, () => this.greet()];
    this.ports = new PortRequests({ clock, log, ids, scheduler, handlers, terms: () => terms().kind, greet });
    const datagrams = {
      packetSize: () => channel.maxPacketSize,
      sendLossy: (packet: Buffer) => channel.sendLossy(packet),
      memory: deps.fragments,
    };
    const tunnels = new TunnelTable({ clock, random, scheduler, roundTrip, handlers, datagrams }, { frameData });
    this.#tunnels = tunnels;
    const onRequest = (request: IncomingRequest): void => handlers.onRequest(request);
    this.#incoming = new IncomingRequests({ peerId, log, scheduler, tunnels, terms, onRequest });
    const services = (): readonly Service[] => handlers.services();
    const encode = (list: readonly Service[]) => this.#negotiation.answers(list, frameData());
    this.#services = new ServiceList({ clock, scheduler, services, encode });
    this.#strays = new TokenBucket(STRAY_ANSWERS, STRAY_ANSWERS, clock.now());
    channel.receive({
      onPacket: (packet) => this.#onPacket(packet),
      onLossy: (packet) => this.#onLossy(packet),
      onDrain: () => {
        scheduler.onDrain();
        this.#services.onDrain();
      },
      onClose: () => this.close('connection-lost'),
    });
    this.#stale = options.staleIds ?? [];
    for (const id of this.#stale) scheduler.push(encodeFrame(TCP_FIN, id));
  }

  /** Whether the peer has the extension; 'unknown' before the first answer to a request. */
  get terms(): PeerTerms['kind'] {
    return this.#negotiation.terms.kind;
  }

  /** ms; undefined before the first measurement. */
  get roundTrip(): number | undefined {
    return this.#roundTrip.latest;
  }

  get tunnels(): ReadonlySet<CarriedTunnel> {
    return this.#tunnels.all;
  }

  /**
   * Ids of tunnels that an upstream server keeps when the channel is lost, for the next link to the same peer. A peer that has answered
   * nothing may not have received the ends of earlier ones.
   */
  get staleIds(): readonly number[] {
    if (this.terms === 'unknown') return this.#stale;
    return this.terms === 'extended' ? [] : this.#tunnels.openedIds;
  }

  /**
   * Requests a tunnel to a target as the peer sees it. One handler is called, later or at once.
   * @returns a function that cancels the request; then no handler is called
   */
  open(target: Target, handlers: OpenHandlers): () => void {
    const limit = this.terms === 'extended' ? MAX_TUNNELS : MAX_UPSTREAM_TUNNELS;
    if (this.#isClosed || this.#load >= limit || !this.#scheduler.hasRoom) {
      handlers.onRefused(this.#isClosed ? 'connection-lost' : 'too-many-tunnels');
      return () => {};
    }
    this.greet();
    const forwardId = this.#requests.add(target, handlers);
    this.#requests.send(this.#negotiation.terms);
    // The ack of a cancelled request is answered with the tunnel's end.
    return () => void this.#requests.take(forwardId);
  }

  /**
   * Calls back once with the services of the peer that we may reach, now or later: undefined if it is as upstream, and if the link
   * closes before. @returns a function that cancels it
   */
  askServices(onAnswer: (services: readonly Service[] | undefined) => void): () => void {
    const hello = this.#isClosed ? undefined : this.#negotiation.hello();
    if (hello !== undefined) this.#scheduler.push(hello);
    const { services } = this.#negotiation;
    if (services !== undefined || this.terms === 'upstream' || this.#isClosed) {
      onAnswer(services);
      return () => {};
    }
    const remove = this.#onServices.add(() => {
      const { services: received } = this.#negotiation;
      if (received === undefined && this.terms !== 'upstream' && !this.#isClosed) return;
      remove();
      onAnswer(received);
    });
    return remove;
  }

  /** Sends the peer, if it has the extension, our services that it may reach now. */
  announceServices(): void {
    if (this.terms === 'extended' && !this.#isClosed) this.#services.announce();
  }

  /** Lets the peer know that we have the extension. */
  greet(): void {
    const hello = this.#negotiation.nextHello();
    if (hello !== undefined) this.#scheduler.push(hello);
  }

  /** Tells the peer that we end and do not come back. @returns false for a peer that would not understand */
  sendEnd(reason: Reason): boolean {
    if (this.terms !== 'extended' || this.#isClosed) return false;
    this.#scheduler.push(encodeFrame(END, 0, encodeReason(reason)));
    return true;
  }

  /** Resolves to the round trip in ms. @throws TunnelError `timeout`, `connection-lost` */
  ping(): Promise<number> {
    return this.#roundTrip.ping();
  }

  /** Breaks every tunnel and refuses every request; the channel stays open, for its owner to close. */
  close(reason: Reason): void {
    if (this.#isClosed) return;
    if (reason !== 'connection-lost') for (const tunnel of [...this.tunnels]) tunnel.close(reason);
    this.#isClosed = true;
    this.#handlers.onClose();
    this.#scheduler.close();
    this.#roundTrip.close();
    for (const tunnel of [...this.tunnels]) tunnel.onLinkClosed();
    this.#incoming.close();
    this.#requests.onLinkLost();
    this.ports.close();
    this.#onServices.tell();
  }

  #onPacket(packet: Buffer): void {
    if (this.#isClosed) return;
    const frame = decodeFrame(packet);
    if (frame === undefined) {
      this.#log.debug(
        isVersion1(packet) ? 'the peer uses protocol version 1, which is too old' : 'dropped a packet that is no frame',
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
      case EARLY:
        this.#incoming.onEarly(frame);
        break;
      case END:
        this.#handlers.onEnd(decodeReason(frame.data));
        return;
      default:
        if (!this.ports.onFrame(frame)) this.#onTunnelFrame(frame);
    }
    this.#requests.send(this.#negotiation.terms);
    this.ports.send();
  }

  #onLossy(packet: Buffer): void {
    const datagram = this.#isClosed ? undefined : decodeDatagram(packet);
    if (datagram !== undefined) this.#tunnels.findSession(datagram)?.onPacket(datagram);
  }

  #onPing(data: Buffer): void {
    const pong = this.#negotiation.onPing(data);
    if (pong !== undefined) this.#scheduler.offer(pong);
    else if (!this.#services.answerHello()) this.#log.debug('dropped a hello');
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

  /** The peer missed the end of this tunnel, or has it from an earlier channel. */
  #onStrayData(frame: Frame): void {
    if (!this.#strays.take(this.#clock.now())) return;
    this.#log.debug(`received data for unknown tunnel ${frame.id}`);
    this.#rejectTunnel(frame.id, (frame.type & FROM_ACCEPTOR) === 0 ? 'acceptor' : 'opener');
  }

  #rejectTunnel(id: number, ourSide: 'acceptor' | 'opener'): void {
    const reset = ourSide === 'acceptor' ? RESET | FROM_ACCEPTOR : RESET;
    const isExtended = this.terms === 'extended';
    this.#scheduler.offer(
      isExtended ? encodeFrame(reset, id, encodeReason('unknown-tunnel')) : encodeFrame(TCP_FIN, id),
    );
  }

  #onPong(data: Buffer): void {
    const answer = this.#negotiation.onPong(data);
    if (answer === undefined) this.#roundTrip.onPong(data);
    else if (answer.roundTrip !== undefined) this.#roundTrip.onMeasured(answer.roundTrip);
    if (answer !== undefined) this.#onServices.tell();
  }

  /** Tunnels, and requests that may become tunnels. */
  get #load(): number {
    return this.tunnels.size + this.#requests.size + this.#incoming.size;
  }

  #onRequest(frame: Frame): void {
    this.#negotiation.onUpstreamFrame();
    this.#incoming.take(frame, this.#load >= MAX_TUNNELS);
  }

  #onAck(frame: Frame): void {
    this.#negotiation.onUpstreamFrame();
    const forwardId = decodeForwardId(frame);
    if (forwardId === undefined) return;
    const request = this.#requests.take(forwardId);
    if (request === undefined) {
      // Cancelled, or timed out. An ack that the peer repeats must not break its tunnel.
      if (this.#tunnels.opened(frame.id) === undefined) this.#rejectTunnel(frame.id, 'opener');
      return;
    }
    // The peer uses the id again, so it has forgotten the tunnel that had it: upstream can lose a fin.
    this.#tunnels.opened(frame.id)?.onLinkClosed();
    const identity = { id: frame.id, side: 'opener', target: request.target } as const;
    const local = request.handlers.onAccepted();
    this.#tunnels.add(identity, local, { peer: this.#negotiation.terms, sentEarly: request.early?.sent });
  }

  #onDeny(frame: Frame): void {
    const forwardId = decodeForwardId(frame);
    if (forwardId === undefined) return;
    const reason = decodeDenyReason(frame);
    if (!this.ports.onDeny(forwardId, reason)) this.#requests.take(forwardId)?.handlers.onRefused(reason);
  }
}
