/** The socket of who shall send no datagram, because a proxy or a firewall lets none through: all are lost. */
import type { DatagramSocket } from './datagram-socket.js';

export const noUdp: DatagramSocket = {
  localPort: 0,
  hasIpv6: false,
  fragmentsMade: () => 0,
  mtuTowards: async () => undefined,
  send: () => {},
  close: () => {},
};
