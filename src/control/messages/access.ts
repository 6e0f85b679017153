/** `whitelist`, `secret`, `rules`, `bans`: which clients are admitted, and which targets they may reach. */
import * as v from 'valibot';
import {
  ClientName,
  Count,
  dryRun,
  Milliseconds,
  Name,
  notes,
  PublicKeyHex,
  RateLimit,
  Selector,
  Target,
  TargetText,
  Time,
  TunnelLimit,
} from './common.js';

const Note = v.pipe(v.string(), v.maxLength(200), v.regex(/^[^\p{Cc}]*$/u, 'a note is one line of text'));
/** Empty: every target that the rules allow. */
export const Allow = v.pipe(v.array(TargetText), v.maxLength(64));
/** `[bind:]port` of the daemon's machine, as in `localhost:8080`; port 0 for every port from 1024 on. Empty: none. */
export const AllowReverse = v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(300))), v.maxLength(64));

export const WhitelistEntry = v.strictObject({
  publicKey: PublicKeyHex,
  name: v.nullable(Name),
  allow: Allow,
  /** Ports that it may have opened. */
  allowReverse: AllowReverse,
  /** Null: no limit. */
  rate: v.nullable(RateLimit),
  maxTunnels: v.nullable(TunnelLimit),
  expiresAt: v.nullable(Time),
  note: v.string(),
  addedAt: Time,
  expired: v.boolean(),
  /** Whether it came by an invitation, and so needs nothing else. */
  invited: v.boolean(),
});
export const Whitelist = v.strictObject({
  schema: v.literal('tuntox.whitelist/1'),
  /** Whether it is in force: from its first entry until `whitelist.off`. */
  enabled: v.boolean(),
  entries: v.array(WhitelistEntry),
});

export const WhitelistItem = v.strictObject({
  /** A Tox ID or a public key. Longer text is accepted too, so that the error can say what is wrong with it. */
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  name: v.optional(Name),
  allow: v.optional(Allow),
  allowReverse: v.optional(AllowReverse),
  rate: v.optional(RateLimit),
  maxTunnels: v.optional(TunnelLimit),
  expiresAt: v.optional(Time),
  note: v.optional(Note),
});

/** A client that is added with others: it may have come by an invitation, and then needs nothing else here either. */
const ImportedItem = v.strictObject({ ...WhitelistItem.entries, invited: v.optional(v.boolean(), false) });

/** The file that `tuntoxctl whitelist export` writes and `import` reads. Version 1 had no `invited`, and is still read. */
export const WhitelistExport = v.strictObject({
  schema: v.literal('tuntox.whitelist-export/2'),
  items: v.array(ImportedItem),
});

export const AddToWhitelist = v.strictObject({
  ...WhitelistItem.entries,
  /** Adds it even if clients that used only the secret would be disconnected. */
  confirmed: v.optional(v.boolean(), false),
  /** Also adds those clients. */
  adopt: v.optional(v.boolean(), false),
  /** An entry of the same key stays as it is; it is no error. */
  ifAbsent: v.optional(v.boolean(), false),
  dryRun,
});
/** Null removes a value; a field that is left out stays as it is. */
export const EditWhitelist = v.strictObject({
  client: Selector,
  name: v.optional(v.nullable(Name)),
  allow: v.optional(Allow),
  allowReverse: v.optional(AllowReverse),
  rate: v.optional(v.nullable(RateLimit)),
  maxTunnels: v.optional(v.nullable(TunnelLimit)),
  expiresAt: v.optional(v.nullable(Time)),
  note: v.optional(Note),
  dryRun,
});
export const RemoveFromWhitelist = v.strictObject({ client: Selector, dryRun });
export const ImportWhitelist = v.strictObject({
  items: v.pipe(v.array(ImportedItem), v.maxLength(1_000)),
  /** Entries of the same keys stay as they are; they are no error. */
  ifAbsent: v.optional(v.boolean(), false),
  confirmed: v.optional(v.boolean(), false),
  dryRun,
});
/** Turns the list off. Removing entries must be confirmed. */
export const WhitelistOff = v.strictObject({ confirmed: v.optional(v.boolean(), false), dryRun });
export const WhitelistChange = v.strictObject({
  schema: v.literal('tuntox.whitelist-change/1'),
  added: v.array(WhitelistEntry),
  changed: v.array(WhitelistEntry),
  removed: v.array(WhitelistEntry),
  closedTunnels: Count,
  notes,
});

export const SecretStatus = v.strictObject({
  schema: v.literal('tuntox.secret/1'),
  set: v.boolean(),
  /** Where it comes from: the daemon's own state, the configuration, or a systemd credential. */
  source: v.picklist(['none', 'state', 'configuration', 'credential']),
  changedAt: v.nullable(Time),
  previousValidUntil: v.nullable(Time),
});
export const SetSecret = v.strictObject({
  secret: v.pipe(v.string(), v.minLength(1), v.maxLength(920)),
  /** The previous secret stays valid for this long. */
  graceMs: v.optional(Milliseconds, 0),
  dropSessions: v.optional(v.boolean(), false),
  /** Sets it even if clients that need no secret so far would be disconnected. */
  confirmed: v.optional(v.boolean(), false),
  dryRun,
});
export const RotateSecret = v.strictObject({
  /** Generates a secret that comes into force with `secret.set`, so that the caller can show it first. */
  proposal: v.optional(v.boolean(), false),
  confirmed: v.optional(v.boolean(), false),
  graceMs: v.optional(Milliseconds, 0),
  dropSessions: v.optional(v.boolean(), false),
  dryRun,
});
/** Disconnecting clients that have nothing but the secret must be confirmed. */
export const SecretOff = v.strictObject({ confirmed: v.optional(v.boolean(), false), dryRun });
export const SecretChange = v.strictObject({
  schema: v.literal('tuntox.secret-change/1'),
  /** False when there was no secret to remove. */
  changed: v.boolean(),
  /** The generated secret, sent only once; null when none was generated. */
  secret: v.nullable(v.string()),
  previousValidUntil: v.nullable(Time),
  closedTunnels: Count,
  notes,
});

export const RuleList = v.strictObject({
  schema: v.literal('tuntox.rules/1'),
  /** Null: there is no file. Then the services are allowed, or every target if there are none. */
  file: v.nullable(v.string()),
  rules: v.array(v.strictObject({ line: Count, text: v.string() })),
});
export const CheckRule = v.strictObject({ client: Selector, target: TargetText });
export const RuleVerdict = v.strictObject({
  schema: v.literal('tuntox.rule-verdict/1'),
  client: ClientName,
  target: Target,
  allowed: v.boolean(),
  /** The deciding line, in words. */
  decidedBy: v.string(),
});

export const Ban = v.strictObject({
  publicKey: PublicKeyHex,
  reason: v.string(),
  since: Time,
  /** Null: until it is lifted. */
  until: v.nullable(Time),
  /** Whether it survives a restart of the daemon. */
  persistent: v.boolean(),
});
export const BanList = v.strictObject({ schema: v.literal('tuntox.bans/1'), bans: v.array(Ban) });
/** Without a client, all bans are lifted. */
export const ClearBans = v.strictObject({ client: v.optional(Selector), dryRun });
