/**
 * A NAT of the simulated network before one host, that lets in only answers from where was sent to: a port-restricted cone
 * with one port for all destinations, or a symmetric one with a new port for each, counting up or drawn at random.
 */
import { Endpoint } from '../../src/base/endpoint.js';
import type { Random } from '../../src/base/random.js';
import type { DatagramHandler, DatagramSocket } from '../../src/tox/network/datagram-socket.js';
import type { SimulatedNetwork } from './simulated-network.js';

export type Mapping = 'cone' | 'in sequence' | 'at random';

/** Of the symmetric kinds: as most systems have it, above the ports that services have. */
const FIRST_PORT = 32_768;
const LAST_PORT = 65_535;

/** Opens the socket of the host, which is behind a NAT with this address. */
export function openBehindNat(
  { network, random }: { readonly network: SimulatedNetwork; readonly random: Random },
  { address, port, mapping }: { readonly address: string; readonly port: number; readonly mapping: Mapping },
  onDatagram: DatagramHandler,
): DatagramSocket {
  const opened = new Map<string, DatagramSocket>();
  let nextPort = FIRST_PORT + random.below(1_000);
  const newPort = (): number => {
    if (mapping === 'in sequence') return nextPort++;
    for (;;) {
      const drawn = FIRST_PORT + random.below(LAST_PORT - FIRST_PORT + 1);
      if (![...opened.values()].some(({ localPort }) => localPort === drawn)) return drawn;
    }
  };
  const open = (to: Endpoint): DatagramSocket => {
    if (mapping !== 'cone') {
      return network.socket(address, newPort(), (packet, source) => {
        if (source.equals(to)) onDatagram(packet, source);
      });
    }
    const [cone] = opened.values();
    return (
      cone ??
      network.socket(address, port, (packet, source) => {
        if (opened.has(source.key)) onDatagram(packet, source);
      })
    );
  };
  return {
    localPort: port,
    hasIpv6: Endpoint.of(address, port)?.family === 6,
    fragmentsMade: () => 0,
    mtuTowards: async () => undefined,
    send: (packet, to) => {
      // Nobody else lives in the host's own network.
      if (to.isLan) return;
      let outside = opened.get(to.key);
      if (outside === undefined) {
        outside = open(to);
        opened.set(to.key, outside);
      }
      outside.send(packet, to);
    },
    close: () => {
      for (const outside of opened.values()) outside.close();
    },
  };
}
