/** NAT pings through other nodes (spec: "NAT ping"): a request takes all routes, a response one of them. */
import type { Clock } from '../../../base/clock.js';
import type { Endpoint } from '../../../base/endpoint.js';
import { pick, type Random } from '../../../base/random.js';
import type { PublicKey } from '../../crypto/keys.js';
import { decodeNatPing, encodeNatPing, type NatPing } from '../../packet/dht-request.js';
import { DhtRequestKind } from '../../packet/kind.js';
import type { DhtBox } from '../rpc/dht-box.js';
import type { Search } from './search.js';

export interface NatPingsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly box: DhtBox;
  readonly send: (packet: Buffer, to: Endpoint) => void;
  readonly findSearch: (key: PublicKey) => Search | undefined;
}

export class NatPings {
  readonly #deps: NatPingsDeps;

  constructor(deps: NatPingsDeps) {
    this.#deps = deps;
  }

  readonly send = (search: Search, ping: NatPing): void => {
    const { clock, random, box, send } = this.#deps;
    const ways = search.ways(clock.now());
    if (ways.length === 0) return;
    const content = { kind: DhtRequestKind.NatPing, data: encodeNatPing(ping) };
    const packet = box.sealRequest(search.publicKey, content);
    for (const endpoint of ping.type === 'request' ? ways : [pick(random, ways)]) send(packet, endpoint);
  };

  /** Ignores NAT pings of nodes that we do not search for. */
  readonly handle = (sender: PublicKey, data: Buffer): void => {
    const ping = decodeNatPing(data);
    if (ping !== undefined) this.#deps.findSearch(sender)?.handleNatPing(ping, this.#deps.clock.now());
  };
}
