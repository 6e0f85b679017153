/** A router that opens ports when asked by PCP, or by NAT-PMP where it has never heard of PCP. */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { DatagramSocket } from '../network/datagram-socket.js';
import type { Gateway } from '../network/default-gateway.js';
import { Exchange } from './exchange.js';
import { ADDRESS_REQUEST, decodeAddressAnswer, decodePortAnswer, encodePortRequest } from './nat-pmp.js';
import { decodePcpAnswer, encodePcpRequest, type PcpAnswer } from './pcp.js';
import { failed, LIFETIME, type LocalPort, type MapResult, type OpenSocket, type PortMapper } from './port-mapper.js';

/** Specification: the UDP port of both protocols. */
const PORT = 5351;
const NONCE_SIZE = 12;
/**
 * ms after each packet, in which the answer is waited for. The RFCs begin with 250 ms and go on for a minute;
 * here somebody else tries again later, and UPnP is waiting for its turn.
 */
const PCP_GAPS = [200, 300];
const NAT_PMP_GAPS = [250, 500];

export interface PortControlDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly openSocket: OpenSocket;
}

export class PortControl implements PortMapper {
  readonly #deps: PortControlDeps;
  readonly #router: Endpoint;
  readonly #ownAddress: Endpoint;
  readonly #nonce: Buffer;
  readonly #exchange: Exchange;
  /** By `protocol/port`: what to ask for again, so that the outside port stays the same. */
  readonly #outsidePorts = new Map<string, number>();
  #socket: Promise<DatagramSocket> | undefined;
  #speaks: 'PCP' | 'NAT-PMP' | 'unknown' = 'unknown';

  constructor(deps: PortControlDeps, gateway: Gateway) {
    this.#deps = deps;
    this.#router = Endpoint.of(gateway.address, PORT) as Endpoint;
    this.#ownAddress = Endpoint.of(gateway.ownAddress, 0) as Endpoint;
    this.#nonce = deps.random.bytes(NONCE_SIZE);
    this.#exchange = new Exchange(deps.clock);
  }

  async map(port: LocalPort): Promise<MapResult> {
    const socket = await this.#open();
    if (typeof socket === 'string') return failed(socket);
    if (this.#speaks !== 'NAT-PMP') {
      const answer = await this.#askByPcp(socket, port, LIFETIME / 1000);
      if (answer?.kind === 'refused') return failed(`PCP: ${answer.reason}`);
      if (answer?.kind === 'mapped') {
        this.#speaks = 'PCP';
        this.#outsidePorts.set(keyOf(port), answer.outside.port);
        return mapped('PCP', answer.outside, answer.lifetime);
      }
    }
    return this.#mapByNatPmp(socket, port);
  }

  async unmap(port: LocalPort): Promise<void> {
    const socket = await this.#open();
    if (typeof socket === 'string' || this.#speaks === 'unknown') return;
    if (this.#speaks === 'PCP') await this.#askByPcp(socket, port, 0);
    else await this.#askForPort(socket, port, 0);
    this.#outsidePorts.delete(keyOf(port));
  }

  close(): void {
    this.#exchange.close();
    this.#socket?.then(
      (socket) => socket.close(),
      () => {},
    );
  }

  #open(): Promise<DatagramSocket | string> {
    this.#socket ??= this.#deps.openSocket((packet, source) => {
      if (source.equals(this.#router)) this.#exchange.receive(packet, source);
    });
    return this.#socket.catch((error) => {
      // Our address may be there again the next time.
      this.#socket = undefined;
      return messageOf(error);
    });
  }

  #askByPcp(socket: DatagramSocket, port: LocalPort, lifetime: number): Promise<PcpAnswer | undefined> {
    const wanted = lifetime === 0 ? 0 : this.#wanted(port);
    const request = { port, nonce: this.#nonce, ownAddress: this.#ownAddress, lifetime, wanted };
    const packet = encodePcpRequest(request);
    return this.#exchange.run({
      ask: () => socket.send(packet, this.#router),
      gaps: PCP_GAPS,
      read: (answer) => decodePcpAnswer(answer, request),
    });
  }

  async #mapByNatPmp(socket: DatagramSocket, port: LocalPort): Promise<MapResult> {
    const answer = await this.#askForPort(socket, port, LIFETIME / 1000);
    if (answer === undefined) return failed('no answer to PCP and NAT-PMP');
    if (answer.kind === 'refused') return failed(`NAT-PMP: ${answer.reason}`);
    this.#speaks = 'NAT-PMP';
    this.#outsidePorts.set(keyOf(port), answer.outsidePort);
    const address = await this.#exchange.run({
      ask: () => socket.send(ADDRESS_REQUEST, this.#router),
      gaps: NAT_PMP_GAPS,
      read: decodeAddressAnswer,
    });
    if (address === undefined) return failed('NAT-PMP: it does not tell its outside address');
    if (!(address instanceof Endpoint)) return failed(`NAT-PMP: ${address.reason}`);
    return mapped('NAT-PMP', address.withPort(answer.outsidePort), answer.lifetime);
  }

  #askForPort(socket: DatagramSocket, port: LocalPort, lifetime: number): Promise<ReturnType<typeof decodePortAnswer>> {
    const packet = encodePortRequest(port, lifetime === 0 ? 0 : this.#wanted(port), lifetime);
    return this.#exchange.run({
      ask: () => socket.send(packet, this.#router),
      gaps: NAT_PMP_GAPS,
      read: (answer) => decodePortAnswer(answer, port),
    });
  }

  #wanted(port: LocalPort): number {
    return this.#outsidePorts.get(keyOf(port)) ?? port.port;
  }
}

const keyOf = ({ protocol, port }: LocalPort): string => `${protocol}/${port}`;

/** @param lifetime seconds */
const mapped = (by: 'PCP' | 'NAT-PMP', outside: Endpoint, lifetime: number): MapResult => ({
  kind: 'mapped',
  mapping: { outside, lifetime: lifetime * 1000, by },
});
