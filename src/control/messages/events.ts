/** What `tuntox --json` prints: one event a line. They do not come over the control socket. */
import * as v from 'valibot';
import { Bytes, BytesPerSecond, Count, Milliseconds, Name, PublicKeyHex, Time, ToxIdHex } from './common.js';

const base = { schema: v.literal('tuntox.event/1'), at: Time } as const;
const Text = v.string();
/** `host:port`, or the name of a service. */
const TargetText = v.string();
const Path = v.picklist(['direct', 'relayed']);
/** Why there is no connection: a code for programs, a sentence for people. */
const problem = { code: Text, message: Text } as const;
const stage = <const Stage extends string>(event: Stage) => v.strictObject({ ...base, event: v.literal(event) });
/** The bytes of a tunnel that has ended. */
const traffic = {
  receivedBytes: Bytes,
  sentBytes: Bytes,
  code: v.optional(Text),
  message: v.optional(Text),
} as const;

export const ClientEvent = v.variant('event', [
  /** The way to the server; docs/tuntox.md tells what each means. */
  stage('bootstrapping'),
  stage('searching'),
  stage('asking'),
  stage('punching'),
  v.strictObject({ ...base, event: v.literal('connected'), path: Path, rttMs: v.optional(Milliseconds) }),
  v.strictObject({ ...base, event: v.literal('disconnected'), reason: v.optional(Text) }),
  v.strictObject({ ...base, event: v.literal('waiting'), ...problem }),
  v.strictObject({ ...base, event: v.literal('refused'), ...problem }),
  v.strictObject({ ...base, event: v.literal('retry'), ...problem, pauseMs: Milliseconds, left: Count }),
  /** The last event of a command that fails. */
  v.strictObject({ ...base, event: v.literal('error'), ...problem }),
  /** A forward has begun. `address` is a path, or `fd/NAME`, with port 0. With `reverse` both are those of the server. */
  v.strictObject({
    ...base,
    event: v.literal('listening'),
    kind: v.picklist(['local', 'dynamic', 'reverse']),
    address: Text,
    port: Count,
    /** Null with `dynamic`: each connection names its own. */
    target: v.nullable(TargetText),
  }),
  /** `-p`: a round trip, and all of them. */
  v.strictObject({ ...base, event: v.literal('pong'), rttMs: Milliseconds }),
  v.strictObject({
    ...base,
    event: v.literal('round-trips'),
    count: Count,
    minMs: Milliseconds,
    averageMs: Milliseconds,
    maxMs: Milliseconds,
  }),
  /** `speed`: the result of one direction. */
  v.strictObject({
    ...base,
    event: v.literal('speed'),
    direction: v.picklist(['down', 'up']),
    bytesPerSecond: BytesPerSecond,
  }),
  /** `join LINK NAME` */
  v.strictObject({ ...base, event: v.literal('stored'), name: Name }),
  /** `tuntox NAME` alone; null for an original tuntox, which has none. */
  v.strictObject({
    ...base,
    event: v.literal('services'),
    services: v.nullable(v.array(v.strictObject({ name: Text, port: Count }))),
  }),
  /** A server has begun. */
  v.strictObject({ ...base, event: v.literal('serving'), toxId: ToxIdHex }),
  v.strictObject({ ...base, event: v.literal('sharing'), toxId: ToxIdHex, link: Text, target: TargetText }),
  /** A client of a server or a share. */
  v.strictObject({
    ...base,
    event: v.literal('client-connected'),
    client: PublicKeyHex,
    path: Path,
    rttMs: v.optional(Milliseconds),
  }),
  v.strictObject({ ...base, event: v.literal('client-disconnected'), client: PublicKeyHex }),
  v.strictObject({ ...base, event: v.literal('tunnel-opened'), client: PublicKeyHex, target: TargetText }),
  v.strictObject({ ...base, event: v.literal('tunnel-closed'), client: PublicKeyHex, target: TargetText, ...traffic }),
  v.strictObject({
    ...base,
    event: v.literal('tunnel-refused'),
    client: PublicKeyHex,
    target: TargetText,
    ...problem,
  }),
]);
export type ClientEvent = v.InferOutput<typeof ClientEvent>;
