/** A real UDP socket that keeps samples of what it sends, and learns the DHT keys of its peers. */
import { silentLogger } from '../../../src/base/logger.js';
import { systemRandom } from '../../../src/base/random.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import type { DatagramHandler, DatagramSocket } from '../../../src/tox/network/datagram-socket.js';
import { openUdpSocket } from '../../../src/tox/network/udp-socket.js';
import { UdpKind } from '../../../src/tox/packet/kind.js';

/** Of each kind of packet and destination. */
const SAMPLES = 20;

export class Wiretap {
  readonly #samples = new Map<string, Buffer[]>();
  readonly #keys = new Map<string, PublicKey>();

  readonly open = async (onDatagram: DatagramHandler): Promise<DatagramSocket> => {
    const socket = await openUdpSocket(
      { random: systemRandom, log: silentLogger },
      {
        ports: 0,
        ipv6: false,
        onDatagram: (packet, source) => {
          const [kind = -1] = packet;
          if (kind <= UdpKind.NodesResponse && packet.length >= 33) {
            this.#keys.set(source.key, new PublicKey(packet.subarray(1, 33)));
          }
          onDatagram(packet, source);
        },
      },
    );
    return {
      localPort: socket.localPort,
      hasIpv6: socket.hasIpv6,
      fragmentsMade: () => 0,
      mtuTowards: async () => undefined,
      send: (packet, to) => {
        this.#keep(`${to.key} ${packet[0]}`, Buffer.from(packet));
        socket.send(packet, to);
      },
      close: () => socket.close(),
    };
  };

  /** What was sent, some of every kind. */
  get samples(): Buffer[] {
    return [...this.#samples.values()].flat();
  }

  /** The DHT key of the peer at this endpoint. */
  keyAt(endpoint: string): PublicKey | undefined {
    return this.#keys.get(endpoint);
  }

  #keep(name: string, packet: Buffer): void {
    const kept = this.#samples.get(name) ?? [];
    if (kept.length < SAMPLES) kept.push(Buffer.from(packet));
    this.#samples.set(name, kept);
  }
}
