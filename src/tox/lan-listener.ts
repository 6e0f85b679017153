/**
 * Hears the calls of LAN discovery where our own port is one that nobody calls on. What answers a call goes out from our own
 * socket, and this one only receives.
 */
import { messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import { LISTENING_PORTS } from './dht/bootstrap/lan-discovery.js';
import type { DatagramHandler } from './network/datagram-socket.js';
import { openUdpSocket } from './network/udp-socket.js';
import { UdpKind } from './packet/kind.js';

export interface LanListener {
  close(): void;
}

/** @returns undefined when others have all the ports, which leaves it to our own calls to find our neighbours */
export async function openLanListener(
  deps: { readonly random: Random; readonly log: Logger },
  options: { readonly ipv6: boolean; readonly onCall: DatagramHandler },
): Promise<LanListener | undefined> {
  const { ipv6, onCall } = options;
  const onDatagram: DatagramHandler = (packet, source) => {
    if (packet[0] === UdpKind.LanDiscovery) onCall(packet, source);
  };
  try {
    return await openUdpSocket(deps, { ports: LISTENING_PORTS, ipv6, onDatagram });
  } catch (error) {
    deps.log.debug(`calls from the local network are not heard: ${messageOf(error)}`);
    return undefined;
  }
}
