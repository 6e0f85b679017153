/** `clients.pending` and `clients.approve`: clients that asked to be admitted and were refused. */
import * as v from 'valibot';
import { AddToWhitelist, WhitelistChange } from './access.js';
import { ClientName, Count, PublicKeyHex, Selector, Time } from './common.js';

/** The last node on the way of a request. The onion hides the client's own address. */
export const Source = v.variant('kind', [
  v.strictObject({
    /** A node of the DHT by which the daemon is announced. */
    kind: v.literal('node'),
    address: v.string(),
    /** Whether it is in the local network. */
    local: v.boolean(),
  }),
  v.strictObject({ kind: v.literal('relay'), publicKey: PublicKeyHex }),
  /** Any other node; its address may be forged. */
  v.strictObject({ kind: v.literal('other') }),
]);

export const PendingClient = v.strictObject({
  client: ClientName,
  /** Six words by which two people compare the key. */
  words: v.string(),
  firstAt: Time,
  lastAt: Time,
  /** Repetitions within two seconds count once. */
  requests: Count,
  /** Why the last request was refused: a code as in `status`. */
  reason: v.string(),
  /** Whether the last request had a secret, right or wrong. */
  sentSecret: v.boolean(),
  via: Source,
});
/** In the order of their last requests. */
export const PendingClients = v.strictObject({
  schema: v.literal('tuntox.pending/1'),
  clients: v.array(PendingClient),
});

const { id: _, ifAbsent: __, ...entry } = AddToWhitelist.entries;
export const ApproveClient = v.strictObject({
  /** As everywhere, or its six words. The client must be pending. */
  client: Selector,
  ...entry,
});
export const Approved = v.strictObject({
  schema: v.literal('tuntox.approved/1'),
  client: ClientName,
  words: v.string(),
  /** Whether it is admitted now. */
  admitted: v.boolean(),
  change: WhitelistChange,
});
