/** The default gateway of this machine, as Linux reports it. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { systemCodeOf } from '../../base/coded-error.js';

export interface Gateway {
  /** Literal IPv4 addresses: the router's, and this machine's in the same network. */
  readonly address: string;
  readonly ownAddress: string;
}

/** The kernel's table of IPv4 routes (proc(5)), which the sandbox of the units has; other systems have none. */
const ROUTES = '/proc/self/net/route';
/** Linux (RTF_UP, RTF_GATEWAY): the route is in use, and uses a router. */
const UP_AND_GATEWAY = 0x3;

interface DefaultRoute {
  readonly device: string;
  readonly gateway: string;
}

/** The system's, except in tests. */
export interface RouteSources {
  /** Reads the table. @throws system errors */
  readonly routes: () => string;
  readonly interfaces: typeof networkInterfaces;
}

const SYSTEM: RouteSources = { routes: () => readFileSync(ROUTES, 'latin1'), interfaces: networkInterfaces };

/**
 * Returns a function that reads the gateway: undefined if there is none, or if this system has no table. It never throws, and
 * returns the last known gateway while the table cannot be read, such as without a free descriptor.
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
  // The router knows a machine with several addresses by the one in its own network.
  const neighbour = own.find(({ address, netmask }) => isSameNetwork(address, route.gateway, netmask)) ?? own[0];
  return neighbour === undefined ? undefined : { address: route.gateway, ownAddress: neighbour.address };
}

/**
 * Returns the default route with the lowest metric that uses a router. A line of the table has the device, destination, gateway,
 * flags, reference count, use, metric and mask; addresses are hexadecimal in the machine's byte order.
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

/** All machines that Node supports here are little-endian. */
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
