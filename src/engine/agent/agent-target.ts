/** Targets on the agent's socket, and in the tunnel protocol, where a service is a name with port 0 (docs/tunnel-protocol.md). */
import type { AgentTarget } from '../../agent/messages.js';
import type { Target } from '../../tunnel/wire/target.js';

export const agentTarget = ({ host, port, protocol }: Target): AgentTarget =>
  port === 0 ? { service: host, protocol } : { host, port, protocol };

export const tunnelTarget = (target: AgentTarget): Target =>
  'service' in target ? { host: target.service, port: 0, protocol: target.protocol } : target;
