/** `connections`: the tunnels of clients. */
import { rfc3339 } from '../../base/clock.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers, Result } from '../../control/protocol.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import { clientName, findKnown } from './client-names.js';
import type { MethodContext } from './context.js';
import { repeat } from './repeat.js';

export type Connection = Result<'connections.list'>['connections'][number];
type Path = Connection['path'];
type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine'>;
type MethodDeps = Deps & Pick<MethodContext, 'targets'>;
type Names = 'connections.list' | 'connections.watch' | 'connections.close';

export function connectionMethods(deps: MethodDeps): Pick<MethodHandlers, Names> {
  const list = (client: string | undefined): Result<'connections.list'> => ({
    schema: 'tuntox.connections/1',
    connections: connectionsOf(deps, client === undefined ? undefined : findKnown(deps, client).hex),
  });
  return {
    'connections.list': ({ client }) => list(client),
    'connections.watch': async ({ client, intervalMs }, emit, { signal }) => {
      await repeat({ clock: deps.clock, intervalMs, signal }, () => emit(list(client)));
    },
    'connections.close': ({ connection, client, dryRun }) => {
      const closed = chosen(deps, connection, client);
      if (!dryRun) for (const { id } of closed) deps.engine.tunnels.closeTunnel(numberOf(id));
      return { schema: 'tuntox.closed/1', closed };
    },
  };
}

/** Returns the tunnels that clients have opened or are opening, and their listeners. @param peerId the key of one client, in upper-case hex */
function tunnelsOf({ admission, engine: { tunnels } }: Deps, peerId?: string) {
  const clients = new Map(admission.clients.map((client) => [client.id, client]));
  const isWanted = (one: { readonly peerId: string }): boolean =>
    clients.has(one.peerId) && (peerId === undefined || one.peerId === peerId);
  return {
    clients,
    connecting: tunnels.connecting().filter(isWanted),
    listeners: tunnels.openPorts().filter(isWanted),
    open: tunnels.list().filter((one) => one.peerRole === 'client' && isWanted(one)),
  };
}

export function countConnections(deps: Deps): number {
  const { connecting, open } = tunnelsOf(deps);
  return connecting.length + open.length;
}

/** Returns the tunnels and listeners of clients in the order of their numbers. @param peerId the key of one client, in upper-case hex */
export function connectionsOf(deps: Deps, peerId?: string): Connection[] {
  const { clients, connecting, listeners, open } = tunnelsOf(deps, peerId);
  const roundTrips = new Map(deps.engine.tunnels.links.list().map((peer) => [peer.peerId, peer.roundTrip]));
  // Computed once for each client, however many tunnels it has.
  const common = new Map(
    [...new Set([...connecting, ...listeners, ...open].map((one) => one.peerId))].map((id) => {
      const client = clients.get(id) as AdmittedClient;
      const roundTripMs = roundTripOf(client, roundTrips.get(id));
      return [id, { client: clientName(deps, client.friend.publicKey), path: pathOf(client), roundTripMs }];
    }),
  );
  const shown = (
    one: (typeof connecting)[number] | (typeof listeners)[number] | (typeof open)[number],
    rest: Pick<Connection, 'kind' | 'state'> & Partial<Connection>,
  ): Connection => ({
    id: `c-${one.number}`,
    ...(common.get(one.peerId) as Pick<Connection, 'client' | 'path' | 'roundTripMs'>),
    target: { ...one.target },
    ageMs: one.age,
    bytesReceived: 0,
    bytesSent: 0,
    localPort: null,
    ...rest,
  });
  const rows = [
    ...connecting.map((one) => shown(one, { kind: 'tunnel', state: 'connecting' })),
    ...listeners.map((one) => shown(one, { kind: 'listener', state: 'listening', localPort: one.target.port })),
    ...open.map((one) => {
      const { isClosing, bytesReceived, bytesSent, localPort = null } = one;
      const kind = one.listener !== undefined ? 'reverse' : 'tunnel';
      return shown(one, { kind, state: isClosing ? 'closing' : 'open', bytesReceived, bytesSent, localPort });
    }),
  ];
  return rows.sort((a, b) => numberOf(a.id) - numberOf(b.id));
}

export function pathOf({ friend: { path } }: AdmittedClient): Path {
  const since = rfc3339(path.since);
  switch (path.kind) {
    case 'none':
      return { kind: 'none', since, reason: path.reason };
    case 'direct':
      return { kind: 'direct', since, address: path.endpoint };
    case 'relayed':
      return { kind: 'relayed', since, address: path.relay?.endpoint ?? null, reason: path.reason };
  }
}

/** Returns the round trip of the session, which is measured all the time, or else that of the last ping through it. */
export const roundTripOf = ({ friend }: AdmittedClient, pinged: number | undefined): number | null =>
  friend.facts.rtt ?? pinged ?? null;

const numberOf = (id: string): number => Number(id.slice('c-'.length));

function chosen(deps: MethodDeps, connection: string | undefined, client: string | undefined): Connection[] {
  if ((connection === undefined) === (client === undefined)) {
    throw new ControlError('bad-params', 'name either a connection or a client');
  }
  if (client !== undefined) return connectionsOf(deps, findKnown(deps, client).hex);
  const found = connectionsOf(deps).filter(({ id }) => id === connection);
  if (found.length > 0) return found;
  throw new ControlError('not-found', `there is no connection ${connection}`, {
    hint: 'to list them: tuntoxctl connections',
  });
}
