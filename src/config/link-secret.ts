/** Generated secrets, in letters and digits that do not look alike. That of a link has 100 random bits, which no one can guess. */
import type { Random } from '../base/random.js';

const LENGTH = 20;
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const PATTERN = /^[a-km-np-z2-9]{20}$/;

/** Returns a secret with five random bits in each character: a byte has no remainder over 32. */
export const newSecret = (random: Random, length: number): string =>
  [...random.bytes(length)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');

export const newLinkSecret = (random: Random): string => newSecret(random, LENGTH);

/** Whether a text could be the secret of a link. */
export const isLinkSecret = (text: string): boolean => PATTERN.test(text);

/** Returns the secret as a number below 2^100. @param secret must be the secret of a link */
export const secretToNumber = (secret: string): bigint =>
  [...secret].reduce((value, letter) => (value << 5n) | BigInt(ALPHABET.indexOf(letter)), 0n);

export const secretFromNumber = (value: bigint): string =>
  Array.from({ length: LENGTH }, (_, at) => ALPHABET[Number((value >> BigInt(5 * (LENGTH - 1 - at))) & 31n)]).join('');
