/**
 * The routes of this machine, as Linux reports them (proc(5)); other systems have no such tables. The sandbox of the units
 * (`ProcSubset=pid`) has /proc/self/net, but not /proc/net.
 */
import { closeSync, openSync } from 'node:fs';
import { readUpTo } from '../../base/bounded-read.js';

export interface SystemRoute {
  readonly device: string;
  /** The first address of its network in network order, and the bits that all of them have in common. */
  readonly network: Buffer;
  readonly length: number;
  /** Of two routes to one network, the system takes that with the smaller one. */
  readonly metric: number;
}

/** A line of the table of IPv4; addresses are 4 bytes in network order. */
export interface Ipv4Line {
  readonly device: string;
  readonly destination: Buffer;
  readonly gateway: Buffer;
  readonly mask: Buffer;
  readonly flags: number;
  readonly metric: number;
}

export const IPV4_ROUTES = '/proc/self/net/route';
const IPV6_ROUTES = '/proc/self/net/ipv6_route';
/** Linux (RTF_UP, RTF_REJECT): the route is in use; it refuses packets. */
const UP = 0x1;
const REJECT = 0x200;
/** Bytes. A machine with thousands of routes is a router of the internet; its tables would take too long. */
const MAX_TABLE = 256 * 1024;

/** Returns the routes of both families; none where they are unknown or too many. Never throws. @param read returns up to `limit` bytes of a file */
export function readSystemRoutes(read: (path: string, limit: number) => string = readFile): readonly SystemRoute[] {
  const tableAt = (path: string): string => {
    try {
      const text = read(path, MAX_TABLE);
      return text.length < MAX_TABLE ? text : '';
    } catch {
      // Another system, or no free descriptor.
      return '';
    }
  };
  return [...ipv4RoutesIn(tableAt(IPV4_ROUTES)), ...ipv6RoutesIn(tableAt(IPV6_ROUTES))];
}

function readFile(path: string, limit: number): string {
  const fd = openSync(path, 'r');
  try {
    return readUpTo(fd, limit).toString('latin1');
  } finally {
    closeSync(fd);
  }
}

/**
 * A line has the device, destination, gateway, flags, reference count, use, metric and mask. Addresses are hexadecimal in the machine's
 * byte order; all machines that Node supports here are little-endian. Other lines, such as the heading, are left out.
 */
export function ipv4LinesIn(table: string): Ipv4Line[] {
  return table.split('\n').flatMap((line) => {
    const [device = '', to = '', by = '', flags = '', , , metric = '', bits = ''] = line.split('\t');
    const [destination, gateway, mask] = [to, by, bits].map((hex) => bytesOf(hex, 4)?.reverse());
    if (destination === undefined || gateway === undefined || mask === undefined) return [];
    return [{ device, destination, gateway, mask, flags: Number.parseInt(flags, 16), metric: Number(metric) }];
  });
}

export const ipv4RoutesIn = (table: string): SystemRoute[] =>
  ipv4LinesIn(table)
    .filter(({ flags }) => isUsed(flags))
    .map(({ device, destination, mask, metric }) => {
      const length = mask.reduce((sum, byte) => sum + onesIn(byte), 0);
      return { device, network: destination, length, metric };
    });

/**
 * A line has the destination, its length, a source, its length, the next hop, metric, reference count, use, flags and device, all numbers
 * hexadecimal. Networks that every device has (link-local, multicast), and routes for some sources only, are left out.
 */
export function ipv6RoutesIn(table: string): SystemRoute[] {
  return table.split('\n').flatMap((line) => {
    const [destination = '', length = '', , sourceLength, , metric = '', , , flags = '', device = ''] =
      line.split(/ +/);
    const network = bytesOf(destination, 16);
    if (network === undefined || sourceLength !== '00' || isOfEachDevice(network)) return [];
    if (!isUsed(Number.parseInt(flags, 16))) return [];
    return [{ device, network, length: Number.parseInt(length, 16), metric: Number.parseInt(metric, 16) }];
  });
}

const isUsed = (flags: number): boolean => (flags & (UP | REJECT)) === UP;

const isOfEachDevice = ([first = 0, second = 0]: Buffer): boolean =>
  first === 0xff || (first === 0xfe && (second & 0xc0) === 0x80);

const bytesOf = (hex: string, length: number): Buffer | undefined =>
  hex.length === 2 * length && /^[0-9A-Fa-f]+$/.test(hex) ? Buffer.from(hex, 'hex') : undefined;

const onesIn = (byte: number): number => byte.toString(2).replaceAll('0', '').length;

/** Returns the route that the system takes to an address: the narrowest, then that with the smallest metric. @param address 4 or 16 bytes */
export function routeTo(address: Buffer, routes: readonly SystemRoute[]): SystemRoute | undefined {
  let best: SystemRoute | undefined;
  for (const route of routes) {
    const isBetter =
      best === undefined || route.length > best.length || (route.length === best.length && route.metric < best.metric);
    if (isBetter && isInside(address, route)) best = route;
  }
  return best;
}

function isInside(address: Buffer, { network, length }: SystemRoute): boolean {
  if (address.length !== network.length) return false;
  return network.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, length - 8 * index));
    return (byte ^ (address[index] as number)) >> (8 - bits) === 0;
  });
}
