/** By which way bytes went between alice and bob, from what was on the wire. */
import type { Capture, Flows, Lab } from './lab.js';

/** Straight by UDP, over a relay at the hub, or straight to the TCP port of the one that is a relay itself. */
export const WAYS = ['direct', 'relay', 'relay of the peer'] as const;
export type Way = (typeof WAYS)[number];

export interface Place {
  /** Both are behind one NAT, and meet there. */
  readonly isPrivate?: boolean;
  /** There is no NAT between them. */
  readonly isUntranslated?: boolean;
}

/** Begins to record what alice exchanges with others. */
export function captureRoute(lab: Lab, { isPrivate }: Place): Promise<Capture> {
  return lab.capture(isPrivate ? 'alice' : 'nata');
}

/** Bytes that went each way. */
export async function bytesByWay(
  lab: Lab,
  flows: Flows,
  { isPrivate, isUntranslated }: Place,
): Promise<Readonly<Record<Way, number>>> {
  const addressOf = (host: 'alice' | 'bob'): Promise<string> =>
    isPrivate || isUntranslated ? lab.addressOf(host) : lab.addressOutside(host);
  const between = [await addressOf('alice'), await addressOf('bob')] as const;
  return {
    direct: flows.bytes({ between, by: 'udp' }),
    // By whatever protocol: nothing at all may go there when it is not the way.
    relay: flows.bytes({ with: await lab.addressOf('hub') }),
    'relay of the peer': flows.bytes({ between, by: 'tcp' }),
  };
}

/** The way that most bytes went. */
export function mainWay(bytes: Readonly<Record<Way, number>>): Way {
  return WAYS.reduce((a, b) => (bytes[b] > bytes[a] ? b : a));
}
