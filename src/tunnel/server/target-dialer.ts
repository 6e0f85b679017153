/** Connects to targets of every kind. */
import type { Clock } from '../../base/clock.js';
import { type Target, unixPathOf } from '../wire/target.js';
import type { SourceOf } from './client-source.js';
import type { Dialer } from './dialer.js';
import { NameLookup } from './name-lookup.js';
import { TcpDialer } from './tcp-dialer.js';
import { UdpDialer } from './udp-dialer.js';
import { UnixDialer } from './unix-dialer.js';

/** @param options.sourceOf by default the system chooses from where targets are connected to */
export function targetDialer(clock: Clock, options: { readonly sourceOf?: SourceOf | undefined } = {}): Dialer {
  const { sourceOf } = options;
  const deps = { names: new NameLookup(clock), ...(sourceOf === undefined ? {} : { sourceOf }) };
  const [tcp, udp, unix] = [new TcpDialer(clock, deps), new UdpDialer(clock, deps), new UnixDialer(clock)];
  const dialerOf = (target: Target): Dialer => {
    if (target.protocol === 'udp') return udp;
    return unixPathOf(target) === undefined ? tcp : unix;
  };
  return { dial: (peerId, target, handlers) => dialerOf(target).dial(peerId, target, handlers) };
}
