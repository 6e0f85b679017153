/** Asks nodes for the nodes near to a key, and answers such requests (spec: "Nodes Request", "Nodes Response"). */
import type { Clock } from '../../../base/clock.js';
import type { Endpoint } from '../../../base/endpoint.js';
import type { Random } from '../../../base/random.js';
import type { PublicKey } from '../../crypto/keys.js';
import {
  decodeNodesRequest,
  decodeNodesResponse,
  encodeNodesRequest,
  encodeNodesResponse,
  MAX_NODES_IN_RESPONSE,
} from '../../packet/dht.js';
import { UdpKind } from '../../packet/kind.js';
import type { NodeInfo } from '../../packet/node-info.js';
import type { DhtBox } from './dht-box.js';
import { PendingRequests } from './pending-requests.js';

export interface NodesServiceDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly box: DhtBox;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  readonly handlers: NodesHandlers;
}

export interface NodesHandlers {
  /** Returns the nodes to send for a key. */
  closestNodes(target: PublicKey, count: number, options: { readonly lan: boolean }): readonly NodeInfo[];
  /** A node asks us. Its key is proven; that it receives at that address is not. */
  onRequest(node: NodeInfo): void;
  /** A node answered our request for `target`, so it is at this address. The nodes that it lists are unproven. */
  onResponse(node: NodeInfo, target: PublicKey, listed: readonly NodeInfo[]): void;
}

export class NodesService {
  readonly #deps: NodesServiceDeps;
  readonly #pending: PendingRequests<PublicKey>;

  constructor(deps: NodesServiceDeps) {
    this.#deps = deps;
    this.#pending = new PendingRequests(deps.random);
  }

  ask(node: NodeInfo, target: PublicKey): void {
    const { clock, box, send } = this.#deps;
    const id = this.#pending.add(node, target, clock.now());
    send(box.seal(UdpKind.NodesRequest, node.publicKey, encodeNodesRequest({ target, id })), node.endpoint);
  }

  readonly handleRequest = (packet: Buffer, source: Endpoint): void => {
    const { box, send, handlers } = this.#deps;
    const opened = box.open(packet);
    if (opened === undefined) return;
    const request = decodeNodesRequest(opened.plain);
    if (request === undefined) return;
    const asker = { publicKey: opened.sender, endpoint: source };
    const plain = encodeNodesResponse({ nodes: this.#answer(asker, request.target), id: request.id });
    send(box.seal(UdpKind.NodesResponse, asker.publicKey, plain), source);
    handlers.onRequest(asker);
  };

  readonly handleResponse = (packet: Buffer, source: Endpoint): void => {
    const { clock, box, handlers } = this.#deps;
    const opened = box.open(packet);
    if (opened === undefined) return;
    const response = decodeNodesResponse(opened.plain);
    if (response === undefined) return;
    const target = this.#pending.take(response.id, opened.sender, source, clock.now());
    if (target !== undefined)
      handlers.onResponse({ publicKey: opened.sender, endpoint: source }, target, response.nodes);
  };

  /**
   * Never returns an empty list: c-toxcore ignores an empty answer and would never ask again. The requester itself stands in. It
   * also fills a free place when it asks for its own key, as every node does first, and so learns its public address.
   */
  #answer(asker: NodeInfo, target: PublicKey): readonly NodeInfo[] {
    const nodes = this.#deps.handlers.closestNodes(target, MAX_NODES_IN_RESPONSE, { lan: asker.endpoint.isLan });
    const isWelcome = nodes.length === 0 || (nodes.length < MAX_NODES_IN_RESPONSE && target.equals(asker.publicKey));
    return isWelcome && !nodes.some((node) => node.publicKey.equals(asker.publicKey)) ? [...nodes, asker] : nodes;
  }
}
