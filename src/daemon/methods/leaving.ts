/** Who has to go by a change, and what goes with them. */
import { ControlError } from '../../control/control-error.js';
import type { AccessFactors } from '../../engine/access/access-factors.js';
import { withOverrides } from '../../engine/access/policy-overrides.js';
import { type Door, shutOutBy } from '../../engine/access/shut-out.js';
import { isExpired } from '../../engine/access/whitelist.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import { nameOf } from './clients-by-name.js';
import { type Connection, connectionsOf } from './connections.js';
import type { MethodContext } from './context.js';

type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine'>;

/** Clients that are named in a question; one knows by then what it is about. */
const MOST_NAMED = 8;

/** The tunnels of those guests. */
export function tunnelsOf(deps: Deps, guests: readonly AdmittedClient[]): Connection[] {
  const gone = new Set(guests.map(({ friend }) => friend.publicKey.hex.toLowerCase()));
  return gone.size === 0 ? [] : connectionsOf(deps).filter(({ client }) => gone.has(client.publicKey));
}

/** For sentences: their names, with commas. */
export function namesOf(deps: Pick<Deps, 'access'>, guests: readonly AdmittedClient[]): string {
  const names = guests.slice(0, MOST_NAMED).map(({ friend }) => nameOf(deps, friend.publicKey));
  const rest = guests.length - names.length;
  return `${names.join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`;
}

/** Who would be shut out by a change. */
export interface ShutOut {
  /** Of those who are here, or have been of late. */
  readonly guests: readonly AdmittedClient[];
  /** Kinds of clients that would not get in any more, for people; some may be away. */
  readonly kinds: readonly string[];
}

export interface Supposed {
  /** What would be asked for; what is left out stays. */
  readonly door?: Partial<Door>;
  /** Whether the secret of now would still be one; default true. */
  readonly isSecretKept?: boolean;
  /** How those who are here would be looked at. */
  readonly factors: Partial<AccessFactors>;
}

export function shutOutIf(deps: Deps, { door, isSecretKept = true, factors }: Supposed): ShutOut {
  const { access, clock, admission } = deps;
  const before = doorOf(access);
  const now = clock.unixTime();
  const kinds = shutOutBy({
    before,
    after: { ...before, ...door },
    isAnybodyListed: access.entries.some((entry) => !isExpired(entry, now)),
    hasSecretBeenUsed: access.hasSecretBeenUsed,
    isSecretKept,
  });
  return { guests: admission.leaving(withOverrides(access, factors)), kinds };
}

export const doorOf = ({ secret, hasWhitelist, require, isOpen }: MethodContext['access']): Door => ({
  hasSecret: secret !== undefined,
  hasWhitelist,
  require,
  isOpen,
});

export interface Consent {
  readonly confirmed: boolean;
  readonly dryRun: boolean;
}

/**
 * Asks the owner, unless nobody would be shut out.
 * @param hint what else can be done
 * @returns notes for a dry run, which says what it would ask
 * @throws ControlError `needs-confirmation`
 */
export function confirm(deps: Deps, { confirmed, dryRun }: Consent, lost: ShutOut, hint?: string): string[] {
  const text = shutOutText(deps, lost);
  if (text === undefined || (confirmed && !dryRun)) return [];
  if (dryRun) return [text];
  throw new ControlError('needs-confirmation', text, hint === undefined ? {} : { hint });
}

/** Undefined when it is nobody. */
function shutOutText(deps: Deps, { guests, kinds }: ShutOut): string | undefined {
  const names = namesOf(deps, guests);
  if (kinds.length === 0) return guests.length === 0 ? undefined : `this would shut out ${names}`;
  return `this would shut out ${kinds.join(', and ')}${guests.length === 0 ? '' : `; among them ${names}`}`;
}
