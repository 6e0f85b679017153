/** `clients` and `ping`: the clients that were admitted. */
import { LAST_UNIX_TIME, rfc3339 } from '../../base/clock.js';
import { durationText } from '../../base/units.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers, Params, Result } from '../../control/protocol.js';
import { listenPermissionText } from '../../engine/access/listen-permission.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import { clientName, findAdmitted, findAnyClient, logName, nameOf } from './client-names.js';
import { connectionsOf, pathOf, roundTripOf } from './connections.js';
import type { MethodContext } from './context.js';
import { repeat } from './repeat.js';

type Client = Result<'clients.list'>['clients'][number];
type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine' | 'log' | 'policy' | 'targets'>;
type Names = 'clients.list' | 'clients.watch' | 'clients.show' | 'clients.kick' | 'ping';

export function clientMethods(deps: Deps): Pick<MethodHandlers, Names> {
  const { access, admission, engine } = deps;
  const list = (): Result<'clients.list'> => ({
    schema: 'tuntox.clients/1',
    clients: clientsOf(deps, admission.clients),
  });
  return {
    'clients.list': list,
    'clients.watch': ({ intervalMs }, emit, { signal }) =>
      repeat({ clock: deps.clock, intervalMs, signal }, () => emit(list())),
    'clients.show': ({ client }) => {
      const admitted = findAdmitted(deps, client);
      const entry = access.entryOf(admitted.id);
      const [shown] = clientsOf(deps, [admitted]) as [Client];
      return {
        schema: 'tuntox.client/1',
        client: shown,
        allow: entry?.allow.map(({ text }) => text) ?? null,
        allowReverse: (entry?.allowReverse ?? []).map(listenPermissionText),
        rate: entry?.rate ?? null,
        maxTunnels: entry?.maxTunnels ?? null,
        expiresAt: entry?.expiresAt === undefined ? null : rfc3339(entry.expiresAt),
        connections: connectionsOf(deps, admitted.id),
      };
    },
    'clients.kick': (params) => kick(deps, params),
    ping: async ({ client }) => {
      const admitted = findAdmitted(deps, client);
      const key = admitted.friend.publicKey;
      try {
        const roundTripMs = await engine.tunnels.links.ping(admitted.id);
        return { schema: 'tuntox.ping/1', client: clientName(deps, key), roundTripMs };
      } catch (error) {
        throw asControlError(error, nameOf(deps, key));
      }
    },
  };
}

/** The ban is held in memory, so it works even if nothing can be saved. */
function kick(deps: Deps, { client, banForMs, dryRun }: Params<'clients.kick'>): Result<'clients.kick'> {
  const { access, clock, admission, log } = deps;
  const key = banForMs === undefined ? findAdmitted(deps, client).friend.publicKey : findAnyClient(deps, client);
  const until = banForMs === undefined ? undefined : clock.unixTime() + Math.ceil(banForMs / 1000);
  if (until !== undefined && until > LAST_UNIX_TIME) {
    throw new ControlError('bad-params', 'the ban is too long', { hint: 'use a shorter time, such as 24h' });
  }
  const wasConnected = admission.clients.some(({ id }) => id === key.hex);
  const closed = connectionsOf(deps, key.hex);
  if (!dryRun) {
    admission.kick(key);
    if (until !== undefined) {
      access.banInMemory(key, 'banned by clients kick', until);
      log.info(`${logName(deps, key)}: banned for ${durationText((until - clock.unixTime()) * 1000)}`);
    }
  }
  return {
    schema: 'tuntox.kicked/1',
    client: clientName(deps, key),
    wasConnected,
    closed,
    bannedUntil: until === undefined ? null : rfc3339(until),
    notes: until === undefined ? [] : notesOfBan(deps),
  };
}

/** Warns that a ban of a key does not keep its owner out: generating another key costs nothing. */
function notesOfBan({ access, policy }: Deps): string[] {
  if (policy.isOpen) {
    return ['every client is admitted, so it can return with another key; to prevent that: tuntoxctl whitelist add ID'];
  }
  if (access.secret === undefined || (access.hasWhitelist && access.require === 'all')) return [];
  return ['a client that has the secret can return with another key; to prevent that: tuntoxctl secret rotate'];
}

function clientsOf(deps: Deps, clients: readonly AdmittedClient[]): Client[] {
  const peers = new Map(deps.engine.tunnels.links.list().map((peer) => [peer.peerId, peer]));
  return clients.map((client) => clientOf(deps, client, peers.get(client.id)));
}

function clientOf(
  deps: Deps,
  client: AdmittedClient,
  peer: { readonly roundTrip: number | undefined; readonly tunnels: number } | undefined,
): Client {
  const { friend, admittedBy } = client;
  const { received, sent, lastError } = friend.facts;
  return {
    client: clientName(deps, friend.publicKey),
    online: client.isOnline,
    since: rfc3339(client.since),
    admittedBy:
      admittedBy === 'none' ? 'open' : admittedBy === 'secret and whitelist' ? 'secret-and-whitelist' : admittedBy,
    admittedAt: rfc3339(client.admittedAt),
    path: pathOf(client),
    roundTripMs: roundTripOf(client, peer?.roundTrip),
    bytesReceivedPerSecond: received.rate,
    bytesSentPerSecond: sent.rate,
    bytesReceived: received.bytes,
    bytesSent: sent.bytes,
    tunnels: peer?.tunnels ?? 0,
    loopbackAddress: deps.targets.addressOf(client.id) ?? null,
    lastError: lastError === undefined ? null : { at: rfc3339(lastError.since), message: lastError.text },
  };
}

function asControlError(error: unknown, name: string): unknown {
  const { code } = error as { readonly code?: unknown };
  if (code === 'timeout') return new ControlError('timeout', `${name} did not answer in time`);
  if (code === 'peer-offline' || code === 'connection-lost')
    return new ControlError('away', `${name} is not connected`);
  return error;
}
