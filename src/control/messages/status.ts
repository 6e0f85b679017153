/** `status`, `id`, `net`: how the daemon is. */
import * as v from 'valibot';
import { Bytes, Count, Milliseconds, PublicKeyHex, ToxIdHex, UnixTime } from './common.js';

/** Something that the owner should know, or do. */
export const Warning = v.strictObject({ code: v.string(), message: v.string(), hint: v.nullable(v.string()) });

export const NetworkState = v.strictObject({
  state: v.picklist(['connecting', 'online', 'offline']),
  /** Since when it is so. */
  since: UnixTime,
  /** `unknown` until there was time for an answer. */
  udp: v.picklist(['works', 'blocked', 'off', 'unknown']),
  udpPort: v.nullable(Count),
  /** `native`: in batches, by an addon of tuntox's own; `node`: one by one, which is slower. */
  udpSocket: v.nullable(v.picklist(['native', 'node'])),
  /** TCP port on which we are a relay for others. */
  relayPort: v.nullable(Count),
  /** Peers that use it. */
  relayClients: Count,
  /** What it has passed on for them since the start. */
  relayedBytes: Bytes,
  /** Without user and password. */
  proxy: v.nullable(v.string()),
  /** `host:port` where other nodes see us. */
  seenAt: v.array(v.string()),
  /** Whether a gateway has opened a port for us, and by which protocol. */
  portMapping: v.nullable(v.strictObject({ outside: v.string(), protocol: v.string() })),
  bootstrapNodes: v.strictObject({
    /** Those that have an address. */
    known: Count,
    answering: Count,
    /** Those whose names have none, and why: a sentence with the name in it. */
    unresolved: v.array(v.strictObject({ host: v.string(), reason: v.string() })),
  }),
  /** TCP relays that we are connected to. */
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
    startedAt: UnixTime,
    uptime: Milliseconds,
    configFile: v.nullable(v.string()),
    logLevel: v.picklist(['error', 'warn', 'info', 'debug', 'trace']),
    /** Resident memory. */
    memory: Bytes,
  }),
  identity: v.strictObject({ toxId: ToxIdHex, publicKey: PublicKeyHex, path: v.string() }),
  network: NetworkState,
  access: v.strictObject({
    secret: v.strictObject({
      isSet: v.boolean(),
      changedAt: v.nullable(UnixTime),
      oldValidUntil: v.nullable(UnixTime),
    }),
    /** It is on from its first entry until `whitelist off`, also when it got empty: then it lets nobody in. */
    whitelist: v.strictObject({ isOn: v.boolean(), entries: Count, expired: Count }),
    require: v.picklist(['all', 'any']),
    isOpen: v.boolean(),
    /** Nobody can get in. */
    isClosed: v.boolean(),
    /** `any`, or the rules file. */
    targets: v.string(),
  }),
  sessions: v.strictObject({ clients: Count, tunnels: Count, bytesReceived: Bytes, bytesSent: Bytes }),
  refusals: v.strictObject({
    /** Friend requests and tunnels refused within 24 h, by reason. */
    last24Hours: v.record(v.string(), Count),
    banned: Count,
  }),
});

export const Identity = v.strictObject({ schema: v.literal('tuntox.id/1'), toxId: ToxIdHex, publicKey: PublicKeyHex });

export const Network = v.strictObject({ schema: v.literal('tuntox.net/1'), ...NetworkState.entries });
