/** How large packets may be on the interface of this machine that leads to an address, as Linux tells it. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** For tests; the system's own otherwise. */
export interface MtuSources {
  readonly interfaces: typeof networkInterfaces;
  /** @throws system errors */
  readonly read: (path: string) => string;
}

const SYSTEM: MtuSources = { interfaces: networkInterfaces, read: (path) => readFileSync(path, 'latin1') };

/**
 * @param ownAddress of this machine, by which the system sends to there
 * @returns bytes of IP, headers included; undefined where the system does not say
 */
export function interfaceMtu(ownAddress: string, sources = SYSTEM): number | undefined {
  try {
    for (const [name, addresses] of Object.entries(sources.interfaces())) {
      if (!addresses?.some(({ address }) => address === ownAddress)) continue;
      // A second address may have a name of its own, such as eth0:1.
      const [device] = name.split(':');
      return Number.parseInt(sources.read(`/sys/class/net/${device}/mtu`), 10) || undefined;
    }
  } catch {
    // For want of a descriptor, say.
  }
  return undefined;
}
