/** Classes of addresses, for rules about targets. */
import { BlockList } from 'node:net';
import { Endpoint } from './endpoint.js';

/**
 * - loopback: this machine, also by the unspecified address
 * - link-local: the local link, and the fixed addresses of the metadata services of clouds
 * - private: private and shared networks, unique local addresses
 * - multicast: groups, and the IPv4 broadcast
 * - public: none of these, and globally reachable (see address-kind)
 */
export const ADDRESS_CLASSES = ['public', 'private', 'loopback', 'link-local', 'multicast'] as const;
export type AddressClass = (typeof ADDRESS_CLASSES)[number];

type Special = Exclude<AddressClass, 'public'>;

const BLOCKS: Readonly<Record<Special, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '0.0.0.0/8', '::/127'],
  // Metadata services: Oracle's classic cloud, Alibaba, Azure ("wire server") and AWS by IPv6; the others use 169.254.169.254.
  'link-local': [
    '169.254.0.0/16',
    'fe80::/10',
    '192.0.0.192/32',
    '100.100.100.200/32',
    '168.63.129.16/32',
    'fd00:ec2::254/128',
  ],
  private: [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    'fc00::/7',
    'fec0::/10',
    '64:ff9b:1::/48',
  ],
  multicast: ['224.0.0.0/4', '255.255.255.255/32', 'ff00::/8'],
};

/** A list per family, because a block of IPv6 with mapped addresses would contain all of IPv4. */
const LISTS = new Map(
  (Object.keys(BLOCKS) as Special[]).map((name) => [
    name,
    {
      4: listOf(BLOCKS[name].filter((block) => !block.includes(':'))),
      6: listOf(BLOCKS[name].filter((block) => block.includes(':'))),
    },
  ]),
);

function listOf(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', bits] = block.split('/');
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Returns whether an address is in a class; some are in two. A text that is no address is in none. */
export function isOfClass(address: string, name: AddressClass): boolean {
  const endpoint = Endpoint.of(address, 0);
  if (endpoint === undefined) return false;
  const inner = innerIPv4(endpoint);
  if (inner !== undefined) return isOfClass(inner, name);
  const isIn = (special: Special): boolean =>
    LISTS.get(special)?.[endpoint.family].check(bare(endpoint.address), endpoint.family === 4 ? 'ipv4' : 'ipv6') ??
    false;
  if (name !== 'public') return isIn(name);
  return endpoint.kind === 'public' && !(Object.keys(BLOCKS) as Special[]).some(isIn);
}

/**
 * Returns the addresses at which a connection may arrive: the address without its zone, an embedded IPv4 address, and for the
 * unspecified address loopback.
 */
export function arrivalsOf(address: string): string[] {
  const plain = bare(address);
  const endpoint = Endpoint.of(plain, 0);
  const inner = endpoint && innerIPv4(endpoint);
  return [plain, ...(inner === undefined ? [] : [inner])].flatMap((one) => [one, ...(UNSPECIFIED[one] ?? [])]);
}

const UNSPECIFIED: Readonly<Record<string, readonly string[]>> = { '0.0.0.0': ['127.0.0.1'], '::': ['::1'] };

/** Removes the zone of a link-local address. */
const bare = (address: string): string => address.replace(/%.*/, '');

/** Returns the embedded IPv4 address to which a translator or tunnel leads: NAT64 (RFC 6052), SIIT (RFC 7915), 6to4, IPv4-compatible. */
function innerIPv4(endpoint: Endpoint): string | undefined {
  if (endpoint.family === 4) return undefined;
  const bytes = endpoint.toBytes();
  const start = bytes.toString('hex', 0, 12);
  const isAtEnd = TRANSLATED.has(start) || (start === '0'.repeat(24) && bytes.readUInt32BE(12) > 1);
  if (isAtEnd) return Endpoint.ofBytes(bytes.subarray(12), 0).address;
  return bytes.readUInt16BE() === 0x2002 ? Endpoint.ofBytes(bytes.subarray(2, 6), 0).address : undefined;
}

/** 64:ff9b::/96 and ::ffff:0:0:0/96. */
const TRANSLATED: ReadonlySet<string> = new Set(['0064ff9b0000000000000000', '0000000000000000ffff0000']);
