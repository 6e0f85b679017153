/**
 * A NAT of the simulated network, before one host: a port keeps its number whatever the peer, and only peers that were sent
 * something may answer. Its public address can change, as that of a line at home or of a telephone does.
 */
import type { Endpoint } from '../../src/base/endpoint.js';
import type { DatagramHandler, DatagramSocket } from '../../src/tox/network/datagram-socket.js';
import type { SimulatedNetwork } from './simulated-network.js';

interface Mapping {
  readonly port: number;
  readonly onDatagram: DatagramHandler;
  readonly peers: Set<string>;
  outside: DatagramSocket;
}

export class SimulatedNat {
  readonly #network: SimulatedNetwork;
  readonly #mappings = new Set<Mapping>();
  address: string;

  constructor(network: SimulatedNetwork, address: string) {
    this.#network = network;
    this.address = address;
  }

  /** Opens a socket of the host behind it. */
  socket(port: number, onDatagram: DatagramHandler): DatagramSocket {
    const peers = new Set<string>();
    const mapping: Mapping = { port, onDatagram, peers, outside: this.#open(port, peers, onDatagram) };
    this.#mappings.add(mapping);
    return {
      localPort: port,
      hasIpv6: mapping.outside.hasIpv6,
      fragmentsMade: () => 0,
      mtuTowards: async () => undefined,
      send: (packet, to) => {
        // Nobody else lives in the host's own network.
        if (to.isLan) return;
        peers.add(to.key);
        mapping.outside.send(packet, to);
      },
      close: () => {
        this.#mappings.delete(mapping);
        mapping.outside.close();
      },
    };
  }

  /** Gives the host another external address; only peers that are sent a new packet can answer from now on. */
  renumber(address: string): void {
    this.address = address;
    for (const mapping of this.#mappings) {
      mapping.outside.close();
      mapping.peers.clear();
      mapping.outside = this.#open(mapping.port, mapping.peers, mapping.onDatagram);
    }
  }

  #open(port: number, peers: ReadonlySet<string>, onDatagram: DatagramHandler): DatagramSocket {
    return this.#network.socket(this.address, port, (packet: Buffer, source: Endpoint) => {
      if (peers.has(source.key)) onDatagram(packet, source);
    });
  }
}
