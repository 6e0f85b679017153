/** Finds out whether a peer still answers, sooner than its session ends: that takes half a minute after the peer was killed. */
import { type Clock, pause } from '../../base/clock.js';
import type { PeerLink } from '../link/peer-link.js';

/** ms. A living peer of our kind sends something every two seconds at least. */
const SILENCE = 5_000;
/** The peer has two seconds to answer, however long it has been silent; between two checks, packets that had to wait are read. */
const CHECK_INTERVAL = 500;
const MIN_CHECKS = 4;

/** Resolves to true as soon as the peer sends anything, and to false once it has been silent for 5 s. */
export async function isAnswering(clock: Clock, link: Pick<PeerLink, 'channel' | 'ping'>): Promise<boolean> {
  const askedAt = clock.now();
  link.ping().catch(() => {});
  for (let checks = 0; checks < MIN_CHECKS || link.channel.silence < SILENCE; checks += 1) {
    await pause(clock, CHECK_INTERVAL);
    if (link.channel.silence < clock.now() - askedAt) return true;
  }
  return false;
}
