/**
 * The fastest way: a client of a host that uses the agent. This file and all that it imports become one file of the bundle
 * (packaging/bundle.js), because to find and read fifty takes longer than all the rest. It shares nothing with the other files there.
 */
import { CodedError } from '../../base/coded-error.js';
import type { ListenDescriptor } from '../../platform/service-manager/listen-descriptors.js';
import { agentRoute } from './agent/agent-route.js';
import { isLight, runByAgent } from './agent/run-by-agent.js';
import { ExitStatus } from './exit-status.js';
import { hostNameOf, readCommandLine } from './flags.js';
import { findHost } from './hosts.js';
import { settingsOf } from './settings.js';
import { UsageError } from './usage-error.js';

/** @returns the exit status; undefined for all else, and for what is wrong on the command line, which main reports. Never throws CodedErrors */
export async function runLight(
  process: NodeJS.Process,
  descriptors: readonly ListenDescriptor[],
): Promise<number | undefined> {
  const words = process.argv.slice(2);
  const name = hostNameOf(words);
  if (name === undefined) return undefined;
  try {
    const line = readCommandLine(words);
    if (line.flags.some(({ flag }) => flag === '--help' || flag === '--version')) return undefined;
    const settings = settingsOf(line, process.env, await findHost(name, process.env));
    if (!isLight(settings)) return undefined;
    const route = await agentRoute(process, settings, line.flags);
    if (route === undefined) return undefined;
    const mayColour = line.flags.every(({ flag }) => flag !== '--no-color');
    return await runByAgent(process, settings, { route, mayColour, descriptors });
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    if (!(error instanceof CodedError)) throw error;
    process.stderr.write(`tuntox: ${error.message}\n`);
    return ExitStatus.Failed;
  }
}
