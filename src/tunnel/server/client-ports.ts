/**
 * Ports of this machine that peers have opened for themselves (-R). Each connection becomes a tunnel to the peer that asked. A port is
 * closed with the link, when the peer does not want it any more, and when the owner closes it or does not allow it any more.
 */
import type { Clock } from '../../base/clock.js';
import { CodedError, messageOf } from '../../base/coded-error.js';
import type { Listeners } from '../../base/listeners.js';
import { type LocalPlace, placeText } from '../../base/local-place.js';
import type { PeerLink } from '../link/peer-link.js';
import type { PeerLog } from '../link/peer-log.js';
import { type ListenPlace, targetOfPlace } from '../wire/listen.js';
import { describeReason, type Reason } from '../wire/reasons.js';
import { canonicalHost, type Target } from '../wire/target.js';
import { isAnswering } from './answering.js';
import { mayOverlap } from './bind-overlap.js';

/** Ports of one peer, and of all peers: each takes a descriptor for each address. */
const MAX_PORTS = 32;
const MAX_ALL_PORTS = 256;

export type ListenVerdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/** Decides whether a peer may have a port opened. Asked again for its open ports after each change of access. */
export type MayListen = (peerId: string, place: ListenPlace) => ListenVerdict;

export const noPort: MayListen = () => ({ allowed: false, reason: 'this server opens no ports for clients' });

export interface ClientPortInfo extends ListenPlace {
  /** From the numbers of tunnels. */
  readonly number: number;
  readonly peerId: string;
  /** The same, as a target. */
  readonly target: Target;
  /** ms since it was opened. */
  readonly age: number;
}

/** What the ports need of a link. */
export type PortLink = Pick<PeerLink, 'peerId' | 'channel' | 'terms' | 'open' | 'ping'> & {
  readonly ports: Pick<PeerLink['ports'], 'answer' | 'end'>;
};

/** What the ports need of the tunnels. */
export interface PortTunnels {
  nextNumber(): number;
  /** Why the peer may have no other tunnel; undefined when it may. */
  whyFull(peerId: string): string | undefined;
  /** Breaks the tunnels of a port that is closed. */
  close(peerId: string, forwardId: number, reason: Reason): void;
}

/** Listens at a place; each connection becomes a tunnel. */
interface PortListener {
  /** With the port that the system has chosen. */
  readonly at: LocalPlace;
  readonly port: number;
  /** Connections without a tunnel yet. */
  readonly pending: number;
  /** @throws CodedError whose code REASONS may have */
  listen(): Promise<void>;
  /** Stops listening. Tunnels stay. */
  close(): void;
}

/** Makes the listener of a port, which requests the tunnels of the link. @param port.whyFull asked for each connection */
export type OpenPort = (
  link: PortLink,
  port: { readonly forwardId: number; readonly place: ListenPlace; readonly whyFull: () => string | undefined },
) => PortListener;

interface Deps {
  readonly clock: Clock;
  readonly log: PeerLog;
  readonly mayListen: MayListen;
  readonly tunnels: PortTunnels;
  readonly openPort: OpenPort;
  /** `detail` is for the owner. */
  readonly refused: Listeners<[peerId: string, place: ListenPlace, reason: Reason, detail: string]>;
}

interface Port {
  readonly number: number;
  readonly link: PortLink;
  readonly forwardId: number;
  readonly wanted: ListenPlace;
  listener: PortListener;
  /** `closed`: while it was being opened. */
  state: 'opening' | 'open' | 'closed';
  since: number;
}

export class ClientPorts {
  readonly #deps: Deps;
  readonly #ports = new Set<Port>();
  /** Owners of ports that others want: each is asked once at a time, however many want its ports. */
  readonly #asked = new Map<PortLink, Promise<boolean>>();
  #closed: Reason | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  list(): ClientPortInfo[] {
    return [...this.#ports].filter(({ state }) => state === 'open').map((port) => this.#describe(port));
  }

