/**
 * The purpose of an address, by IANA's registries of special-purpose addresses (RFC 6890, RFC 8190; as of 2024). An address that is
 * not "globally reachable" there is not public. Small exceptions within larger blocks (192.0.0.9, 2001:1::1) are ignored: no node
 * runs there.
 *
 * - local: this machine, its network and the provider's: loopback, private, shared, link-local and unique local addresses
 * - documentation: addresses for examples, used in test networks
 * - benchmark: networks for measuring devices
 * - reserved: all others
 */
export type AddressKind = 'public' | 'local' | 'documentation' | 'benchmark' | 'reserved';

type Block = readonly [prefix: readonly number[], bits: number, kind: AddressKind | 'IPv4 within'];

/** The first matching block counts. */
const IPV4: readonly Block[] = [
  [[0], 8, 'reserved'],
  [[10], 8, 'local'],
  [[100, 64], 10, 'local'],
  [[127], 8, 'local'],
  [[169, 254], 16, 'local'],
  [[172, 16], 12, 'local'],
  [[192, 0, 0], 24, 'reserved'],
  [[192, 0, 2], 24, 'documentation'],
  [[192, 88, 99], 24, 'reserved'],
  [[192, 168], 16, 'local'],
  [[198, 18], 15, 'benchmark'],
  [[198, 51, 100], 24, 'documentation'],
  [[203, 0, 113], 24, 'documentation'],
  [[224], 3, 'reserved'],
];

const LOOPBACK = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/** An embedded IPv4 address is reached by a translator or a tunnel. Global addresses are in 2000::/3. */
const IPV6: readonly Block[] = [
  [LOOPBACK, 128, 'local'],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 96, 'IPv4 within'],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 96, 'IPv4 within'],
  [[0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], 96, 'IPv4 within'],
  [[0x00, 0x64, 0xff, 0x9b, 0x00, 0x01], 48, 'local'],
  [[0x20, 0x01, 0x00, 0x02, 0x00, 0x00], 48, 'benchmark'],
  [[0x20, 0x01, 0x00], 23, 'reserved'],
  [[0x20, 0x01, 0x0d, 0xb8], 32, 'documentation'],
  [[0x20, 0x02], 16, 'IPv4 within'],
  [[0x3f, 0xff, 0x00], 20, 'documentation'],
  [[0x20], 3, 'public'],
  [[0xfc], 7, 'local'],
  [[0xfe, 0x80], 9, 'local'],
  [[], 0, 'reserved'],
];

/** @param bytes 4 or 16, in network order */
export function addressKind(bytes: Buffer): AddressKind {
  const blocks = bytes.length === 4 ? IPV4 : IPV6;
  const kind = blocks.find(([prefix, bits]) => isWithin(bytes, prefix, bits))?.[2] ?? 'public';
  if (kind !== 'IPv4 within') return kind;
  // 6to4 (2002::/16) has it after the prefix, all others at the end.
  const at = bytes[0] === 0x20 ? 2 : 12;
  return addressKind(bytes.subarray(at, at + 4));
}

function isWithin(bytes: Buffer, prefix: readonly number[], bits: number): boolean {
  for (let at = 0, left = bits; left > 0; at += 1, left -= 8) {
    const mask = left >= 8 ? 0xff : 0xff & (0xff << (8 - left));
    if (((bytes[at] as number) & mask) !== prefix[at]) return false;
  }
  return true;
}
