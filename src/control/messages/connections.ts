/** `connections` and `clients`: who is here, and what runs through us. */
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
  Selector,
  Target,
  TargetText,
  UnixTime,
} from './common.js';

/** How packets go to a client; the reason says why they do not go straight. */
export const Path = v.variant('kind', [
  v.strictObject({ kind: v.literal('none'), since: UnixTime, reason: v.nullable(v.string()) }),
  v.strictObject({ kind: v.literal('direct'), since: UnixTime, address: v.string() }),
  v.strictObject({ kind: v.literal('relayed'), since: UnixTime, address: v.nullable(v.string()), reason: v.string() }),
]);

export const Connection = v.strictObject({
  /** `c-17`. */
  id: v.pipe(v.string(), v.regex(/^c-[1-9][0-9]*$/)),
  client: ClientName,
  target: Target,
  state: v.picklist(['connecting', 'open', 'closing']),
  path: Path,
  roundTrip: v.nullable(Milliseconds),
  age: Milliseconds,
  /** From the client. */
  bytesReceived: Bytes,
  /** To the client. */
  bytesSent: Bytes,
  /** Of the local socket to the target, as the kernel lists it; null while connecting. */
  localPort: v.nullable(Count),
});

export const ConnectionList = v.strictObject({
  schema: v.literal('tuntox.connections/1'),
  connections: v.array(Connection),
});
export const ListConnections = v.strictObject({ client: v.optional(Selector) });
export const WatchConnections = v.strictObject({
  client: v.optional(Selector),
  /** Between two lists. */
  interval: v.optional(v.pipe(Milliseconds, v.integer(), v.minValue(200), v.maxValue(60_000)), 1_000),
});
export const CloseConnections = v.strictObject({
  /** Exactly one of the two. */
  connection: v.optional(v.pipe(v.string(), v.regex(/^c-[1-9][0-9]*$/, 'a connection is named as in c-17'))),
  client: v.optional(Selector),
  dryRun,
});
export const Closed = v.strictObject({ schema: v.literal('tuntox.closed/1'), closed: v.array(Connection) });

export const Client = v.strictObject({
  client: ClientName,
  isOnline: v.boolean(),
  /** Since when it is here, or away. */
  since: UnixTime,
  admittedBy: v.picklist(['open', 'secret', 'whitelist', 'secret and whitelist']),
  admittedAt: UnixTime,
  path: Path,
  roundTrip: v.nullable(Milliseconds),
  rateReceived: BytesPerSecond,
  rateSent: BytesPerSecond,
  bytesReceived: Bytes,
  bytesSent: Bytes,
  tunnels: Count,
  lastError: v.nullable(v.strictObject({ at: UnixTime, message: v.string() })),
});
export const ClientList = v.strictObject({ schema: v.literal('tuntox.clients/1'), clients: v.array(Client) });
export const ListClients = NoParams;
export const ShowClient = v.strictObject({ client: Selector });
export const ShownClient = v.strictObject({
  schema: v.literal('tuntox.client/1'),
  client: Client,
  /** Of the whitelist; null for one that came by the secret. */
  allow: v.nullable(v.array(TargetText)),
  expiresAt: v.nullable(UnixTime),
  connections: v.array(Connection),
});
export const KickClient = v.strictObject({
  client: Selector,
  /** It is kept out for so long, in memory alone; left out, it may come back at once. */
  banFor: v.optional(v.pipe(Milliseconds, v.minValue(1))),
  dryRun,
});
export const Kicked = v.strictObject({
  schema: v.literal('tuntox.kicked/1'),
  client: ClientName,
  /** Whether it had a session to end. */
  wasHere: v.boolean(),
  closed: v.array(Connection),
  /** Null: it may come back. */
  shutOutUntil: v.nullable(UnixTime),
  notes,
});