  /** Connections without a tunnel yet. */
  get pending(): number {
    let pending = 0;
    for (const { listener } of this.#ports) pending += listener.pending;
    return pending;
  }

  pendingOf(peerId: string): number {
    let pending = 0;
    for (const { listener, link } of this.#ports) if (link.peerId === peerId) pending += listener.pending;
    return pending;
  }

  /** The port that a peer has under a forward id. */
  find(peerId: string, forwardId: number): ListenPlace | undefined {
    for (const port of this.#ports)
      if (port.forwardId === forwardId && port.link.peerId === peerId && port.state === 'open') return placeOf(port);
    return undefined;
  }

  /** Opens a port for a peer, or refuses it. */
  open(link: PortLink, forwardId: number, asked: ListenPlace): void {
    const wanted = { ...asked, bind: asked.bind === undefined ? undefined : canonicalHost(asked.bind) };
    const verdict = this.#deps.mayListen(link.peerId, wanted);
    const own = [...this.#ports].filter((port) => port.link.peerId === link.peerId);
    const refuse = (reason: Reason, detail?: string): void => this.#refuse(link, { forwardId, wanted }, reason, detail);
    if (this.#closed !== undefined) refuse(this.#closed);
    else if (!verdict.allowed) refuse('not-allowed', verdict.reason);
    else if (own.some((port) => port.link === link && port.forwardId === forwardId)) refuse('bad-request');
    else if (own.length >= MAX_PORTS || this.#ports.size >= MAX_ALL_PORTS) refuse('too-many-listeners');
    else void this.#listen(link, forwardId, wanted);
  }

  /** The peer does not want a port any more. Its tunnels stay. */
  release(link: PortLink, forwardId: number): void {
    const port = [...this.#ports].find((one) => one.link === link && one.forwardId === forwardId);
    if (port !== undefined) this.#close(port, 'closed by the client');
  }

  /** The tunnels of the link end by themselves. */
  onLinkClosed(link: PortLink): void {
    for (const port of this.#ports) if (port.link === link) this.#close(port, 'the client has disconnected');
  }

  /** Closes the ports that match, also those that are being opened, and their tunnels. @returns whether there was one */
  end(reason: Reason, matches: (port: ClientPortInfo) => boolean): boolean {
    const matching = [...this.#ports].filter((port) => port.state !== 'closed' && matches(this.#describe(port)));
    for (const port of matching) this.#end(port, reason, describeReason(reason));
    return matching.length > 0;
  }

  /** Closes the ports that are not allowed any more, and their tunnels. */
  review(): void {
    for (const port of this.#ports) {
      const verdict = this.#deps.mayListen(port.link.peerId, port.wanted);
      if (!verdict.allowed && port.state !== 'closed') this.#end(port, 'not-allowed', verdict.reason);
    }
  }

  /** Closes all ports, and opens none from now on. Tunnels stay. */
  close(reason: Reason): void {
    this.#closed = reason;
    for (const port of this.#ports) {
      this.#tell(port, reason);
      this.#close(port, describeReason(reason));
    }
  }

  #describe(port: Port): ClientPortInfo {
    const [place, { number, link }] = [placeOf(port), port];
    const age = this.#deps.clock.now() - port.since;
    return { ...place, number, peerId: link.peerId, target: targetOfPlace(place), age };
  }

  async #listen(link: PortLink, forwardId: number, wanted: ListenPlace): Promise<void> {
    const { clock, log, openPort, tunnels } = this.#deps;
    const { peerId } = link;
    const whyFull = (): string | undefined => tunnels.whyFull(peerId);
    const newListener = (): PortListener => openPort(link, { forwardId, place: wanted, whyFull });
    const port: Port = {
      number: tunnels.nextNumber(),
      link,
      forwardId,
      wanted,
      listener: newListener(),
      state: 'opening',
      since: clock.now(),
    };
    this.#ports.add(port);
    try {
      await this.#occupy(port, newListener);
    } catch (error) {
      this.#ports.delete(port);
      if (port.state === 'opening') this.#refuse(link, port, reasonOf(error), messageOf(error));
      return;
    }
    if (port.state === 'closed') {
      this.#ports.delete(port);
      return;
    }
    port.state = 'open';
    port.since = clock.now();
    link.ports.answer(forwardId, port.listener.port);
    log.say(peerId, 'port opened', `${placeText(port.listener.at)} is open for it (-R)`);
  }

  /**
   * A client that was killed has its port until its session ends: another one that asks for the port, and may have it, gets it as soon as
   * the first one does not answer. @throws CodedError
   */
  async #occupy(port: Port, newListener: () => PortListener): Promise<void> {
    try {
      await port.listener.listen();
    } catch (error) {
      const owners = reasonOf(error) === 'address-in-use' ? this.#overlapping(port.wanted) : [];
      if (owners.length === 0 || owners.some(({ link }) => link === port.link)) throw error;
      const answers = await Promise.all(owners.map(({ link }) => this.#isAnswering(link)));
      if (answers.includes(true) || port.state === 'closed') throw error;
      for (const owner of owners) {
        this.#tell(owner, 'address-in-use');
        this.#close(owner, 'the client does not answer, and another one asks for it');
      }
      port.listener = newListener();
      await port.listener.listen();
    }
  }

  #overlapping({ bind, port }: ListenPlace): Port[] {
    return [...this.#ports].filter(
      ({ state, listener, wanted }) => state === 'open' && listener.port === port && mayOverlap(wanted.bind, bind),
    );
  }

  #isAnswering(link: PortLink): Promise<boolean> {
    const asked = this.#asked.get(link) ?? isAnswering(this.#deps.clock, link).finally(() => this.#asked.delete(link));
    this.#asked.set(link, asked);
    return asked;
  }

  #end(port: Port, reason: Reason, why: string): void {
    const { link, forwardId } = port;
    this.#tell(port, reason);
    this.#deps.tunnels.close(link.peerId, forwardId, reason);
    this.#close(port, why);
  }

  #tell({ link, forwardId, state }: Port, reason: Reason): void {
    if (state === 'open') link.ports.end(forwardId, reason);
    else if (state === 'opening') link.ports.answer(forwardId, reason);
  }

  #close(port: Port, why: string): void {
    const { link, listener, state } = port;
    if (state === 'closed') return;
    port.state = 'closed';
    listener.close();
    // One that is being opened counts until the system has answered.
    if (state === 'opening') return;
    this.#ports.delete(port);
    this.#deps.log.say(link.peerId, 'port closed', `${placeText(listener.at)} is closed: ${why}`);
  }

  #refuse(
    link: PortLink,
    { forwardId, wanted }: { readonly forwardId: number; readonly wanted: ListenPlace },
    reason: Reason,
    detail = describeReason(reason),
  ): void {
    const { peerId } = link;
    const { log, refused } = this.#deps;
    log.say(peerId, 'port refused', `${placeText({ kind: 'port', ...wanted })} not opened: ${detail}`);
    refused.tell(peerId, wanted, reason, detail);
    link.ports.answer(forwardId, reason);
  }
}

const placeOf = ({ wanted, listener }: Port): ListenPlace => ({ bind: wanted.bind, port: listener.port });

const REASONS: Readonly<Partial<Record<string, Reason>>> = {
  'address-in-use': 'address-in-use',
  'not-permitted': 'port-not-permitted',
  'no-such-address': 'no-such-address',
};

const reasonOf = (error: unknown): Reason =>
  (error instanceof CodedError ? REASONS[error.code] : undefined) ?? 'failed';
