/**
 * UDP by SOCKS 5: each program has a port of its own, to which it sends datagrams with their destinations in front. It ends with the
 * connection that asked for it.
 */
import type { Socket } from 'node:net';
import { Endpoint } from '../../base/endpoint.js';
import { type UdpAddress, UdpListener } from '../datagram/udp-socket.js';
import { decodeProxyDatagram, encodeProxyDatagram } from '../socks/udp-header.js';
import type { ForwardTraffic } from './forward-spec.js';
import type { AskedAssociation } from './target-finder.js';
import { UdpSessions, type UdpSessionsDeps } from './udp-sessions.js';

/** Associations of one forward: each has two descriptors. */
const MAX_ASSOCIATIONS = 256;

export class UdpAssociations {
  readonly #sessions: UdpSessions;
  #lastNumber = 0;
  #count = 0;

  constructor(deps: UdpSessionsDeps) {
    this.#sessions = new UdpSessions(deps);
  }

  /** Sessions without a tunnel yet. */
  get pending(): number {
    return this.#sessions.pending;
  }

  get traffic(): ForwardTraffic {
    return this.#sessions.traffic;
  }

  /** @param control the connection of the program, which stays open meanwhile */
  begin(control: Socket, { tellGranted, tellRefused }: AskedAssociation): void {
    const local = literalOf(control.localAddress);
    const program = literalOf(control.remoteAddress);
    if (local === undefined || program === undefined) {
      tellRefused('failed');
      return;
    }
    if (this.#count >= MAX_ASSOCIATIONS) {
      tellRefused('too-many-tunnels');
      return;
    }
    this.#lastNumber += 1;
    this.#count += 1;
    const name = `${this.#lastNumber} `;
    const relay: UdpListener = new UdpListener((packet, from) => {
      if (isOfProgram(from)) this.#take(name, relay, packet, from);
    });
    // Another user of the machine must not use it: the first port that sends is the program's.
    let port: number | undefined;
    const isOfProgram = (from: UdpAddress): boolean => {
      if (literalOf(from.address) !== program) return false;
      port ??= from.port;
      return from.port === port;
    };
    control.once('close', () => {
      this.#count -= 1;
      relay.close();
      this.#sessions.end((key) => key.startsWith(name));
    });
    relay.on('error', () => tellRefused('no-resources'));
    relay.listen({ port: 0, host: local }, () => {
      if (control.destroyed) relay.close();
      else tellGranted({ host: local, port: relay.address()?.port ?? 0 });
    });
  }

  close(): void {
    this.#sessions.end(() => true);
  }

  #take(name: string, relay: UdpListener, packet: Buffer, from: UdpAddress): void {
    const datagram = decodeProxyDatagram(packet);
    if (datagram === undefined) return;
    const { host, port, bytes } = datagram;
    this.#sessions.take(`${name}${host} ${port}`, { host, port, protocol: 'udp' }, bytes, (answer) =>
      relay.send(encodeProxyDatagram({ host, port, bytes: answer }), from),
    );
  }
}

/** The literal address of a socket; undefined for a Unix socket, and for one that is over. */
const literalOf = (address: string | undefined): string | undefined =>
  address === undefined ? undefined : Endpoint.of(address, 0)?.address;
