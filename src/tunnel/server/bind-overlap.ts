/** Whether a port at one address prevents the same port at another. */
import { isIPv4 } from 'node:net';
import { LOOPBACK } from '../../base/host-listener.js';
import type { ListenPlace } from '../wire/listen.js';
import { literalAddress } from '../wire/target.js';

type Bind = ListenPlace['bind'];

const ALL = '::';
const ALL_IPV4 = '0.0.0.0';

/** Whether two places with the same port may need the same socket of the system. A name other than `localhost` may have any address. */
export function mayOverlap(one: Bind, other: Bind): boolean {
  const [some, others] = [addressesOf(one), addressesOf(other)];
  if (some === undefined || others === undefined) return true;
  return some.some((a) => others.some((b) => covers(a, b) || covers(b, a)));
}

function addressesOf(bind: Bind): readonly string[] | undefined {
  if (bind === undefined || bind === ALL) return [ALL];
  if (bind === 'localhost') return LOOPBACK.map(({ address }) => address);
  const literal = literalAddress(bind);
  return literal === undefined ? undefined : [literal];
}

const covers = (wide: string, narrow: string): boolean =>
  wide === narrow || wide === ALL || (wide === ALL_IPV4 && isIPv4(narrow));
