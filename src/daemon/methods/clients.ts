/** `clients` and `ping`: who was let in. */
import { LAST_UNIX_TIME } from '../../base/clock.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers } from '../../control/method-handlers.js';
import type { Params, Result } from '../../control/protocol.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import { clientName, findAdmitted, findAnybody, logName, nameOf } from './clients-by-name.js';
import { connectionsOf, pathOf, roundTripOf } from './connections.js';
import type { MethodContext } from './context.js';

type Client = Result<'clients.list'>['clients'][number];
type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine' | 'log' | 'policy'>;
type Names = 'clients.list' | 'clients.show' | 'clients.kick' | 'ping';

export function clientMethods(deps: Deps): Pick<MethodHandlers, Names> {
  const { access, admission, engine } = deps;
  return {
    'clients.list': () => ({
      schema: 'tuntox.clients/1',
      clients: clientsOf(deps, admission.guests),
    }),
    'clients.show': ({ client }) => {
      const guest = findAdmitted(deps, client);
      const entry = access.entryOf(guest.id);
      const [shown] = clientsOf(deps, [guest]) as [Client];
      return {
        schema: 'tuntox.client/1',
        client: shown,
        allow: entry?.allow.map(({ text }) => text) ?? null,
        expiresAt: entry?.expiresAt ?? null,
        connections: connectionsOf(deps, guest.id),
      };
    },
    'clients.kick': (params) => kick(deps, params),
    ping: async ({ client }) => {
      const guest = findAdmitted(deps, client);
      try {
        const roundTrip = await engine.tunnels.ping(guest.id);
        return { schema: 'tuntox.ping/1', client: clientName(deps, guest.friend.publicKey), roundTrip };
      } catch (error) {
        throw asControlError(error, nameOf(deps, guest.friend.publicKey));
      }
    },
  };
}

/** What is kept out needs no disk, so that it works where nothing can be saved. */
function kick(deps: Deps, { client, banFor, dryRun }: Params<'clients.kick'>): Result<'clients.kick'> {
  const { access, clock, admission, log } = deps;
  const key = banFor === undefined ? findAdmitted(deps, client).friend.publicKey : findAnybody(deps, client);
  const until = banFor === undefined ? null : clock.unixTime() + Math.ceil(banFor / 1000);
  if (until !== null && until > LAST_UNIX_TIME) {
    throw new ControlError('bad-params', 'that time is too long', { hint: 'write a shorter one, as in 24h' });
  }
  const wasHere = admission.guests.some(({ id }) => id === key.hex);
  const closed = connectionsOf(deps, key.hex);
  if (!dryRun) {
    admission.kick(key);
    if (until !== null) {
      access.shutOut(key, 'shut out by clients kick', until);
      log.info(`${logName(deps, key)}: shut out for ${until - clock.unixTime()} s`);
    }
  }
  const notes = until === null ? [] : notesOfShuttingOut(deps);
  return { schema: 'tuntox.kicked/1', client: clientName(deps, key), wasHere, closed, shutOutUntil: until, notes };
}

/** Keys cost nothing. */
function notesOfShuttingOut({ access, policy }: Deps): string[] {
  if (policy.isOpen) return ['it can come back with another key, as everybody is let in: tuntoxctl whitelist add ID'];
  if (access.secret === undefined || (access.hasWhitelist && access.require === 'all')) return [];
  return ['a client that has the secret can come back with another key: tuntoxctl secret rotate'];
}

function clientsOf(deps: Deps, guests: readonly AdmittedClient[]): Client[] {
  const peers = new Map(deps.engine.tunnels.peers().map((peer) => [peer.peerId, peer]));
  return guests.map((guest) => clientOf(deps, guest, peers.get(guest.id)));
}

function clientOf(
  deps: Deps,
  guest: AdmittedClient,
  peer: { readonly roundTrip: number | undefined; readonly tunnels: number } | undefined,
): Client {
  const { friend } = guest;
  const { received, sent, lastError } = friend.facts;
  return {
    client: clientName(deps, friend.publicKey),
    isOnline: guest.isOnline,
    since: guest.since,
    admittedBy: guest.admittedBy === 'none' ? 'open' : guest.admittedBy,
    admittedAt: guest.admittedAt,
    path: pathOf(guest),
    roundTrip: roundTripOf(guest, peer?.roundTrip),
    rateReceived: received.rate,
    rateSent: sent.rate,
    bytesReceived: received.bytes,
    bytesSent: sent.bytes,
    tunnels: peer?.tunnels ?? 0,
    lastError: lastError === undefined ? null : { at: lastError.since, message: lastError.text },
  };
}

function asControlError(error: unknown, name: string): unknown {
  const { code } = error as { readonly code?: unknown };
  if (code === 'timeout') return new ControlError('timeout', `${name} did not answer in time`);
  if (code === 'peer-away' || code === 'peer-gone') return new ControlError('away', `${name} is not here`);
  return error;
}
