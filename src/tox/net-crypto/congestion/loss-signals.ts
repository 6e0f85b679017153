/** What the losses of a round indicate, together with its round trip and the mode of congestion control. Pure. */
import type { Mode } from './mode.js';
import type { Round } from './round.js';

/** BBR: part and number of packets lost in a round that indicate an overflow, if the round trip is raised. */
const OVERFLOW_LOSS = 0.02;
const OVERFLOW_PACKETS = 6;
/** The same if the round trip is not raised, as behind a policer; random loss is not as heavy. */
const HEAVY_LOSS = 0.2;
const HEAVY_PACKETS = 16;
/** The same for the socket of a polled peer, whose overflow no round trip shows. */
const POLLED_LOSS = 0.1;
const POLLED_PACKETS = 8;

export interface LossContext {
  readonly mode: Mode;
  readonly isPolled: boolean;
  readonly isRaised: boolean;
  /** Whether a competing flow keeps the queue full despite loss. */
  readonly hasCompetitor: boolean;
  /** When Startup ended last, ms of the clock. */
  readonly startupEndedAt: number;
}

export interface LossSignals {
  /** Whether more than single packets were lost. */
  readonly isLossy: boolean;
  /** Whether the path carries much less than was sent, as behind a policer. */
  readonly isHeavy: boolean;
  /** Whether something overflowed because of what was in flight. */
  readonly isOverflow: boolean;
  /** Whether a queue overflowed that is not filled by a probe; this counts until the next probe. */
  readonly isShortTerm: boolean;
  /** Whether a probe for bandwidth overflowed a queue. */
  readonly isProbeOverflow: boolean;
}

/** Whether so much of the round was lost that no random loss explains it. */
export const isHeavyLoss = ({ loss, lostPackets }: Pick<Round, 'loss' | 'lostPackets'>): boolean =>
  lostPackets >= HEAVY_PACKETS && loss > HEAVY_LOSS;

export function judgeLosses(
  round: Pick<Round, 'loss' | 'lostPackets' | 'lastLostSentAt'>,
  path: LossContext,
): LossSignals {
  const { mode, isPolled, isRaised, hasCompetitor } = path;
  const { loss, lostPackets, lastLostSentAt } = round;
  const isLossy = lostPackets >= OVERFLOW_PACKETS && loss > OVERFLOW_LOSS;
  if (isPolled) {
    const isOverflow = (lostPackets >= POLLED_PACKETS && loss > POLLED_LOSS) || (isRaised && isLossy && !hasCompetitor);
    return { isLossy, isHeavy: false, isOverflow, isShortTerm: false, isProbeOverflow: false };
  }
  // Startup may overflow a queue, which is no policer, with all packets that it sent (RFC 9002, 7.3.2).
  const isOfStartup = lastLostSentAt < path.startupEndedAt || (mode === 'startup' && isRaised);
  const isHeavy = isHeavyLoss(round) && !isOfStartup;
  const isBetweenProbes = mode === 'cruise' || mode === 'probe-rtt';
  const isQueueOverflow = isRaised && isLossy;
  const isOfProbe = mode === 'probe-up' || mode === 'probe-down';
  return {
    isLossy,
    isHeavy,
    isOverflow: isHeavy || (isQueueOverflow && !hasCompetitor && !isBetweenProbes),
    isShortTerm: isQueueOverflow && (isBetweenProbes || mode === 'probe-down'),
    isProbeOverflow: isQueueOverflow && isOfProbe && !isHeavy,
  };
}
