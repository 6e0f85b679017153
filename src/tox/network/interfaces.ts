/**
 * The addresses of this machine, and the broadcast addresses of its local networks. A device whose packets travel in a tunnel of ours
 * (docs/vpn.md) is none of them: a session with the other end that used it would carry itself. Neither is used for what the system
 * routes to that device.
 */
import { readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { messageOf, systemCodeOf } from '../../base/coded-error.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import { LruMap } from '../../base/lru-map.js';
import { readSystemRoutes, routeTo, type SystemRoute } from './system-routes.js';

/** The alias of such a device (`ip link set dev NAME alias tuntox-vpn`), as systemd/vpn.sh sets it. */
const OWN_VPN = 'tuntox-vpn';
/** Of a device without hardware, such as TUN. */
const NO_MAC = '00:00:00:00:00:00';
/** Bits of routes to a large part of the internet, by length of an address: the nodes of Tox are reached by them. */
const DEFAULT_ROUTE: Readonly<Record<number, number>> = { 4: 7, 16: 3 };
/** Addresses for which the answer of `isInOwnVpn` is kept: more than there are peers that send much. */
const MAX_ANSWERS = 256;

export interface LocalInterface {
  /** A literal address; a link-local IPv6 one has its scope (`fe80::1%eth0`). */
  readonly address: string;
  /** IPv4 only: the address at which a datagram reaches all machines of that network. */
  readonly broadcast?: string;
}

/** The system's, except in tests. */
export type ListInterfaces = typeof networkInterfaces;

type Listed = readonly (readonly [name: string, addresses: readonly NetworkInterfaceInfo[]])[];

/** Lists the interfaces. The system cannot always do so: it needs a descriptor and memory for it, and some systems forbid it. */
export class LocalInterfaces {
  readonly #log: Logger;
  readonly #list: ListInterfaces;
  readonly #aliasOf: (name: string) => string;
  readonly #routes: () => readonly SystemRoute[];
  #known: readonly LocalInterface[] = [];
  #ownVpns: Networks | undefined;
  #isReadable = true;

  /** @param deps.aliasOf of a device, or '' */
  constructor(deps: {
    readonly log: Logger;
    readonly list?: ListInterfaces;
    readonly aliasOf?: (name: string) => string;
    readonly routes?: () => readonly SystemRoute[];
  }) {
    this.#log = deps.log;
    this.#list = deps.list ?? networkInterfaces;
    this.#aliasOf = deps.aliasOf ?? systemAlias;
    this.#routes = deps.routes ?? readSystemRoutes;
  }

  /** Returns the present interfaces, or the last known ones, without loopback and without VPNs of ours. Never throws. */
  read(): readonly LocalInterface[] {
    try {
      const all: Listed = Object.entries(this.#list()).map(([name, addresses = []]) => [name, addresses]);
      const vpns = all.filter(([name, addresses]) => this.#isOwnVpn(name, addresses));
      this.#known = interfacesIn(all.filter((one) => !vpns.includes(one)));
      this.#ownVpns = vpns.length === 0 ? undefined : new Networks(vpns, this.#routes());
      this.#isReadable = true;
    } catch (error) {
      const why = systemCodeOf(error) ?? messageOf(error);
      const text = `cannot list the addresses of this machine (${why}), so their changes go unnoticed`;
      if (this.#isReadable) this.#log.warn(text);
      this.#isReadable = false;
    }
    return this.#known;
  }

  /** Whether an address is in the network of a VPN of ours, or routed into it, as it was when `read` was called last. */
  isInOwnVpn(endpoint: Endpoint): boolean {
    return this.#ownVpns?.has(endpoint) ?? false;
  }

  #isOwnVpn(name: string, addresses: readonly NetworkInterfaceInfo[]): boolean {
    return addresses.some(({ mac, internal }) => mac === NO_MAC && !internal) && this.#aliasOf(name) === OWN_VPN;
  }
}

/** The networks of some devices, and those that are routed to them. */
class Networks {
  readonly #names: ReadonlySet<string>;
  readonly #networks = new BlockList();
  readonly #routes: readonly SystemRoute[];
  readonly #answers = new LruMap<string, boolean>(MAX_ANSWERS);

  constructor(listed: Listed, routes: readonly SystemRoute[]) {
    this.#routes = routes;
    this.#names = new Set(listed.map(([name]) => name));
    for (const { cidr, family, scopeid } of listed.flatMap(([, addresses]) => addresses.map(withScope))) {
      // Link-local addresses are of this network on every device.
      if (cidr === null || scopeid !== 0) continue;
      const [network = '', length = ''] = cidr.split('/');
      this.#networks.addSubnet(network, Number(length), family === 'IPv4' ? 'ipv4' : 'ipv6');
    }
  }

  has(endpoint: Endpoint): boolean {
    const { address, family } = endpoint;
    let answer = this.#answers.get(address);
    if (answer === undefined) {
      const [bare = '', scope] = address.split('%');
      if (scope !== undefined) answer = this.#names.has(scope);
      else answer = this.#networks.check(bare, `ipv${family}`) || this.#isRoutedTo(endpoint);
      this.#answers.set(address, answer);
    }
    return answer;
  }

  #isRoutedTo(endpoint: Endpoint): boolean {
    const address = endpoint.toBytes();
    const route = routeTo(address, this.#routes);
    if (route === undefined || !this.#names.has(route.device)) return false;
    return route.length > (DEFAULT_ROUTE[address.length] ?? 0);
  }
}

function systemAlias(name: string): string {
  try {
    return readFileSync(`/sys/class/net/${name}/ifalias`, 'latin1').trim();
  } catch {
    // Not on Linux, or gone.
    return '';
  }
}

function interfacesIn(listed: Listed): LocalInterface[] {
  const found: LocalInterface[] = [];
  for (const [name, addresses] of listed) {
    for (const { address, netmask, family, internal, scopeid } of addresses.map(withScope)) {
      if (internal) continue;
      if (family === 'IPv4') found.push({ address, broadcast: broadcastOf(address, netmask) });
      else found.push({ address: scopeid === 0 ? address : `${address}%${name}` });
    }
  }
  return found;
}

/** Node has `scopeid` on IPv6 entries only. */
const withScope = <T extends object>(info: T): T & { readonly scopeid: number } => ({ scopeid: 0, ...info });

/** Returns the last address of a network, such as 192.168.1.255 for 192.168.1.7 and 255.255.255.0. */
export function broadcastOf(address: string, netmask: string): string {
  const mask = netmask.split('.').map(Number);
  return address
    .split('.')
    .map((part, index) => Number(part) | (~(mask[index] as number) & 0xff))
    .join('.');
}
