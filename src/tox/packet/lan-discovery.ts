/**
 * What a node calls out in its local network (spec: "LAN discovery"):
 *
 *     0x21 || sender's DHT key (32)
 */
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { PublicKey } from '../crypto/keys.js';
import { PUBLIC_KEY_SIZE } from '../crypto/sodium.js';
import { UdpKind } from './kind.js';

export function encodeLanDiscovery(sender: PublicKey): Buffer {
  return new ByteWriter(1 + PUBLIC_KEY_SIZE).u8(UdpKind.LanDiscovery).bytes(sender.bytes).finish();
}

export function decodeLanDiscovery(packet: Buffer): PublicKey | undefined {
  const reader = new ByteReader(packet);
  const kind = reader.u8();
  const sender = reader.bytes(PUBLIC_KEY_SIZE);
  return reader.isComplete && kind === UdpKind.LanDiscovery ? new PublicKey(sender) : undefined;
}
