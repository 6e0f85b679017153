/** Starts the user's agent in the background. */
import { AgentError } from '../../../agent/conversation.js';
import { startInBackground } from '../../../platform/process/background.js';

/** These are for a client; the agent's environment shows them as long as it runs. */
const NOT_FOR_AGENT = ['TUNTOX_SHARED_SECRET'];

/** @param options such as `--bootstrap=…` @throws AgentError; what went wrong is on standard error */
export async function startAgent(process: NodeJS.Process, options: readonly string[]): Promise<void> {
  const [, program = ''] = process.argv;
  const environment = { ...process.env };
  for (const name of NOT_FOR_AGENT) delete environment[name];
  const command = [process.execPath, ...process.execArgv, program, 'agent', 'start', ...options];
  const status = await startInBackground(process, { command, environment });
  if (status !== 0)
    throw new AgentError('not-started', 'the agent, which holds the connections to servers, did not start');
}
