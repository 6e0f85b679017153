/** The clients that a change would disconnect, or no longer admit, and the confirmation that it needs then. */
import { ControlError } from '../../control/control-error.js';
import type { AccessFactors } from '../../engine/access/access-factors.js';
import { withOverrides } from '../../engine/access/access-policy.js';
import { kindsLosingAccess, type Requirements } from '../../engine/access/lost-access.js';
import { isExpired } from '../../engine/access/whitelist.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import { nameOf } from './client-names.js';
import { type Connection, connectionsOf } from './connections.js';
import type { MethodContext } from './context.js';

type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine'>;

/** A question names at most so many clients. */
const MAX_NAMES = 8;

/** Returns the tunnels of these clients. */
export function tunnelsOf(deps: Deps, clients: readonly AdmittedClient[]): Connection[] {
  const keys = new Set(clients.map(({ friend }) => friend.publicKey.hex.toLowerCase()));
  const isTunnel = ({ client, kind }: Connection): boolean => kind !== 'listener' && keys.has(client.publicKey);
  return keys.size === 0 ? [] : connectionsOf(deps).filter(isTunnel);
}

/** Returns their names for a sentence, separated by commas. */
export function namesOf(deps: Pick<Deps, 'access'>, clients: readonly AdmittedClient[]): string {
  const names = clients.slice(0, MAX_NAMES).map(({ friend }) => nameOf(deps, friend.publicKey));
  const rest = clients.length - names.length;
  return `${names.join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`;
}

export interface AffectedClients {
  /** The clients that would be disconnected. */
  readonly clients: readonly AdmittedClient[];
  /** The kinds of clients that would no longer be admitted, for people; some of them may be away. */
  readonly kinds: readonly string[];
}

export interface AccessChange {
  /** What clients would need; a field that is left out stays as it is. */
  readonly door?: Partial<Requirements>;
  /** Whether the present secret would stay valid; default true. */
  readonly isSecretUnchanged?: boolean;
  /** The factors by which connected clients would be reviewed. */
  readonly factors: Partial<AccessFactors>;
}

export function affectedBy(deps: Deps, { door, isSecretUnchanged = true, factors }: AccessChange): AffectedClients {
  const { access, clock, admission } = deps;
  const { secret, hasWhitelist, require, isOpen } = access;
  const before = { hasSecret: secret !== undefined, hasWhitelist, require, isOpen };
  const now = clock.unixTime();
  const kinds = kindsLosingAccess({
    before,
    after: { ...before, ...door },
    // A client that came by an invitation is admitted whatever the requirements are.
    isAnyClientListed: access.entries.some((entry) => !entry.invited && !isExpired(entry, now)),
    hasSecretBeenUsed: access.hasSecretBeenUsed,
    isSecretUnchanged,
  });
  return { clients: admission.affectedBy(withOverrides(access, factors)), kinds };
}

export interface Consent {
  readonly confirmed: boolean;
  readonly dryRun: boolean;
}

/**
 * Asks the owner for confirmation if clients would be affected.
 * @param hint what else can be done
 * @returns notes for a dry run: what it would ask
 * @throws ControlError `needs-confirmation`
 */
export function confirm(deps: Deps, consent: Consent, affected: AffectedClients, hint?: string): string[] {
  const text = textOf(deps, affected);
  if (text === undefined || (consent.confirmed && !consent.dryRun)) return [];
  if (consent.dryRun) return [text];
  throw new ControlError('needs-confirmation', text, hint === undefined ? {} : { hint });
}

/** Returns undefined when no client is affected. */
function textOf(deps: Deps, { clients, kinds }: AffectedClients): string | undefined {
  const names = namesOf(deps, clients);
  if (kinds.length === 0) return clients.length === 0 ? undefined : `this would disconnect ${names}`;
  return `${noLongerAdmitted(kinds)}${clients.length === 0 ? '' : `; it would disconnect ${names}`}`;
}

export const noLongerAdmitted = (kinds: readonly string[]): string =>
  `this would no longer admit ${kinds.join(', or ')}`;
