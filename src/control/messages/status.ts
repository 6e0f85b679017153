/** `status`, `id`, `net`: the state of the daemon. */
import * as v from 'valibot';
import { Bytes, Count, Milliseconds, PublicKeyHex, Time, ToxIdHex } from './common.js';

/** Something that the owner should know or do. */
export const Warning = v.strictObject({ code: v.string(), message: v.string(), hint: v.nullable(v.string()) });

export const NetworkState = v.strictObject({
  state: v.picklist(['connecting', 'online', 'offline']),
  /** When it entered this state. */
  since: Time,
  /** `unknown` until a node has had time to answer. */
  udp: v.picklist(['works', 'blocked', 'off', 'unknown']),
  udpPort: v.nullable(Count),
  /** `native`: packets are sent in batches, by an addon; `node`: one at a time, which is slower. */
  udpSocket: v.nullable(v.picklist(['native', 'node'])),
  /** The TCP port on which the daemon is a relay for other peers. */
  relayPort: v.nullable(Count),
  /** Peers connected to that relay. */
  relayClients: Count,
  /** Since the start. */
  bytesRelayed: Bytes,
  /** Without its user and password. */
  proxy: v.nullable(v.string()),
  /** `host:port` as other nodes see it. */
  seenAt: v.array(v.string()),
  /** The port that a gateway has opened. */
  portMapping: v.nullable(v.strictObject({ external: v.string(), protocol: v.string() })),
  bootstrapNodes: v.strictObject({
    /** Nodes that have an address. */
    known: Count,
    answering: Count,
    /** Nodes whose names could not be resolved. The reason is a sentence that has the name. */
    unresolved: v.array(v.strictObject({ host: v.string(), reason: v.string() })),
  }),
  /** The TCP relays to which the daemon is connected. */
  relays: v.array(v.strictObject({ publicKey: PublicKeyHex, address: v.string() })),
});

export const Status = v.strictObject({
  schema: v.literal('tuntox.status/1'),
  health: v.picklist(['ok', 'degraded']),
  warnings: v.array(Warning),
  daemon: v.strictObject({
    version: v.string(),
    state: v.picklist(['starting', 'running', 'stopping']),
    pid: Count,
    startedAt: Time,
    uptimeMs: Milliseconds,
    configFile: v.nullable(v.string()),
    logLevel: v.picklist(['error', 'warn', 'info', 'debug', 'trace']),
    /** Resident memory. */
    memoryBytes: Bytes,
  }),
  identity: v.strictObject({ toxId: ToxIdHex, publicKey: PublicKeyHex, path: v.string() }),
  network: NetworkState,
  access: v.strictObject({
    secret: v.strictObject({
      set: v.boolean(),
      changedAt: v.nullable(Time),
      previousValidUntil: v.nullable(Time),
    }),
    /** It is enabled from its first entry until `whitelist off`. An enabled whitelist without entries admits no client. */
    whitelist: v.strictObject({ enabled: v.boolean(), entries: Count, expired: Count }),
    /** How many are open. */
    invitations: Count,
    require: v.picklist(['all', 'any']),
    /** Every client is admitted. */
    open: v.boolean(),
    /** No client is admitted. */
    closed: v.boolean(),
    /** `any`, or the path of the rules file. */
    targets: v.string(),
  }),
  sessions: v.strictObject({ clients: Count, tunnels: Count, bytesReceived: Bytes, bytesSent: Bytes }),
  refusals: v.strictObject({
    /** Friend requests and tunnels that were refused, by reason. */
    last24Hours: v.record(v.string(), Count),
    banned: Count,
    /** Clients that asked within a day, were refused, and can be approved. */
    pending: Count,
  }),
});

export const Identity = v.strictObject({ schema: v.literal('tuntox.id/1'), toxId: ToxIdHex, publicKey: PublicKeyHex });

export const Network = v.strictObject({ schema: v.literal('tuntox.net/1'), ...NetworkState.entries });
