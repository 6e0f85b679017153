/** Who has to go by a change, and what goes with them. */
import { ControlError } from '../../control/control-error.js';
import type { Guest } from '../../engine/doorkeeper.js';
import { nameOf } from './clients-by-name.js';
import { type Connection, connectionsOf } from './connections.js';
import type { MethodContext } from './context.js';

type Deps = Pick<MethodContext, 'access' | 'clock' | 'doorkeeper' | 'engine'>;

/** Guests that are named in a question; one knows by then what it is about. */
const MOST_NAMED = 8;

/** The tunnels of those guests. */
export function tunnelsOf(deps: Deps, guests: readonly Guest[]): Connection[] {
  const gone = new Set(guests.map(({ friend }) => friend.publicKey.hex.toLowerCase()));
  return gone.size === 0 ? [] : connectionsOf(deps).filter(({ client }) => gone.has(client.publicKey));
}

/** For sentences: their names, with commas. */
export function namesOf(deps: Pick<Deps, 'access'>, guests: readonly Guest[]): string {
  const names = guests.slice(0, MOST_NAMED).map(({ friend }) => nameOf(deps, friend.publicKey));
  const rest = guests.length - names.length;
  return `${names.join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`;
}

/** Asks the owner, unless there is nobody to be shut out. @throws ControlError `needs-confirmation` */
export function confirm(
  isConfirmed: boolean,
  guests: readonly Guest[],
  question: () => { readonly message: string; readonly hint: string },
): void {
  if (isConfirmed || guests.length === 0) return;
  const { message, hint } = question();
  throw new ControlError('needs-confirmation', message, { hint });
}
