/** `tuntox forget`: removes a stored host and its pinned key, and has the agent disconnect from it. */
import { writeResult } from '../../../base/result-output.js';
import { countText } from '../../../base/units.js';
import { HostError, keyOf, type StoredHost } from '../../../engine/client/host-entry.js';
import { placesOf } from '../agent/agent-paths.js';
import { ExitStatus } from '../exit-status.js';
import type { CommandLine } from '../flags.js';
import { openHosts } from '../hosts.js';
import { UsageError } from '../usage-error.js';
import { askAgent } from './agent-commands.js';

export async function runForget({ arguments: [name = ''] }: CommandLine, process: NodeJS.Process): Promise<number> {
  const hosts = openHosts(process.env);
  let forgotten: StoredHost;
  try {
    forgotten = await hosts.remove(name);
  } catch (error) {
    if (error instanceof HostError && error.code === 'unknown') throw new UsageError(error.message);
    throw error;
  }
  const { toxId } = forgotten;
  const others = (await hosts.list()).filter((host) => keyOf(host.toxId) === keyOf(toxId));
  const users = others.length > 0 ? 0 : await disconnect(process.env, toxId);
  const stay = users === 1 ? 'stays until it ends' : 'stay until they end';
  const note = users === 0 ? '' : ` ${countText(users, 'connection')} to it ${stay}.`;
  await writeResult(process.stdout, `${forgotten.name} is forgotten, with its pinned key.${note}\n`);
  return ExitStatus.Ok;
}

/** An agent that cannot be asked leaves the host after the idle time. @returns how many connections use it still. Never rejects */
async function disconnect(environment: NodeJS.ProcessEnv, toxId: string): Promise<number> {
  try {
    const left = await askAgent(placesOf(environment), { ask: 'leave', host: { toxId } });
    return Number(left?.users ?? 0);
  } catch {
    return 0;
  }
}
