/**
 * What the daemon of a machine shares with the users of it: its connections to the servers of its forwards, and there the targets of these
 * forwards, which the users can reach by the local ports as well. Nothing else that the daemon's key may do is for them.
 */
import type { AgentTarget, HostRequest } from '../../agent/messages.js';
import { targetText } from '../../base/endpoint.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import { canonicalHost, type Target } from '../../tunnel/wire/target.js';
import type { StandingForwards } from '../client/standing-forwards.js';
import { tunnelTarget } from './agent-target.js';

const ADD = 'its owner adds one with tuntoxctl forward add';

/** Returns why a request to a server is refused; undefined if it is not. */
export const refusalOfShared =
  (forwards: Pick<StandingForwards, 'targetsOf'>) =>
  (server: PublicKey, request: HostRequest): string | undefined => {
    const shared = forwards.targetsOf(server);
    if (shared === undefined) return `the daemon of this machine has no forward to this server: ${ADD}`;
    if (request.host.secret !== undefined) return 'the daemon of this machine uses its own secret: send none';
    if (request.ask === 'leave') return 'the daemon of this machine keeps its connections';
    // It would connect to its own machine with its own rights.
    if (request.ask === 'listen') return 'the daemon of this machine has servers open no ports for its users';
    if (request.ask === 'services') return 'the daemon of this machine does not list the services of servers';
    const other = targetsOf(request)
      .map(tunnelTarget)
      .find((target) => !shared.some((one) => isSameTarget(one, target)));
    return other && `the daemon of this machine has no forward to ${targetText(other)} of this server: ${ADD}`;
  };

function targetsOf(request: HostRequest): readonly AgentTarget[] {
  if (request.ask === 'open') return [request.target];
  return request.ask === 'hold' ? (request.targets ?? []) : [];
}

const isSameTarget = (one: Target, other: Target): boolean =>
  one.port === other.port && one.protocol === other.protocol && canonicalHost(one.host) === canonicalHost(other.host);
