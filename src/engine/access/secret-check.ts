/** How secrets that come are told from the right one, in constant time. */

/** `right-before`: by the secret before the present one, which is valid for a while. `unknown`: only a slow hash can tell. */
export type Comparison = 'right' | 'right-before' | 'wrong' | 'unknown';

export interface SecretCheck {
  /** 32 bytes that stand for a candidate, and show nothing of it. */
  digest(candidate: Buffer): Buffer;
  compare(candidate: Buffer): Comparison;
  /**
   * For one that is unknown; then `compare` knows it if it is right. Never rejects.
   * @param isTrusted whether it is looked at before those of strangers
   * @returns `busy` when too many wait: nothing is known then
   */
  compareSlowly(candidate: Buffer, isTrusted: boolean): Promise<'told' | 'busy'>;
}
