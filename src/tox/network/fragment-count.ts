/** Counts the fragments that this system made of datagrams too large for their path (RFC 4293, ipSystemStatsOutFragCreates). */
import { readFileSync } from 'node:fs';

type Read = (path: string) => string;

/**
 * Returns a function that reads the count, of all programs in this network namespace; always 0 if unknown. It never throws, and
 * returns the last known count while the counters cannot be read, such as without a free descriptor.
 */
export function fragmentCounter(read: Read = (path) => readFileSync(path, 'latin1')): () => number {
  let [ipv4, ipv6] = [0, 0];
  return () => {
    ipv4 = readOr(ipv4, () => ipv4Fragments(read('/proc/self/net/snmp')));
    ipv6 = readOr(ipv6, () => ipv6Fragments(read('/proc/self/net/snmp6')));
    return ipv4 + ipv6;
  };
}

/** Reads a line of names and a line of their values: `Ip: Forwarding … FragCreates …` and `Ip: 1 … 12 …`. */
export function ipv4Fragments(text: string): number {
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('Ip: '))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('FragCreates')] ?? 0) || 0;
}

/** Reads the line `Ip6FragCreates                  	12`. */
export function ipv6Fragments(text: string): number {
  return Number(/^Ip6FragCreates\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

function readOr(known: number, read: () => number): number {
  try {
    return read();
  } catch {
    return known;
  }
}
