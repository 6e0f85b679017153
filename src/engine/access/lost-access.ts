/** The kinds of clients that a change of the requirements would no longer admit, to tell the owner before it is done. */

/** What a client needs to be admitted. */
export interface Requirements {
  readonly hasSecret: boolean;
  readonly hasWhitelist: boolean;
  readonly require: 'all' | 'any';
  /** Admits every client where neither is required. */
  readonly isOpen: boolean;
}

export interface RequirementsChange {
  readonly before: Requirements;
  readonly after: Requirements;
  /** Whether the whitelist has a valid entry. */
  readonly isAnyClientListed: boolean;
  /** Whether a client has used the secret of before. */
  readonly hasSecretBeenUsed: boolean;
  /** Whether the secret of before stays valid. */
  readonly isSecretUnchanged: boolean;
}

interface Client {
  readonly isListed: boolean;
  /** The secret of before. */
  readonly knowsSecret: boolean;
}

const KINDS: readonly (Client & { readonly text: string })[] = [
  { isListed: true, knowsSecret: false, text: 'clients on the whitelist that do not have the secret' },
  { isListed: false, knowsSecret: true, text: 'clients that have the secret and are not on the whitelist' },
  { isListed: true, knowsSecret: true, text: 'clients on the whitelist that have the secret' },
];

/** Returns the kinds of clients, in words, that are admitted before and not after the change. */
export function kindsLosingAccess(change: RequirementsChange): readonly string[] {
  const { before, after, isAnyClientListed, hasSecretBeenUsed, isSecretUnchanged } = change;
  return KINDS.filter(({ isListed, knowsSecret }) => {
    if ((isListed && !isAnyClientListed) || (knowsSecret && !hasSecretBeenUsed)) return false;
    return (
      isAdmitted(before, { isListed, knowsSecret }) &&
      !isAdmitted(after, { isListed, knowsSecret: knowsSecret && isSecretUnchanged })
    );
  }).map(({ text }) => text);
}

function isAdmitted(
  { hasSecret, hasWhitelist, require, isOpen }: Requirements,
  { isListed, knowsSecret }: Client,
): boolean {
  if (!hasSecret && !hasWhitelist) return isOpen;
  const bySecret = hasSecret && knowsSecret;
  const byList = hasWhitelist && isListed;
  return require === 'any' ? bySecret || byList : bySecret === hasSecret && byList === hasWhitelist;
}
