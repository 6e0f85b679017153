/** The secret of a link: 100 random bits, which no one can guess, in letters and digits that do not look alike. */
import type { Random } from '../base/random.js';

const LENGTH = 20;
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const PATTERN = /^[a-km-np-z2-9]{20}$/;

export const newLinkSecret = (random: Random): string =>
  Array.from({ length: LENGTH }, () => ALPHABET[random.below(ALPHABET.length)]).join('');

/** Whether a text could be the secret of a link. */
export const isLinkSecret = (text: string): boolean => PATTERN.test(text);

/** Returns the secret as a number below 2^100. @param secret must be the secret of a link */
export const secretToNumber = (secret: string): bigint =>
  [...secret].reduce((value, letter) => (value << 5n) | BigInt(ALPHABET.indexOf(letter)), 0n);

export const secretFromNumber = (value: bigint): string =>
  Array.from({ length: LENGTH }, (_, at) => ALPHABET[Number((value >> BigInt(5 * (LENGTH - 1 - at))) & 31n)]).join('');
