/** How many fragments this system has made of datagrams that were too large for their path (RFC 4293, ipSystemStatsOutFragCreates). */
import { readFileSync } from 'node:fs';

/** Of all programs in this network namespace; always 0 where the system does not say. */
export function fragmentsMade(): number {
  return ipv4Fragments(read('/proc/self/net/snmp')) + ipv6Fragments(read('/proc/self/net/snmp6'));
}

/** A line of names, and one of their values: `Ip: Forwarding … FragCreates …` and `Ip: 1 … 12 …`. */
export function ipv4Fragments(text: string): number {
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('Ip: '))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('FragCreates')] ?? 0) || 0;
}

/** A line each: `Ip6FragCreates                  	12`. */
export function ipv6Fragments(text: string): number {
  return Number(/^Ip6FragCreates\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
