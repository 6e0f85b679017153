/** The router that this machine sends everything to which is not local, as Linux tells it. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { systemCodeOf } from '../../base/coded-error.js';

export interface Gateway {
  /** Literal IPv4 addresses: the router's, and ours in the same network. */
  readonly address: string;
  readonly ownAddress: string;
}

/** The kernel's table of IPv4 routes (proc(5)); other systems have none. */
const ROUTES = '/proc/net/route';
/** Linux (RTF_UP, RTF_GATEWAY): the route is in use, and leads over a router. */
const UP_AND_GATEWAY = 0x3;

export interface DefaultRoute {
  readonly device: string;
  readonly gateway: string;
}

/** For tests; the system's own otherwise. */
export interface RouteSources {
  /** The table. @throws system errors */
  readonly routes: () => string;
  readonly interfaces: typeof networkInterfaces;
}

const SYSTEM: RouteSources = { routes: () => readFileSync(ROUTES, 'latin1'), interfaces: networkInterfaces };

/**
 * @returns what tells the router, again and again: undefined when there is none, or when this system has no table. What cannot
 * be read now, for want of a descriptor, is as it was. It never throws
 */
export function gatewayReader(sources = SYSTEM): () => Gateway | undefined {
  let known: Gateway | undefined;
  return () => {
    try {
      known = readGateway(sources);
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') known = undefined;
    }
    return known;
  };
}

function readGateway({ routes, interfaces }: RouteSources): Gateway | undefined {
  const route = defaultRouteIn(routes());
  if (route === undefined) return undefined;
  const own = interfaces()[route.device]?.filter(({ family }) => family === 'IPv4') ?? [];
  // Several addresses on one device: the router knows us by the one that is in its own network.
  const neighbour = own.find(({ address, netmask }) => isSameNetwork(address, route.gateway, netmask)) ?? own[0];
  return neighbour === undefined ? undefined : { address: route.gateway, ownAddress: neighbour.address };
}

/**
 * Of the routes to everywhere that lead over a router, the one that the kernel prefers. A line of the table has the device,
 * destination, gateway, flags, reference count, use, metric and mask; addresses are hexadecimal in the machine's byte order.
 */
export function defaultRouteIn(table: string): DefaultRoute | undefined {
  const routes = table.split('\n').flatMap((line) => {
    const [device = '', destination, gateway = '', flags = '', , , metric = '', mask] = line.split('\t');
    if (destination !== '00000000' || mask !== '00000000' || !/^[0-9A-F]{8}$/.test(gateway)) return [];
    if ((Number.parseInt(flags, 16) & UP_AND_GATEWAY) !== UP_AND_GATEWAY) return [];
    return [{ device, gateway: addressOf(gateway), metric: Number(metric) }];
  });
  return routes.sort((a, b) => a.metric - b.metric)[0];
}

/** Node runs on little-endian machines. */
const addressOf = (hex: string): string => [...Buffer.from(hex, 'hex')].reverse().join('.');

function isSameNetwork(one: string, other: string, netmask: string): boolean {
  const masked = (address: string): string => {
    const mask = netmask.split('.').map(Number);
    return address
      .split('.')
      .map((part, index) => Number(part) & (mask[index] ?? 0))
      .join('.');
  };
  return masked(one) === masked(other);
}
