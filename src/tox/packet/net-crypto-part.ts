/**
 * Half of the data of a lossless packet (id 5), with that packet's number: between peers of our kind, for what was cut for a path
 * that takes it no more.
 *
 *     5 || 0 for the first half, 1 for the last || bytes
 */
import { CryptoKind } from './kind.js';

const HEADER_SIZE = 2;

export interface Part {
  readonly isLast: boolean;
  readonly bytes: Buffer;
}

/** @param data 2 bytes or more */
export function encodeParts(data: Buffer): readonly [Buffer, Buffer] {
  const middle = Math.ceil(data.length / 2);
  const encode = (isLast: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([CryptoKind.Part, isLast]), bytes]);
  return [encode(0, data.subarray(0, middle)), encode(1, data.subarray(middle))];
}

/** The bytes are a view. */
export function decodePart(data: Buffer): Part | undefined {
  const isLast = data[1];
  if ((isLast !== 0 && isLast !== 1) || data.length === HEADER_SIZE) return undefined;
  return { isLast: isLast === 1, bytes: data.subarray(HEADER_SIZE) };
}
