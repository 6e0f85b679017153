/** `forwards`: local ports that the daemon keeps forwarded. */
import * as v from 'valibot';
import { Bytes, Count, dryRun, Milliseconds, notes, PublicKeyHex, TargetText, Time } from './common.js';

const HostName = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

const Kind = v.picklist(['local', 'dynamic', 'reverse']);

export const Forward = v.strictObject({
  /** As -L, -D and -R of tuntox. */
  kind: Kind,
  /** Where it listens, at this machine or, with `reverse`, at the server. Null means all its addresses, or a Unix socket. */
  bind: v.nullable(v.string()),
  /** 0 with a socket. */
  port: Count,
  /** The path of a Unix socket; null for a port. */
  socket: v.nullable(v.string()),
  /** As the server sees it; with `reverse` as this machine does. Null where each connection names its own. */
  target: v.nullable(TargetText),
  server: v.strictObject({ publicKey: PublicKeyHex, name: v.nullable(HostName) }),
  /** `connecting`: connections wait for the server. `not-listening`: the port cannot be opened, or the server refuses to, which is tried again and again. */
  state: v.picklist(['connected', 'connecting', 'not-listening']),
  /** How the server is reached; null without a connection. */
  path: v.nullable(v.picklist(['direct', 'relayed'])),
  roundTripMs: v.nullable(Milliseconds),
  /** Why it does not listen, or there is no connection; for people. */
  error: v.nullable(v.string()),
  /** Open now, and since it was opened. */
  tunnels: Count,
  tunnelsOpened: Count,
  /** To the server, and from it. */
  bytesSent: Bytes,
  bytesReceived: Bytes,
  addedAt: Time,
});

export const ForwardList = v.strictObject({ schema: v.literal('tuntox.forwards/1'), forwards: v.array(Forward) });

export const AddForward = v.strictObject({
  /** A link `tuntox://…`, or a Tox ID. */
  server: v.pipe(v.string(), v.minLength(1), v.maxLength(2_048)),
  /** What the owner calls the server. */
  name: v.optional(HostName),
  /** Not with a link, which has one. */
  secret: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(920))),
  /** Default: local. */
  kind: v.optional(Kind),
  /** As after -L, -D or -R of tuntox; with `local` a place is enough if a link names the target. */
  forward: v.pipe(v.string(), v.minLength(1), v.maxLength(600)),
  /** Only where each connection names its target: lines USER:PASSWORD of those who may use it. Default: everybody who reaches the place. */
  users: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(65_536))),
  dryRun,
});

export const RemoveForward = v.strictObject({
  /** `[BIND:]PORT`, with `udp:` in front for UDP; or the path of a socket. */
  forward: v.pipe(v.string(), v.minLength(1), v.maxLength(300)),
  /** Whether the place is one of the server. */
  reverse: v.optional(v.boolean()),
  /** What the owner calls the server, where several have the same place. */
  server: v.optional(HostName),
  dryRun,
});

export const ForwardChange = v.strictObject({
  schema: v.literal('tuntox.forward-change/1'),
  forward: Forward,
  /** Connections that were closed, or would be. */
  closedTunnels: Count,
  notes,
});
