/** Where the pipe of a client leads. */
import type { PipeSettings } from '../../../config/classic-settings.js';
import type { TargetText } from '../../../config/formats.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';

/** The service that a server may have for its sshd, and the port of ssh that means it. */
const SSH = { host: 'ssh', port: 0 } as const;
const SSH_PORT = 22;

/** @throws ServerError, TunnelError, AgentError */
export async function pipeTarget(
  { target, sshPort }: Pick<PipeSettings, 'target' | 'sshPort'>,
  server: Pick<Remote, 'services'>,
): Promise<TargetText> {
  if (sshPort !== SSH_PORT) return target;
  const services = await server.services();
  return services?.some(({ name }) => name === SSH.host) ? SSH : target;
}
