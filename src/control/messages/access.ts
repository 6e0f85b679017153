/** `whitelist`, `secret`, `rules`, `bans`: who gets in, and what they reach. */
import * as v from 'valibot';
import {
  Alias,
  ClientName,
  Count,
  dryRun,
  Milliseconds,
  notes,
  PublicKeyHex,
  Selector,
  Target,
  TargetText,
  UnixTime,
} from './common.js';

const Note = v.pipe(v.string(), v.maxLength(200), v.regex(/^[^\p{Cc}]*$/u, 'a note is one line of text'));
/** Empty means every target that the rules allow. */
const Allow = v.pipe(v.array(TargetText), v.maxLength(64));

export const WhitelistEntry = v.strictObject({
  publicKey: PublicKeyHex,
  alias: v.nullable(Alias),
  allow: Allow,
  expiresAt: v.nullable(UnixTime),
  note: v.string(),
  addedAt: UnixTime,
  isExpired: v.boolean(),
});
export const Whitelist = v.strictObject({
  schema: v.literal('tuntox.whitelist/1'),
  /** Whether it decides over who gets in; from its first entry until `whitelist.off`. */
  isOn: v.boolean(),
  entries: v.array(WhitelistEntry),
});

export const WhitelistItem = v.strictObject({
  /** A Tox ID or a public key; what is longer than both is taken too, to say what is wrong with it. */
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  name: v.optional(Alias),
  allow: v.optional(Allow),
  expiresAt: v.optional(UnixTime),
  note: v.optional(Note),
});

/** The file that `tuntoxctl whitelist export` writes and `import` reads. */
export const WhitelistExport = v.strictObject({
  schema: v.literal('tuntox.whitelist-export/1'),
  items: v.array(WhitelistItem),
});

export const AddToWhitelist = v.strictObject({
  ...WhitelistItem.entries,
  /** Goes on although clients that came by the secret alone would be shut out. */
  confirmed: v.optional(v.boolean(), false),
  /** Puts those clients on the list as well. */
  adopt: v.optional(v.boolean(), false),
  /** Leaves an entry of that key as it is, where there is one: no error. */
  ifAbsent: v.optional(v.boolean(), false),
  dryRun,
});
/** Null takes a value away; what is left out stays. */
export const EditWhitelist = v.strictObject({
  client: Selector,
  name: v.optional(v.nullable(Alias)),
  allow: v.optional(Allow),
  expiresAt: v.optional(v.nullable(UnixTime)),
  note: v.optional(Note),
  dryRun,
});
export const RemoveFromWhitelist = v.strictObject({ client: Selector, dryRun });
export const ImportWhitelist = v.strictObject({
  items: v.pipe(v.array(WhitelistItem), v.maxLength(1_000)),
  /** Leaves entries of the same keys as they are: no error. */
  ifAbsent: v.optional(v.boolean(), false),
  confirmed: v.optional(v.boolean(), false),
  dryRun,
});
/** The list decides no longer; entries that are left are removed, which has to be confirmed. */
export const WhitelistOff = v.strictObject({ confirmed: v.optional(v.boolean(), false), dryRun });
export const WhitelistChange = v.strictObject({
  schema: v.literal('tuntox.whitelist-change/1'),
  added: v.array(WhitelistEntry),
  changed: v.array(WhitelistEntry),
  removed: v.array(WhitelistEntry),
  /** Tunnels that were closed. */
  closedTunnels: Count,
  notes,
});

export const SecretStatus = v.strictObject({
  schema: v.literal('tuntox.secret/1'),
  isSet: v.boolean(),
  /** Where it comes from: our own state, the configuration, or a credential of systemd. */
  source: v.picklist(['none', 'state', 'configuration', 'credential']),
  changedAt: v.nullable(UnixTime),
  oldValidUntil: v.nullable(UnixTime),
});
export const SetSecret = v.strictObject({
  secret: v.pipe(v.string(), v.minLength(1), v.maxLength(920)),
  /** The old one stays valid for so long. */
  grace: v.optional(Milliseconds, 0),
  dropSessions: v.optional(v.boolean(), false),
  /** Goes on although those who get in without a secret would be shut out by a first one. */
  confirmed: v.optional(v.boolean(), false),
  dryRun,
});
export const RotateSecret = v.strictObject({
  /** Makes a secret and puts it in force only when `secret.set` brings it: whoever asks can first show it. */
  proposal: v.optional(v.boolean(), false),
  confirmed: v.optional(v.boolean(), false),
  grace: v.optional(Milliseconds, 0),
  dropSessions: v.optional(v.boolean(), false),
  dryRun,
});
/** Those who had nothing else would be shut out, which has to be confirmed. */
export const SecretOff = v.strictObject({ confirmed: v.optional(v.boolean(), false), dryRun });
export const SecretChange = v.strictObject({
  schema: v.literal('tuntox.secret-change/1'),
  /** The new one, shown this once; null when it was given, or there is none. */
  secret: v.nullable(v.string()),
  oldValidUntil: v.nullable(UnixTime),
  closedTunnels: Count,
  notes,
});

export const RuleList = v.strictObject({
  schema: v.literal('tuntox.rules/1'),
  /** Null: no file, any target. */
  file: v.nullable(v.string()),
  rules: v.array(v.strictObject({ line: Count, text: v.string() })),
});
export const CheckRule = v.strictObject({ client: Selector, target: TargetText });
export const RuleVerdict = v.strictObject({
  schema: v.literal('tuntox.rule-verdict/1'),
  client: ClientName,
  target: Target,
  isAllowed: v.boolean(),
  /** The line that decides, in words. */
  decidedBy: v.string(),
});

export const Ban = v.strictObject({
  publicKey: PublicKeyHex,
  reason: v.string(),
  since: UnixTime,
  /** Null: until it is cleared. */
  until: v.nullable(UnixTime),
  /** Whether it outlasts the daemon. */
  isKept: v.boolean(),
});
export const BanList = v.strictObject({ schema: v.literal('tuntox.bans/1'), bans: v.array(Ban) });
/** Without a client, all. */
export const ClearBans = v.strictObject({ client: v.optional(Selector), dryRun });
