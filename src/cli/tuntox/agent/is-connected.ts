/** Whether an agent is connected to a server at this moment. */
import { AgentError, Conversation } from '../../../agent/conversation.js';
import type { AgentHost, AgentTarget } from '../../../agent/messages.js';
import { type AgentPlaces, AgentSocketError } from '../../../agent/socket-file.js';
import { systemClock } from '../../../base/clock.js';

/** False also without an agent, and if it would refuse one of the targets. Never rejects. */
export async function isConnected(
  places: AgentPlaces,
  host: AgentHost,
  targets?: readonly AgentTarget[],
): Promise<boolean> {
  try {
    const request = { ask: 'hold', host, targets, onlyIfConnected: true } as const;
    return (await Conversation.ask({ clock: systemClock }, places, request))?.event === 'held';
  } catch (error) {
    if (error instanceof AgentError || error instanceof AgentSocketError) return false;
    throw error;
  }
}
