/** Maps ports at a router by PCP, or by NAT-PMP if the router does not know PCP. */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { DatagramSocket } from '../network/datagram-socket.js';
import type { Gateway } from '../network/default-gateway.js';
import { Exchange } from './exchange.js';
import { ADDRESS_REQUEST, decodeAddressAnswer, decodePortAnswer, encodePortRequest } from './nat-pmp.js';
import { decodePcpAnswer, encodePcpRequest, type PcpAnswer } from './pcp.js';
import {
  failed,
  keyOf,
  LIFETIME,
  type LocalPort,
  type MapResult,
  type OpenSocket,
  type PortMapper,
} from './port-mapper.js';

/** Specification: the UDP port of both protocols. */
const PORT = 5351;
const NONCE_SIZE = 12;
/**
 * ms to wait for an answer after each packet. The RFCs begin with 250 ms and continue for a minute; here PortKeeper retries
 * later, and UPnP is tried next.
 */
const PCP_GAPS = [200, 300];
const NAT_PMP_GAPS = [250, 500];

interface PortControlDeps {
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
  /** External ports by `protocol/port`, requested again so that they stay the same. */
  readonly #externalPorts = new Map<string, number>();
  #socket: Promise<DatagramSocket> | undefined;
  #protocol: 'PCP' | 'NAT-PMP' | 'unknown' = 'unknown';

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
    if (this.#protocol !== 'NAT-PMP') {
      const answer = await this.#requestByPcp(socket, port, LIFETIME / 1000);
      if (answer?.kind === 'refused') return failed(`PCP: ${answer.reason}`);
      if (answer?.kind === 'mapped') {
        this.#protocol = 'PCP';
        this.#externalPorts.set(keyOf(port), answer.external.port);
        return mapped('PCP', answer.external, answer.lifetime);
      }
    }
    return this.#mapByNatPmp(socket, port);
  }

  async unmap(port: LocalPort): Promise<void> {
    const socket = await this.#open();
    if (typeof socket === 'string' || this.#protocol === 'unknown') return;
    if (this.#protocol === 'PCP') await this.#requestByPcp(socket, port, 0);
    else await this.#requestByNatPmp(socket, port, 0);
    this.#externalPorts.delete(keyOf(port));
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
      // The address may exist again the next time.
      this.#socket = undefined;
      return messageOf(error);
    });
  }

  #requestByPcp(socket: DatagramSocket, port: LocalPort, lifetime: number): Promise<PcpAnswer | undefined> {
    const suggested = lifetime === 0 ? 0 : this.#suggested(port);
    const request = { port, nonce: this.#nonce, ownAddress: this.#ownAddress, lifetime, suggested };
    const packet = encodePcpRequest(request);
    return this.#exchange.run({
      send: () => socket.send(packet, this.#router),
      gaps: PCP_GAPS,
      read: (answer) => decodePcpAnswer(answer, request),
    });
  }

  async #mapByNatPmp(socket: DatagramSocket, port: LocalPort): Promise<MapResult> {
    const answer = await this.#requestByNatPmp(socket, port, LIFETIME / 1000);
    if (answer === undefined) return failed('no answer to PCP and NAT-PMP');
    if (answer.kind === 'refused') return failed(`NAT-PMP: ${answer.reason}`);
    this.#protocol = 'NAT-PMP';
    this.#externalPorts.set(keyOf(port), answer.externalPort);
    const address = await this.#exchange.run({
      send: () => socket.send(ADDRESS_REQUEST, this.#router),
      gaps: NAT_PMP_GAPS,
      read: decodeAddressAnswer,
    });
    if (address === undefined) return failed('NAT-PMP: no answer with the external address');
    if (!(address instanceof Endpoint)) return failed(`NAT-PMP: ${address.reason}`);
    return mapped('NAT-PMP', address.withPort(answer.externalPort), answer.lifetime);
  }

  #requestByNatPmp(
    socket: DatagramSocket,
    port: LocalPort,
    lifetime: number,
  ): Promise<ReturnType<typeof decodePortAnswer>> {
    const packet = encodePortRequest(port, lifetime === 0 ? 0 : this.#suggested(port), lifetime);
    return this.#exchange.run({
      send: () => socket.send(packet, this.#router),
      gaps: NAT_PMP_GAPS,
      read: (answer) => decodePortAnswer(answer, port),
    });
  }

  #suggested(port: LocalPort): number {
    return this.#externalPorts.get(keyOf(port)) ?? port.port;
  }
}

/** @param lifetime seconds */
const mapped = (by: 'PCP' | 'NAT-PMP', external: Endpoint, lifetime: number): MapResult => ({
  kind: 'mapped',
  mapping: { external, lifetime: lifetime * 1000, by },
});
