/** Which ports a NAT may have opened for a friend, from those that others saw (c-toxcore punch_holes). */
import type { Endpoint } from '../../../base/endpoint.js';

/** Specification: MAX_PUNCHING_PORTS. */
export const GUESSES = 48;
const FIRST_UNPRIVILEGED_PORT = 1024;

/** The address that most reports agree on, with its port in each of those reports. */
export function mostCommonAddress(
  reports: readonly Endpoint[],
): { readonly address: string; readonly ports: readonly number[] } | undefined {
  const portsOf = new Map<string, number[]>();
  for (const { address, port } of reports) {
    const ports = portsOf.get(address);
    if (ports === undefined) portsOf.set(address, [port]);
    else ports.push(port);
  }
  let best: { readonly address: string; readonly ports: readonly number[] } | undefined;
  for (const [address, ports] of portsOf) if (ports.length > (best?.ports.length ?? 0)) best = { address, ports };
  return best;
}

/** 48 ports around the ones seen, alternating above and below, farther away with each round. @param index guesses made so far */
export function portsNear(ports: readonly number[], index: number): number[] {
  return Array.from({ length: GUESSES }, (_, guess) => {
    const step = guess + index;
    const distance = Math.floor(step / (2 * ports.length)) * (step % 2 === 0 ? 1 : -1);
    const seen = ports[Math.floor(step / 2) % ports.length] as number;
    return (seen + distance) & 0xffff;
  });
}

/** 48 ports from 1024 upwards, for the NATs that begin to count there. */
export function portsFromBottom(index: number): number[] {
  return Array.from({ length: GUESSES }, (_, guess) => (FIRST_UNPRIVILEGED_PORT + index + guess) & 0xffff);
}
