/** `invite`: links that put the client which redeems one on the whitelist. */
import * as v from 'valibot';
import { Allow, AllowReverse } from './access.js';
import { ClientName, Count, dryRun, Milliseconds, Name, notes, RateLimit, Time, TunnelLimit } from './common.js';

const Id = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

export const Invitation = v.strictObject({
  id: Id,
  /** The name of the clients that come; a second one is called NAME-2. */
  name: v.nullable(Name),
  allow: Allow,
  /** Ports that the clients may have opened. */
  allowReverse: AllowReverse,
  /** Of each client; null: no limit. */
  rate: v.nullable(RateLimit),
  maxTunnels: v.nullable(TunnelLimit),
  state: v.picklist(['open', 'used', 'expired', 'revoked']),
  createdAt: Time,
  expiresAt: Time,
  /** How many clients it admits. */
  uses: Count,
  /** How long each of them has access; null: without an end. */
  accessMs: v.nullable(Milliseconds),
  /** The clients that came. */
  redeemed: v.array(
    v.strictObject({
      client: ClientName,
      at: Time,
      /** Whether it is still on the whitelist. */
      listed: v.boolean(),
    }),
  ),
  /** The last clients that came when it was not open any more. */
  late: v.array(v.strictObject({ client: ClientName, at: Time, state: v.picklist(['used', 'expired', 'revoked']) })),
});
/** The oldest ones first. Those that have ended are listed for a week. */
export const Invitations = v.strictObject({
  schema: v.literal('tuntox.invitations/1'),
  invitations: v.array(Invitation),
});
export const CreateInvitation = v.strictObject({
  name: v.optional(Name),
  /** Default: every target that the rules allow. */
  allow: v.optional(Allow),
  /** Default: none. */
  allowReverse: v.optional(AllowReverse),
  /** Default: no limit. */
  rate: v.optional(RateLimit),
  maxTunnels: v.optional(TunnelLimit),
  /** Default: in an hour. */
  expiresAt: v.optional(Time),
  uses: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 1),
  /** Default: without an end. */
  accessMs: v.optional(v.pipe(Milliseconds, v.minValue(1_000))),
  dryRun,
});
/** What the other side needs: sent once, because only a hash of the secret is stored. */
export const InvitationLink = v.strictObject({
  /** A `tuntox:` link. */
  link: v.string(),
  /** The link in words, line by line. */
  words: v.array(v.string()),
  commands: v.strictObject({
    /** For tuntox join. */
    join: v.string(),
    /** The same, for the words. */
    words: v.string(),
    /** For the original tuntox. */
    original: v.string(),
  }),
});
export const InvitationCreated = v.strictObject({
  schema: v.literal('tuntox.invitation-created/1'),
  invitation: Invitation,
  /** Null after a dry run. */
  link: v.nullable(InvitationLink),
  notes,
});
export const RevokeInvitation = v.strictObject({
  /** Its ID, or its name. */
  invitation: Id,
  /** Also takes the clients that it admitted off the whitelist. */
  removeClients: v.optional(v.boolean(), false),
  dryRun,
});
export const InvitationRevoked = v.strictObject({
  schema: v.literal('tuntox.invitation-revoked/1'),
  invitation: Invitation,
  /** The clients that are not on the whitelist any more. */
  removed: v.array(ClientName),
  closedTunnels: Count,
  notes,
});
