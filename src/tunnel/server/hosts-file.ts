/**
 * Looks up names in /etc/hosts. The system's resolver, which has few threads, would let them wait for a silent name server. Systems
 * read this file first too (`hosts: files dns`).
 */
import type { LookupAddress } from 'node:dns';
import { promises } from 'node:fs';
import { isIP } from '../../base/ip-address.js';

/** Bytes; a longer file, such as a block list, is left to the system. */
const MAX_SIZE = 1024 * 1024;

/** @param host in lower case @param done called later, without addresses for an unknown name */
export type HostsLookup = (host: string, done: (addresses: LookupAddress[]) => void) => void;

/** Lookups that begin while the file is being read share the result. */
export function hostsFile(path = '/etc/hosts'): HostsLookup {
  let reading: Promise<string> | undefined;
  return (host, done) => {
    reading ??= readText(path).finally(() => {
      reading = undefined;
    });
    void reading.then((text) => done(addressesIn(text, host)));
  };
}

/** Returns '' for a file that cannot be read or is too long. */
async function readText(path: string): Promise<string> {
  try {
    return (await promises.stat(path)).size > MAX_SIZE ? '' : (await promises.readFile(path, 'latin1')).toLowerCase();
  } catch {
    return '';
  }
}

/** hosts(5): an address, then its names, separated by blanks; `#` begins a comment. @param text in lower case */
export function addressesIn(text: string, host: string): LookupAddress[] {
  if (!text.includes(host)) return [];
  return text.split('\n').flatMap((line) => {
    if (!line.includes(host)) return [];
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    return family !== 0 && names.includes(host) ? [{ address, family }] : [];
  });
}
