/** Tells whoever asks what bootstrap node this is; only public bootstrap nodes do (c-toxcore other/bootstrap_node_packets.c). */
import type { Endpoint } from '../../base/endpoint.js';
import type { DatagramHandler } from '../network/datagram-socket.js';
import { type BootstrapInfo, encodeBootstrapInfo, isBootstrapInfoRequest } from '../packet/bootstrap-info.js';

/** @throws RangeError when the message of the day is longer than 256 bytes */
export function infoService(info: BootstrapInfo, send: (packet: Buffer, to: Endpoint) => void): DatagramHandler {
  const answer = encodeBootstrapInfo(info);
  return (packet, source) => {
    if (isBootstrapInfoRequest(packet)) send(answer, source);
  };
}
