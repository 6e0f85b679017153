/** How people and logs name a public key. */

/** Hex digits. */
const SHOWN = 8;

/** Returns the first digits of a key, or of a Tox ID, which begins with one. @param hex of either case */
export const shortKey = (hex: string): string => hex.slice(0, SHOWN).toUpperCase();
