/** `connections` and `clients`: the admitted clients and their tunnels. */
import * as v from 'valibot';
import {
  Bytes,
  BytesPerSecond,
  ClientName,
  Count,
  dryRun,
  Milliseconds,
  NoParams,
  notes,
  RateLimit,
  Selector,
  Target,
  TargetText,
  Time,
  TunnelLimit,
} from './common.js';

/** The route of the packets to a client. The reason says why it is not direct. */
export const Path = v.variant('kind', [
  v.strictObject({ kind: v.literal('none'), since: Time, reason: v.nullable(v.string()) }),
  v.strictObject({ kind: v.literal('direct'), since: Time, address: v.string() }),
  v.strictObject({ kind: v.literal('relayed'), since: Time, address: v.nullable(v.string()), reason: v.string() }),
]);

export const Connection = v.strictObject({
  /** `c-17`. */
  id: v.pipe(v.string(), v.regex(/^c-[1-9][0-9]*$/)),
  /** `tunnel`: to a target here. `listener`: a port here that the client had opened (-R). `reverse`: a connection at such a port. */
  kind: v.picklist(['tunnel', 'listener', 'reverse']),
  client: ClientName,
  /** Of a listener, and of a connection at it: its address and port. */
  target: Target,
  state: v.picklist(['connecting', 'open', 'closing', 'listening']),
  path: Path,
  roundTripMs: v.nullable(Milliseconds),
  ageMs: Milliseconds,
  /** From the client. */
  bytesReceived: Bytes,
  /** To the client. */
  bytesSent: Bytes,
  /** The port of the local socket to the target, as the kernel lists it; null while connecting. */
  localPort: v.nullable(Count),
});

export const ConnectionList = v.strictObject({
  schema: v.literal('tuntox.connections/1'),
  connections: v.array(Connection),
});
export const ListConnections = v.strictObject({ client: v.optional(Selector) });
/** Between two lists. */
const intervalMs = v.optional(v.pipe(Milliseconds, v.integer(), v.minValue(200), v.maxValue(60_000)), 1_000);
export const WatchConnections = v.strictObject({ client: v.optional(Selector), intervalMs });
export const CloseConnections = v.strictObject({
  /** Exactly one of `connection` and `client` is given. */
  connection: v.optional(v.pipe(v.string(), v.regex(/^c-[1-9][0-9]*$/, 'the ID of a connection looks like c-17'))),
  client: v.optional(Selector),
  dryRun,
});
export const Closed = v.strictObject({ schema: v.literal('tuntox.closed/1'), closed: v.array(Connection) });

export const Client = v.strictObject({
  client: ClientName,
  online: v.boolean(),
  /** When it went online or offline. */
  since: Time,
  admittedBy: v.picklist(['open', 'secret', 'whitelist', 'secret-and-whitelist']),
  admittedAt: Time,
  path: Path,
  roundTripMs: v.nullable(Milliseconds),
  bytesReceivedPerSecond: BytesPerSecond,
  bytesSentPerSecond: BytesPerSecond,
  bytesReceived: Bytes,
  bytesSent: Bytes,
  tunnels: Count,
  /** Its address of 127.64.0.0/10, by which programs of the daemon's machine know it; null until it is used. */
  loopbackAddress: v.nullable(v.string()),
  lastError: v.nullable(v.strictObject({ at: Time, message: v.string() })),
});
export const ClientList = v.strictObject({ schema: v.literal('tuntox.clients/1'), clients: v.array(Client) });
export const ListClients = NoParams;
export const WatchClients = v.strictObject({ intervalMs });
export const ShowClient = v.strictObject({ client: Selector });
export const ShownClient = v.strictObject({
  schema: v.literal('tuntox.client/1'),
  client: Client,
  /** The targets of its whitelist entry; null for a client without an entry. */
  allow: v.nullable(v.array(TargetText)),
  /** The ports that it may have opened. */
  allowReverse: v.array(v.string()),
  /** Of its entry; null: no limit. */
  rate: v.nullable(RateLimit),
  maxTunnels: v.nullable(TunnelLimit),
  expiresAt: v.nullable(Time),
  connections: v.array(Connection),
});
export const KickClient = v.strictObject({
  client: Selector,
  /** Bans its key for this long, in memory. Without it the client may reconnect at once. */
  banForMs: v.optional(v.pipe(Milliseconds, v.minValue(1))),
  dryRun,
});
export const Kicked = v.strictObject({
  schema: v.literal('tuntox.kicked/1'),
  client: ClientName,
  /** Whether there was a session to end. */
  wasConnected: v.boolean(),
  closed: v.array(Connection),
  /** Null: it may reconnect. */
  bannedUntil: v.nullable(Time),
  notes,
});
