/** `tuntox agent status` and `stop`: what the running agent says. */
import { AgentError, Conversation } from '../../../agent/conversation.js';
import type { AgentEvent, AgentRequest } from '../../../agent/messages.js';
import { type AgentPlaces, AgentSocketError } from '../../../agent/socket-file.js';
import { systemClock } from '../../../base/clock.js';
import { writeResult } from '../../../base/result-output.js';
import { countText, durationText } from '../../../base/units.js';
import { keyOf } from '../../../engine/client/host-entry.js';
import { placesOf } from '../agent/agent-paths.js';
import { ExitStatus } from '../exit-status.js';
import { openHosts } from '../hosts.js';

const SHOWN_DIGITS = 8;
const FIELD = 11;

/** @returns the exit status: 3 without an agent */
export async function agentStatus(process: NodeJS.Process): Promise<number> {
  const places = placesOf(process.env);
  const status = await ask(places, { ask: 'status' });
  if (status === undefined) {
    process.stderr.write('No agent is running: the first command with the name of a host starts one.\n');
    return ExitStatus.NoServer;
  }
  await writeResult(process.stdout, await statusText(process.env, status));
  return ExitStatus.Ok;
}

async function statusText(environment: NodeJS.ProcessEnv, status: AgentEvent): Promise<string> {
  const hosts = await openHosts(environment).list();
  const servers = Array.isArray(status.servers) ? (status.servers as Record<string, unknown>[]) : [];
  const uptime = durationText(Number(status.uptimeMs));
  return [
    field('Agent', `${status.program}, process ${status.pid}, running for ${uptime}`),
    field('Socket', String(status.socket)),
    field('Key', String(status.key).slice(0, SHOWN_DIGITS)),
    ...servers.map(({ key, online, path: way, users }) => {
      const name = hosts.find(({ toxId }) => keyOf(toxId) === key)?.name ?? String(key).slice(0, SHOWN_DIGITS);
      const state = online === true ? `connected, ${way}` : 'being searched';
      return field(
        name,
        `${state}; ${users === 0 ? 'not in use' : `used by ${countText(Number(users), 'connection')}`}`,
      );
    }),
    '',
  ].join('\n');
}

const field = (name: string, text: string): string => `${name.padEnd(FIELD - 1)} ${text}`;

/** Resolves when the agent has ended. @returns the exit status */
export async function stopAgent(process: NodeJS.Process): Promise<number> {
  const places = placesOf(process.env);
  const answer = await ask(places, { ask: 'stop', when: 'now' });
  if (answer === undefined) {
    process.stderr.write('No agent is running.\n');
    return ExitStatus.Ok;
  }
  while ((await ask(places, { ask: 'status' })) !== undefined) {
    await new Promise<void>((resolve) => systemClock.after(PAUSE, resolve));
  }
  process.stderr.write('The agent has ended, and with it all connections to hosts.\n');
  return ExitStatus.Ok;
}

/** ms */
const PAUSE = 50;

/** @returns undefined if no agent is running @throws AgentSocketError, AgentError */
async function ask(places: AgentPlaces, request: AgentRequest): Promise<AgentEvent | undefined> {
  try {
    const { conversation } = await Conversation.begin({ clock: systemClock }, places, request);
    return await conversation.next().finally(() => conversation.close());
  } catch (error) {
    if (error instanceof AgentSocketError && error.code === 'not-running') return undefined;
    if (error instanceof AgentError && error.code === 'shutting-down') return undefined;
    throw error;
  }
}
