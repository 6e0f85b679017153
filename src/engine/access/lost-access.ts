/** Which clients that are not here would be shut out by a change of what is asked for: for telling the owner before it is done. Values only, no I/O. */

/** What is asked for. */
export interface Requirements {
  readonly hasSecret: boolean;
  readonly hasWhitelist: boolean;
  readonly require: 'all' | 'any';
  /** Lets in everybody where neither is asked for. */
  readonly isOpen: boolean;
}

export interface RequirementsChange {
  readonly before: Requirements;
  readonly after: Requirements;
  /** Whether anybody is on the whitelist. */
  readonly isAnybodyListed: boolean;
  /** Whether anybody has come with the secret of before. */
  readonly hasSecretBeenUsed: boolean;
  /** Whether the secret of before is one after it too. */
  readonly isSecretUnchanged: boolean;
}

interface Client {
  readonly isListed: boolean;
  /** Of before. */
  readonly knowsSecret: boolean;
}

const KINDS: readonly (Client & { readonly text: string })[] = [
  { isListed: true, knowsSecret: false, text: 'clients on the whitelist that do not have the secret' },
  { isListed: false, knowsSecret: true, text: 'clients that have the secret and are not on the whitelist' },
  { isListed: true, knowsSecret: true, text: 'clients on the whitelist that have the secret' },
];

/** The kinds of clients, for people, that got in before and do not after it. */
export function kindsLosingAccess(change: RequirementsChange): readonly string[] {
  const { before, after, isAnybodyListed, hasSecretBeenUsed, isSecretUnchanged } = change;
  return KINDS.filter(({ isListed, knowsSecret }) => {
    if ((isListed && !isAnybodyListed) || (knowsSecret && !hasSecretBeenUsed)) return false;
    return (
      getsIn(before, { isListed, knowsSecret }) &&
      !getsIn(after, { isListed, knowsSecret: knowsSecret && isSecretUnchanged })
    );
  }).map(({ text }) => text);
}

function getsIn(
  { hasSecret, hasWhitelist, require, isOpen }: Requirements,
  { isListed, knowsSecret }: Client,
): boolean {
  if (!hasSecret && !hasWhitelist) return isOpen;
  const bySecret = hasSecret && knowsSecret;
  const byList = hasWhitelist && isListed;
  return require === 'any' ? bySecret || byList : bySecret === hasSecret && byList === hasWhitelist;
}
