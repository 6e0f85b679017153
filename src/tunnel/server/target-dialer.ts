/** Connects to targets of every kind. */
import type { Clock } from '../../base/clock.js';
import type { SourceOf } from './client-source.js';
import { type Dialer, TcpDialer } from './dialer.js';
import { NameLookup } from './name-lookup.js';
import { UdpDialer } from './udp-dialer.js';

/** @param options.sourceOf by default the system chooses from where targets are connected to */
export function targetDialer(clock: Clock, options: { readonly sourceOf?: SourceOf | undefined } = {}): Dialer {
  const { sourceOf } = options;
  const deps = { names: new NameLookup(clock), ...(sourceOf === undefined ? {} : { sourceOf }) };
  const [tcp, udp] = [new TcpDialer(clock, deps), new UdpDialer(clock, deps)];
  return {
    dial: (peerId, target, handlers) => (target.protocol === 'udp' ? udp : tcp).dial(peerId, target, handlers),
  };
}
