/**
 * A datagram of a UDP session, or a fragment of one, is a lossy packet of the channel:
 *
 *     0xd5 || flags u8 || tunnel id u16 || bytes
 *     0xd5 || flags u8 || tunnel id u16 || datagram number u16 || index u8 || count u8 || bytes       (fragment)
 *
 *     flags: 1 from the side that accepted the tunnel, 2 fragment; packets with other flags are dropped
 *
 * The number counts the fragmented datagrams of one direction of one tunnel. All fragments but the last are equally long.
 */

const KIND = 0xd5;
const FROM_ACCEPTOR = 1;
const FRAGMENT = 2;
const HEADER_SIZE = 4;
const FRAGMENT_HEADER_SIZE = 8;
/** Bytes of the largest datagram of UDP over IPv4. */
export const MAX_DATAGRAM = 65_507;
const MAX_FRAGMENTS = 255;

export interface Fragment {
  readonly number: number;
  readonly index: number;
  readonly count: number;
}

export interface DatagramPacket {
  readonly tunnelId: number;
  readonly isFromAcceptor: boolean;
  /** Undefined for a whole datagram. */
  readonly fragment: Fragment | undefined;
  /** A view into the packet. */
  readonly bytes: Buffer;
}

/**
 * @param from.number of the datagram, if it has to be divided
 * @param packetSize bytes of a packet, at least 266, so that the largest datagram has no more than 255 fragments
 */
export function encodeDatagram(
  bytes: Buffer,
  from: { readonly tunnelId: number; readonly isAcceptor: boolean; readonly number: number },
  packetSize: number,
): readonly Buffer[] {
  const side = from.isAcceptor ? FROM_ACCEPTOR : 0;
  if (HEADER_SIZE + bytes.length <= packetSize) {
    const packet = Buffer.allocUnsafe(HEADER_SIZE + bytes.length);
    writeHeader(packet, side, from.tunnelId);
    packet.set(bytes, HEADER_SIZE);
    return [packet];
  }
  const size = packetSize - FRAGMENT_HEADER_SIZE;
  const count = Math.ceil(bytes.length / size);
  if (count > MAX_FRAGMENTS) throw new RangeError(`datagram: ${bytes.length} bytes`);
  return Array.from({ length: count }, (_, index) => {
    const part = bytes.subarray(index * size, (index + 1) * size);
    const packet = Buffer.allocUnsafe(FRAGMENT_HEADER_SIZE + part.length);
    writeHeader(packet, side | FRAGMENT, from.tunnelId);
    packet.writeUInt16BE(from.number, 4);
    packet[6] = index;
    packet[7] = count;
    packet.set(part, FRAGMENT_HEADER_SIZE);
    return packet;
  });
}

export function decodeDatagram(packet: Buffer): DatagramPacket | undefined {
  const flags = packet[1] ?? 0;
  if (packet.length < HEADER_SIZE || packet[0] !== KIND || flags > (FROM_ACCEPTOR | FRAGMENT)) return undefined;
  const tunnelId = packet.readUInt16BE(2);
  const isFromAcceptor = (flags & FROM_ACCEPTOR) !== 0;
  if ((flags & FRAGMENT) === 0) {
    return { tunnelId, isFromAcceptor, fragment: undefined, bytes: packet.subarray(HEADER_SIZE) };
  }
  if (packet.length <= FRAGMENT_HEADER_SIZE) return undefined;
  const [index, count] = [packet[6] as number, packet[7] as number];
  if (count < 2 || index >= count) return undefined;
  const fragment = { number: packet.readUInt16BE(4), index, count };
  return { tunnelId, isFromAcceptor, fragment, bytes: packet.subarray(FRAGMENT_HEADER_SIZE) };
}

function writeHeader(packet: Buffer, flags: number, tunnelId: number): void {
  packet[0] = KIND;
  packet[1] = flags;
  packet.writeUInt16BE(tunnelId, 2);
}
