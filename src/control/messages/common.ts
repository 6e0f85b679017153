/** Types that several methods of the control socket share. All objects are strict: an unknown field is refused. */
import * as v from 'valibot';
import { ALIAS } from '../../base/alias.js';

/** The descriptions are for docs/schema, which does not show the names of these types. */
export const Time = v.pipe(
  v.string(),
  v.regex(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/,
    'write the time as in RFC 3339, such as 2027-01-31T18:00:00Z',
  ),
  v.description('a time as in RFC 3339, such as 2027-01-31T18:00:00Z'),
);
export const Milliseconds = v.pipe(
  v.number(),
  v.minValue(0),
  v.description('a duration in milliseconds, with fractions'),
);
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const Bytes = v.pipe(Count, v.description('a number of bytes'));
export const BytesPerSecond = v.pipe(v.number(), v.description('a rate in bytes per second'));
/** A limit of a client in each direction, for all its tunnels together. */
export const RateLimit = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1_024, 'a rate is 1 KiB a second or more'),
  v.description('bytes per second in each direction, for all tunnels together'),
);
/** How many tunnels a client may have at a time. */
export const TunnelLimit = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_024));
/** 64 lower-case hex digits: a client is its public key. */
export const PublicKeyHex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/** 76 upper-case hex digits. */
export const ToxIdHex = v.pipe(v.string(), v.regex(/^[0-9A-F]{76}$/));
export const Name = v.pipe(
  v.string(),
  v.regex(ALIAS, 'a name begins with a letter and has at most 32 of A-Z a-z 0-9 . _ -'),
);
/** Selects one client: its name, a unique prefix of its key (6 digits or more), its whole key, or its Tox ID. */
export const Selector = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
/**
 * `host:port` with `*` for any host and `0` for any port; an IPv6 address in brackets; `udp:` in front for UDP. Or the name of a service, or the
 * path of a Unix socket.
 */
export const TargetText = v.pipe(v.string(), v.minLength(1), v.maxLength(300));

/** Port 0: `host` is the name of a service, or the absolute path of a Unix socket. Without `protocol` it is TCP. */
export const Target = v.strictObject({
  host: v.string(),
  port: Count,
  protocol: v.optional(v.literal('udp')),
});

/** A client in a list. */
export const ClientName = v.strictObject({ publicKey: PublicKeyHex, name: v.nullable(Name) });

export const NoParams = v.strictObject({});
/** Whether to report what would happen, and change nothing. */
export const dryRun = v.optional(v.boolean(), false);

/** What a change did, for people: each line stands alone. */
export const notes = v.array(v.string());
