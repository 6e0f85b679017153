/** The requests for the version and message of a bootstrap node, and their responses, as c-toxcore's tools see them. */

export const BOOTSTRAP_INFO_REQUEST = Buffer.from([0xf0, ...Buffer.alloc(77)]);

export function decodeBootstrapInfo(packet: Buffer): { readonly version: number; readonly motd: string } | undefined {
  if (packet.length < 5 || packet[0] !== 0xf0) return undefined;
  return { version: packet.readUInt32BE(1), motd: packet.toString('utf8', 5) };
}
