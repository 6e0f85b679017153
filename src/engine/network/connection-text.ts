/** The facts about a connection in words, for a line of the log. */
import { relayReasons } from '../../base/relay-reasons.js';
import { shortKey } from '../../base/short-key.js';
import { bytesText, countText, durationText } from '../../base/units.js';
import type { ConnectionFacts, ConnectionPath, FlowFacts, PathRelay } from '../../tox/connection-facts.js';

type RelayReason = Extract<ConnectionPath, { kind: 'relayed' }>['reason'];

const RELAY_REASONS: Readonly<Record<RelayReason, string>> = relayReasons('the peer');

/** Returns the path in words; the reason is in parentheses, as one word that programs may search for. */
export function pathText(path: ConnectionPath): string {
  switch (path.kind) {
    case 'none':
      return `not connected (${path.reason})`;
    case 'direct':
      return `direct to ${path.endpoint}`;
    case 'relayed': {
      const { relay, reason } = path;
      const by = relay === undefined ? '' : ` by ${relayText(relay)}`;
      const why = RELAY_REASONS[reason];
      return `relayed (${reason})${by}: ${why}`;
    }
  }
}

function relayText({ owner, publicKey, endpoint }: PathRelay): string {
  if (owner === 'us') return 'our own relay';
  return `${owner === 'peer' ? 'its own relay' : shortKey(publicKey)} at ${endpoint}`;
}

/** Returns the path and its age, round trip, bytes and rates. */
export function summaryText(facts: ConnectionFacts): string {
  const { path, rtt, received, sent, retransmissions, lossyDropped } = facts;
  const way =
    path.kind === 'direct' ? 'direct' : path.kind === 'relayed' ? `relayed (${path.reason})` : 'not connected';
  const roundTrip = rtt === undefined ? '' : `rtt ${rtt.toFixed(1)} ms, `;
  const flows = `in ${flowText(received)}, out ${flowText(sent)}, ${retransmissions} resent`;
  const lost = lossyDropped === 0 ? '' : `, ${countText(lossyDropped, 'packet')} of datagrams dropped`;
  return `${way} for ${durationText(path.age)}, ${roundTrip}${flows}${lost}`;
}

/** Returns the last error in parentheses, after a space; empty when there was none. */
export function errorText({ lastError }: ConnectionFacts): string {
  return lastError === undefined ? '' : ` (${lastError.text})`;
}

const flowText = ({ bytes, rate }: FlowFacts): string => `${bytesText(bytes)} (${bytesText(rate)}/s)`;
