/** Targets on the agent's socket, and in the tunnel protocol, where services and Unix sockets have port 0 (docs/tunnel-protocol.md). */
import type { AgentTarget, OwnTarget } from '../../agent/messages.js';
import { type Target, unixPathOf } from '../../tunnel/wire/target.js';

export function agentTarget(target: Target): AgentTarget {
  const { host, port, protocol } = target;
  if (unixPathOf(target) !== undefined) return { path: host };
  return port === 0 ? { service: host, protocol } : { host, port, protocol };
}

/** Of a target of this machine, which has no services. */
export const ownTarget = (target: Target): OwnTarget =>
  unixPathOf(target) === undefined ? target : { path: target.host };

export function tunnelTarget(target: AgentTarget): Target {
  if ('path' in target) return { host: target.path, port: 0 };
  return 'service' in target ? { host: target.service, port: 0, protocol: target.protocol } : target;
}
