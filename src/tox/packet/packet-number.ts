/** Numbers of lossless packets: they count modulo 2^32, so that "before" and "after" hold only within half of that. */

export const nextNumber = (number: number): number => (number + 1) >>> 0;

export const addToNumber = (number: number, by: number): number => (number + by) >>> 0;

/** How far `to` lies after `from`, 0 to 2^32 - 1. */
export const distanceBetween = (from: number, to: number): number => (to - from) >>> 0;

/** Whether `number` is one of `start`, …, `start + size - 1`. */
export const isWithin = (number: number, start: number, size: number): boolean => (number - start) >>> 0 < size;

/** Specification (CRYPTO_PACKET_BUFFER_SIZE): numbers that a receiver accepts, counted from the first missing one. */
export const MAX_NUMBERS = 32_768;

/** Half the receiver's room, and well below the 21,845 transmissions after which the peer loses track of the nonce. */
export const MAX_IN_FLIGHT_NUMBERS = 16_384;
