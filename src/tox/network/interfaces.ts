/** The addresses of this machine, and the broadcast addresses of its local networks. */
import { networkInterfaces } from 'node:os';
import { messageOf, systemCodeOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';

export interface LocalInterface {
  /** A literal address; a link-local IPv6 one has its scope (`fe80::1%eth0`). */
  readonly address: string;
  /** IPv4 only: the address at which a datagram reaches all machines of that network. */
  readonly broadcast?: string;
}

/** The system's, except in tests. */
export type ListInterfaces = typeof networkInterfaces;

/** Lists the interfaces. The system cannot always do so: it needs a descriptor and memory for it, and some systems forbid it. */
export class LocalInterfaces {
  readonly #log: Logger;
  readonly #list: ListInterfaces;
  #known: readonly LocalInterface[] = [];
  #isReadable = true;

  constructor(deps: { readonly log: Logger; readonly list?: ListInterfaces }) {
    this.#log = deps.log;
    this.#list = deps.list ?? networkInterfaces;
  }

  /** Returns the present interfaces, or the last known ones, without loopback. Never throws. */
  read(): readonly LocalInterface[] {
    try {
      this.#known = interfacesIn(this.#list());
      this.#isReadable = true;
    } catch (error) {
      const why = systemCodeOf(error) ?? messageOf(error);
      const text = `cannot list the addresses of this machine (${why}), so their changes go unnoticed`;
      if (this.#isReadable) this.#log.warn(text);
      this.#isReadable = false;
    }
    return this.#known;
  }
}

function interfacesIn(listed: ReturnType<ListInterfaces>): LocalInterface[] {
  const found: LocalInterface[] = [];
  for (const [name, addresses] of Object.entries(listed)) {
    for (const { address, netmask, family, internal, scopeid } of addresses?.map(withScope) ?? []) {
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
