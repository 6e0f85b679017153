/** `tuntox agent start`, `status` and `stop`: what the running agent says. */
import { readFileSync } from 'node:fs';
import { AgentError, agentEnded, Conversation } from '../../../agent/conversation.js';
import type { AgentEvent, AgentRequest } from '../../../agent/messages.js';
import { type AgentPlaces, AgentSocketError } from '../../../agent/socket-file.js';
import { pause, systemClock } from '../../../base/clock.js';
import { silentLogger } from '../../../base/logger.js';
import { ownVersion } from '../../../base/own-files.js';
import { writeResult } from '../../../base/result-output.js';
import { shortKey } from '../../../base/short-key.js';
import { countText, durationText } from '../../../base/units.js';
import type { AgentSettings } from '../../../config/classic-settings.js';
import { keyOf } from '../../../engine/client/host-entry.js';
import { AgentAccess } from '../agent/agent-access.js';
import { placesOf } from '../agent/agent-paths.js';
import { writtenOptions } from '../agent/network-options.js';
import { startAgent } from '../agent/start-agent.js';
import { ExitStatus } from '../exit-status.js';
import type { GivenFlag } from '../flags.js';
import { openHosts } from '../hosts.js';

const FIELD = 11;

/** @returns the exit status: 3 without an agent */
export async function agentStatus(process: NodeJS.Process): Promise<number> {
  const places = placesOf(process.env);
  const status = await askAgent(places, { ask: 'status' });
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
    field('Key', shortKey(String(status.key))),
    ...servers.map(({ key, online, path: way, users }) => {
      const name = hosts.find(({ toxId }) => keyOf(toxId) === key)?.name ?? shortKey(String(key));
      const path = way === 'none' ? 'but nothing arrives' : way;
      const state = online === true ? `connected, ${path}` : 'being searched';
      return field(
        name,
        `${state}; ${users === 0 ? 'not in use' : `used by ${countText(Number(users), 'connection')}`}`,
      );
    }),
    '',
  ].join('\n');
}

const field = (name: string, text: string): string => `${name.padEnd(FIELD - 1)} ${text}`;

/** Starts an agent in the background, unless one is running. @returns the exit status @throws AgentError, AgentSocketError */
export async function startAgentByHand(process: NodeJS.Process, settings: AgentSettings, flags: readonly GivenFlag[]) {
  let hasStarted = false;
  const start = async (): Promise<void> => {
    await startAgent(process, writtenOptions(flags));
    hasStarted = true;
  };
  const access = new AgentAccess(
    { clock: systemClock, log: silentLogger, start },
    { places: placesOf(process.env), program: `tuntox ${ownVersion()}`, networkOptions: settings.networkOptions },
  );
  const conversation = await access.begin({ ask: 'status' });
  const status = await conversation.next().finally(() => conversation.close());
  if (status === undefined) throw agentEnded();
  const which = `${status.program}, process ${status.pid}`;
  const { idleTimeout } = settings;
  const end = idleTimeout === undefined ? '' : `, or when nobody has used it for ${durationText(idleTimeout)}`;
  process.stderr.write(
    hasStarted
      ? `The agent has started (${which}). It ends with "tuntox agent stop"${end}.\n`
      : `An agent is running already (${which}), with the options that it was started with.\n`,
  );
  return ExitStatus.Ok;
}

/** Resolves when the agent has ended, and has written its files. @returns the exit status */
export async function stopAgent(process: NodeJS.Process): Promise<number> {
  const places = placesOf(process.env);
  const status = await askAgent(places, { ask: 'status' });
  const answer = status && (await askAgent(places, { ask: 'stop', when: 'now' }));
  if (answer === undefined) {
    process.stderr.write('No agent is running.\n');
    return ExitStatus.Ok;
  }
  while ((await askAgent(places, { ask: 'status' })) !== undefined) await pause(systemClock, PAUSE);
  // It closes its socket first.
  for (let left = END_PATIENCE / PAUSE; left > 0 && isRunning(Number(status?.pid)); left -= 1) {
    await pause(systemClock, PAUSE);
  }
  process.stderr.write('The agent has ended, and with it all connections to hosts.\n');
  return ExitStatus.Ok;
}

/** ms */
const PAUSE = 50;
/** ms for an agent without a socket to end; it may be of a container, where its process has another number. */
const END_PATIENCE = 10_000;

/** A process that has ended has no command line, even if its parent has not asked for its status. */
function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}

/** @returns undefined if no agent is running @throws AgentSocketError, AgentError */
export async function askAgent(places: AgentPlaces, request: AgentRequest): Promise<AgentEvent | undefined> {
  try {
    return await Conversation.ask({ clock: systemClock }, places, request);
  } catch (error) {
    if (error instanceof AgentSocketError && error.code === 'not-running') return undefined;
    if (error instanceof AgentError && error.code === 'shutting-down') return undefined;
    throw error;
  }
}
