/** The MTU of an interface of this machine, as Linux reports it. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** The system's, except in tests. */
export interface MtuSources {
  readonly interfaces: typeof networkInterfaces;
  /** @throws system errors */
  readonly read: (path: string) => string;
}

const SYSTEM: MtuSources = { interfaces: networkInterfaces, read: (path) => readFileSync(path, 'latin1') };

/** Returns the MTU of the interface with this address, bytes of IP, headers included; undefined if unknown. */
export function interfaceMtu(ownAddress: string, sources = SYSTEM): number | undefined {
  try {
    for (const [name, addresses] of Object.entries(sources.interfaces())) {
      if (!addresses?.some(({ address }) => address === ownAddress)) continue;
      // A second address may have its own name, such as eth0:1.
      const [device] = name.split(':');
      return Number.parseInt(sources.read(`/sys/class/net/${device}/mtu`), 10) || undefined;
    }
  } catch {
    // Unreadable, such as without a free descriptor.
  }
  return undefined;
}
