/** `connections`: the tunnels of clients. */
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers } from '../../control/method-handlers.js';
import type { Result } from '../../control/protocol.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import { clientName, findClient, knownClients } from './clients-by-name.js';
import type { MethodContext } from './context.js';
import { every } from './streams.js';

export type Connection = Result<'connections.list'>['connections'][number];
export type Path = Connection['path'];
type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine'>;
type Names = 'connections.list' | 'connections.watch' | 'connections.close';

export function connectionMethods(deps: Deps): Pick<MethodHandlers, Names> {
  const list = (client: string | undefined): Result<'connections.list'> => ({
    schema: 'tuntox.connections/1',
    connections: connectionsOf(deps, client === undefined ? undefined : findClient(client, knownClients(deps)).hex),
  });
  return {
    'connections.list': ({ client }) => list(client),
    'connections.watch': ({ client, interval }, emit, { signal }) =>
      every({ clock: deps.clock, interval, signal }, () => void emit(list(client))),
    'connections.close': ({ connection, client, dryRun }) => {
      const closed = chosen(deps, connection, client);
      if (!dryRun) for (const { id } of closed) deps.engine.tunnels.closeTunnel(numberOf(id));
      return { schema: 'tuntox.closed/1', closed };
    },
  };
}

/** Tunnels that clients opened, or are being given. @param peerId of one client, as the engine spells it */
function tunnelsOf({ admission, engine: { tunnels } }: Deps, peerId?: string) {
  const guests = new Map(admission.guests.map((guest) => [guest.id, guest]));
  const isWanted = (one: { readonly peerId: string }): boolean =>
    guests.has(one.peerId) && (peerId === undefined || one.peerId === peerId);
  return {
    guests,
    connecting: tunnels.connecting().filter(isWanted),
    open: tunnels.list().filter((one) => one.direction === 'accepted' && isWanted(one)),
  };
}

export function countConnections(deps: Deps): number {
  const { connecting, open } = tunnelsOf(deps);
  return connecting.length + open.length;
}

/** Those that clients opened, in the order of their numbers. @param peerId of one client, as the engine spells it */
export function connectionsOf(deps: Deps, peerId?: string): Connection[] {
  const { guests, connecting, open } = tunnelsOf(deps, peerId);
  const roundTrips = new Map(deps.engine.tunnels.peers().map((peer) => [peer.peerId, peer.roundTrip]));
  const common = once((id: string) => {
    const guest = guests.get(id) as AdmittedClient;
    return {
      client: clientName(deps, guest.friend.publicKey),
      path: pathOf(guest),
      roundTrip: roundTripOf(guest, roundTrips.get(id)),
    };
  });
  const rows = [
    ...connecting.map((one): [number, Connection] => [
      one.number,
      {
        id: `c-${one.number}`,
        ...common(one.peerId),
        target: { ...one.target },
        state: 'connecting',
        age: one.age,
        bytesReceived: 0,
        bytesSent: 0,
        localPort: null,
      },
    ]),
    ...open.map((one): [number, Connection] => [
      one.number,
      {
        id: `c-${one.number}`,
        ...common(one.peerId),
        target: { ...one.target },
        state: one.isClosing ? 'closing' : 'open',
        age: one.age,
        bytesReceived: one.bytesReceived,
        bytesSent: one.bytesSent,
        localPort: one.localPort ?? null,
      },
    ]),
  ];
  return rows.sort(([a], [b]) => a - b).map(([, connection]) => connection);
}

/** Looks at each client once, however many tunnels it has. */
function once<Value>(of: (id: string) => Value): (id: string) => Value {
  const known = new Map<string, Value>();
  return (id) => {
    const value = known.get(id) ?? of(id);
    known.set(id, value);
    return value;
  };
}

/** As the protocol tells it. */
export function pathOf({ friend }: AdmittedClient): Path {
  const { path } = friend;
  const { since } = path;
  switch (path.kind) {
    case 'none':
      return { kind: 'none', since, reason: path.reason };
    case 'direct':
      return { kind: 'direct', since, address: path.endpoint };
    case 'relayed':
      return { kind: 'relayed', since, address: path.relay?.endpoint ?? null, reason: path.reason };
  }
}

/** That of the connection, which is measured all the time; else that of the last ping through it. */
export const roundTripOf = ({ friend }: AdmittedClient, pinged: number | undefined): number | null =>
  friend.facts.rtt ?? pinged ?? null;

const numberOf = (id: string): number => Number(id.slice('c-'.length));

function chosen(deps: Deps, connection: string | undefined, client: string | undefined): Connection[] {
  if ((connection === undefined) === (client === undefined)) {
    throw new ControlError('bad-params', 'name one connection, or one client');
  }
  if (client !== undefined) return connectionsOf(deps, findClient(client, knownClients(deps)).hex);
  const found = connectionsOf(deps).filter(({ id }) => id === connection);
  if (found.length > 0) return found;
  throw new ControlError('not-found', `there is no connection ${connection}`, {
    hint: 'tuntoxctl connections shows those that there are',
  });
}
