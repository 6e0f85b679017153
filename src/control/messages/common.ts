/** What several methods of the control socket speak of. All objects are strict: a field that nobody knows is refused. */
import * as v from 'valibot';
import { ALIAS } from '../../base/alias.js';

/** The descriptions are for docs/schema, which does not show these names. */
export const UnixTime = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.description('a time, in whole seconds since 1970-01-01 00:00 UTC'),
);
export const Milliseconds = v.pipe(
  v.number(),
  v.minValue(0),
  v.description('a length of time, in milliseconds, with fractions'),
);
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const Bytes = v.pipe(Count, v.description('a number of bytes'));
export const BytesPerSecond = v.pipe(v.number(), v.description('a rate, in bytes a second'));
/** 64 lower-case hex digits: a client is its public key. */
export const PublicKeyHex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/** 76 upper-case hex digits. */
export const ToxIdHex = v.pipe(v.string(), v.regex(/^[0-9A-F]{76}$/));
export const Alias = v.pipe(
  v.string(),
  v.regex(ALIAS, 'a name begins with a letter and has at most 32 of A-Z a-z 0-9 . _ -'),
);
/** Names one client: alias, unique prefix of its key (6 digits or more), whole key, whole Tox ID. */
export const Selector = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
/** `host:port` with `*` for any host and `0` for any port; an IPv6 address in brackets. */
export const TargetText = v.pipe(v.string(), v.minLength(3), v.maxLength(300));

export const Target = v.strictObject({ host: v.string(), port: Count });

/** A client as lists show it. */
export const ClientName = v.strictObject({ publicKey: PublicKeyHex, alias: v.nullable(Alias) });

export const NoParams = v.strictObject({});
/** Whether to do it, or only to say what would happen. */
export const dryRun = v.optional(v.boolean(), false);

/** What a change did, for people: each line stands alone. */
export const notes = v.array(v.string());
