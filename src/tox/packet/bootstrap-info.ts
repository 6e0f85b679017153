/**
 * What a bootstrap node says about itself to whoever asks (c-toxcore other/bootstrap_node_packets.c). Nothing is encrypted.
 *
 *     request    0xf0 || 77 bytes that nobody reads
 *     response   0xf0 || version u32 || message of the day, at most 256 bytes
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { UdpKind } from './kind.js';

const REQUEST_SIZE = 78;
export const MAX_MOTD_SIZE = 256;

export interface BootstrapInfo {
  readonly version: number;
  readonly motd: string;
}

export function encodeBootstrapInfoRequest(): Buffer {
  return new ByteWriter(REQUEST_SIZE)
    .u8(UdpKind.BootstrapInfo)
    .zeros(REQUEST_SIZE - 1)
    .finish();
}

export function isBootstrapInfoRequest(packet: Buffer): boolean {
  return packet.length === REQUEST_SIZE && packet[0] === UdpKind.BootstrapInfo;
}

/** @throws RangeError when the message of the day is longer than 256 bytes in UTF-8 */
export function encodeBootstrapInfo({ version, motd }: BootstrapInfo): Buffer {
  const text = Buffer.from(motd);
  if (text.length > MAX_MOTD_SIZE) throw new RangeError('encodeBootstrapInfo: message of the day too long');
  return new ByteWriter(5 + text.length).u8(UdpKind.BootstrapInfo).u32(version).bytes(text).finish();
}

/** Some nodes end the message with a NUL, which is left out. */
export function decodeBootstrapInfo(packet: Buffer): BootstrapInfo | undefined {
  const reader = new ByteReader(packet);
  const kind = reader.u8();
  const version = reader.u32();
  const text = reader.rest();
  if (!reader.isComplete || kind !== UdpKind.BootstrapInfo || text.length > MAX_MOTD_SIZE) return undefined;
  return { version, motd: text.toString().replace(/\0+$/, '') };
}
