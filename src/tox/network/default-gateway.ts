/** The default gateway of this machine, as Linux reports it. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { systemCodeOf } from '../../base/coded-error.js';
import { IPV4_ROUTES, ipv4LinesIn } from './system-routes.js';

export interface Gateway {
  /** Literal IPv4 addresses: the router's, and this machine's in the same network. */
  readonly address: string;
  readonly ownAddress: string;
}

/** Linux (RTF_UP, RTF_GATEWAY): the route is in use, and uses a router. */
const UP_AND_GATEWAY = 0x3;
/** The destination and the mask of a default route. */
const ANY = Buffer.alloc(4);

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

const SYSTEM: RouteSources = { routes: () => readFileSync(IPV4_ROUTES, 'latin1'), interfaces: networkInterfaces };

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

/** Returns the default route with the lowest metric that uses a router. */
export function defaultRouteIn(table: string): DefaultRoute | undefined {
  const routes = ipv4LinesIn(table)
    .filter(({ destination, mask }) => destination.equals(ANY) && mask.equals(ANY))
    .filter(({ flags }) => (flags & UP_AND_GATEWAY) === UP_AND_GATEWAY)
    .map(({ device, gateway, metric }) => ({ device, gateway: gateway.join('.'), metric }));
  return routes.sort((one, other) => one.metric - other.metric)[0];
}

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
