/** Who would get in, and who would have to go, if something were changed: for telling the owner before it is done. */
import type { AccessFactors } from './access-factors.js';
import { AccessPolicy } from './access-policy.js';

/** The policy of the factors as they are, but for some of them. */
export function withOverrides(factors: AccessFactors, changes: Partial<AccessFactors>): AccessPolicy {
  return new AccessPolicy({
    secret: factors.secret,
    secretGeneration: factors.secretGeneration,
    hasWhitelist: factors.hasWhitelist,
    isListed: (key) => factors.isListed(key),
    hasExpired: (key) => factors.hasExpired(key),
    isBanned: (key) => factors.isBanned(key),
    hasProven: (key) => factors.hasProven(key),
    noteProven: (key) => factors.noteProven(key),
    require: factors.require,
    isOpen: factors.isOpen,
    ...changes,
  });
}
