/** Asks a peer for its services. */
import type { Clock } from '../../base/clock.js';
import { TunnelError } from '../wire/reasons.js';
import type { Service } from '../wire/target.js';
import type { PeerLink } from './peer-link.js';

/** ms in which a peer answers a hello. */
const ANSWER_TIMEOUT = 10_000;

/** Resolves to those that we may reach; undefined if the peer is as upstream. @throws TunnelError `connection-lost`, `timeout` */
export function askServices(clock: Clock, link: PeerLink): Promise<readonly Service[] | undefined> {
  return new Promise((resolve, reject) => {
    const timeout = clock.after(ANSWER_TIMEOUT, () => {
      cancel();
      reject(new TunnelError('timeout'));
    });
    const cancel = link.askServices((services) => {
      timeout.cancel();
      if (services !== undefined || link.terms === 'upstream') resolve(services);
      else reject(new TunnelError('connection-lost'));
    });
  });
}
