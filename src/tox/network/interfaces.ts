/** The addresses of this machine and where its local networks listen. */
import { networkInterfaces } from 'node:os';

export interface LocalInterface {
  /** A literal address; a link-local IPv6 one has its scope (`fe80::1%eth0`). */
  readonly address: string;
  /** IPv4 only: where a datagram reaches everybody on that network. */
  readonly broadcast?: string;
}

/** What the system has now; loopback is left out. */
export function localInterfaces(): LocalInterface[] {
  const found: LocalInterface[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
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

/** The last address of the network, such as 192.168.1.255 for 192.168.1.7 and 255.255.255.0. */
export function broadcastOf(address: string, netmask: string): string {
  const mask = netmask.split('.').map(Number);
  return address
    .split('.')
    .map((part, index) => Number(part) | (~(mask[index] as number) & 0xff))
    .join('.');
}
