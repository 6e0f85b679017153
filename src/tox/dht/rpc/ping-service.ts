/** Pings nodes, and answers their pings (spec: "Ping Service"). */
import type { Clock } from '../../../base/clock.js';
import type { Endpoint } from '../../../base/endpoint.js';
import type { Random } from '../../../base/random.js';
import { decodePing, encodePing } from '../../packet/dht.js';
import { UdpKind } from '../../packet/kind.js';
import type { NodeInfo } from '../../packet/node-info.js';
import type { DhtBox } from './dht-box.js';
import { PendingRequests } from './pending-requests.js';

export interface PingServiceDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly box: DhtBox;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  /** A node pings us. Its key is proven; that it receives at that address is not. */
  readonly onRequest: (node: NodeInfo) => void;
  /** A node answered us, so it is at this address. */
  readonly onResponse: (node: NodeInfo) => void;
}

export class PingService {
  readonly #deps: PingServiceDeps;
  readonly #pending: PendingRequests<true>;

  constructor(deps: PingServiceDeps) {
    this.#deps = deps;
    this.#pending = new PendingRequests(deps.random);
  }

  ping(node: NodeInfo): void {
    const { clock, box, send } = this.#deps;
    const id = this.#pending.add(node, true, clock.now());
    const plain = encodePing({ kind: UdpKind.PingRequest, id });
    send(box.seal(UdpKind.PingRequest, node.publicKey, plain), node.endpoint);
  }

  readonly handleRequest = (packet: Buffer, source: Endpoint): void => {
    const { box, send, onRequest } = this.#deps;
    const opened = box.open(packet);
    if (opened === undefined) return;
    const ping = decodePing(opened.plain);
    if (ping?.kind !== UdpKind.PingRequest) return;
    const plain = encodePing({ kind: UdpKind.PingResponse, id: ping.id });
    send(box.seal(UdpKind.PingResponse, opened.sender, plain), source);
    onRequest({ publicKey: opened.sender, endpoint: source });
  };

  readonly handleResponse = (packet: Buffer, source: Endpoint): void => {
    const { clock, box, onResponse } = this.#deps;
    const opened = box.open(packet);
    if (opened === undefined) return;
    const ping = decodePing(opened.plain);
    if (ping?.kind !== UdpKind.PingResponse) return;
    if (this.#pending.take(ping.id, opened.sender, source, clock.now()) === undefined) return;
    onResponse({ publicKey: opened.sender, endpoint: source });
  };
}
