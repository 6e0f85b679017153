/** `status`, `id`, `net`: the state of the daemon. */
import { rfc3339 } from '../../base/clock.js';
import type { MethodHandlers, Result } from '../../control/protocol.js';
import { isExpired } from '../../engine/access/whitelist.js';
import { keyText } from './client-names.js';
import { countConnections } from './connections.js';
import type { MethodContext } from './context.js';
import { secretStatus } from './secret.js';

type Network = Omit<Result<'net'>, 'schema'>;

const UDP = {
  works: 'works',
  'udp-blocked': 'blocked',
  'being-tried': 'unknown',
  'udp-off': 'off',
  proxy: 'off',
} as const;

export function statusMethods(context: MethodContext): Pick<MethodHandlers, 'status' | 'id' | 'net'> {
  const { id } = context.engine;
  const identity = { toxId: id.toString(), publicKey: keyText(id.publicKey) };
  return {
    status: () => ({
      schema: 'tuntox.status/1',
      ...context.warnings(),
      daemon: {
        ...processOf(context),
        configFile: context.configuration.file ?? null,
        logLevel: context.logging.level,
      },
      identity: { ...identity, path: context.engine.statePath ?? '' },
      network: networkOf(context),
      access: accessOf(context),
      sessions: sessionsOf(context),
      refusals: {
        last24Hours: { ...context.admission.refusals.lastDay, ...context.totals.refusals.lastDay },
        banned: context.access.bans.length,
        pending: context.admission.pending.length,
      },
    }),
    id: () => ({ schema: 'tuntox.id/1', ...identity }),
    net: () => ({ schema: 'tuntox.net/1', ...networkOf(context) }),
  };
}

export function networkOf({ engine, proxy }: Pick<MethodContext, 'engine' | 'proxy'>): Network {
  const { isOnline, onlineSince, networkFacts: facts, wasOnline } = engine;
  return {
    state: isOnline ? 'online' : wasOnline ? 'offline' : 'connecting',
    since: rfc3339(onlineSince),
    udp: UDP[facts.udp],
    udpPort: facts.udpPort === 0 ? null : facts.udpPort,
    udpSocket: facts.udpSocket ?? null,
    relayPort: facts.relayPort ?? null,
    relayClients: facts.relayClients,
    bytesRelayed: facts.relayedBytes,
    proxy: proxy ?? null,
    seenAt: [facts.ipv4.endpoint, facts.ipv6.endpoint].filter((endpoint) => endpoint !== undefined),
    portMapping: facts.mapping === undefined ? null : { external: facts.mapping.outside, protocol: facts.mapping.by },
    bootstrapNodes: {
      ...facts.bootstrapNodes,
      unresolved: facts.bootstrapNodes.unresolved.map((host) => ({ ...host })),
    },
    relays: facts.relays.map(({ publicKey, endpoint }) => ({ publicKey: publicKey.toLowerCase(), address: endpoint })),
  };
}

function processOf({ process }: MethodContext) {
  const { startedAt, uptime, memory, ...rest } = process;
  return { ...rest, startedAt: rfc3339(startedAt), uptimeMs: uptime, memoryBytes: memory };
}

function accessOf(context: MethodContext): Result<'status'>['access'] {
  const { access, clock, policy, targets } = context;
  const { set, changedAt, previousValidUntil } = secretStatus(context);
  const now = clock.unixTime();
  return {
    secret: { set, changedAt, previousValidUntil },
    whitelist: {
      enabled: access.hasWhitelist,
      entries: access.entries.length,
      expired: access.entries.filter((entry) => isExpired(entry, now)).length,
    },
    invitations: access.invitations.all.filter((one) => access.invitations.stateOf(one) === 'open').length,
    require: access.require,
    open: policy.isOpen,
    closed: isClosed(context),
    targets: targets.file ?? (targets.isAny ? 'any' : 'services'),
  };
}

/** Whether no client can be admitted. */
export function isClosed({ access, clock, policy }: Pick<MethodContext, 'access' | 'clock' | 'policy'>): boolean {
  if (access.errors.size > 0 || policy.isClosed) return true;
  if (access.invitations.admitsAny) return false;
  if (!access.hasWhitelist || (access.secret !== undefined && access.require === 'any')) return false;
  const now = clock.unixTime();
  return access.entries.every((entry) => isExpired(entry, now));
}

function sessionsOf(context: MethodContext): Result<'status'>['sessions'] {
  const { bytesReceived, bytesSent } = context.totals;
  const clients = context.admission.clients.filter(({ isOnline }) => isOnline).length;
  return { clients, tunnels: countConnections(context), bytesReceived, bytesSent };
}
