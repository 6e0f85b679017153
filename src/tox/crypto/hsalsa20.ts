/**
 * HSalsa20 (Bernstein, "Extending the Salsa20 nonce") with an all-zero input, which turns a Curve25519 product into the key of a
 * box (NaCl's `crypto_box_beforenm`). sodium-native does not export it.
 */

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** @param key 32 bytes @returns 32 bytes, outside Node's shared pool */
export function hsalsa20(key: Buffer): Buffer {
  const k = (index: number): number => key.readInt32LE(index * 4);
  // The diagonal holds "expand 32-byte k"; the input words 6 to 9 are zero.
  let x0 = 0x61707865;
  let x1 = k(0);
  let x2 = k(1);
  let x3 = k(2);
  let x4 = k(3);
  let x5 = 0x3320646e;
  let x6 = 0;
  let x7 = 0;
  let x8 = 0;
  let x9 = 0;
  let x10 = 0x79622d32;
  let x11 = k(4);
  let x12 = k(5);
  let x13 = k(6);
  let x14 = k(7);
  let x15 = 0x6b206574;

  for (let round = 0; round < 20; round += 2) {
    x4 ^= rotate(x0 + x12, 7);
    x8 ^= rotate(x4 + x0, 9);
    x12 ^= rotate(x8 + x4, 13);
    x0 ^= rotate(x12 + x8, 18);
    x9 ^= rotate(x5 + x1, 7);
    x13 ^= rotate(x9 + x5, 9);
    x1 ^= rotate(x13 + x9, 13);
    x5 ^= rotate(x1 + x13, 18);
    x14 ^= rotate(x10 + x6, 7);
    x2 ^= rotate(x14 + x10, 9);
    x6 ^= rotate(x2 + x14, 13);
    x10 ^= rotate(x6 + x2, 18);
    x3 ^= rotate(x15 + x11, 7);
    x7 ^= rotate(x3 + x15, 9);
    x11 ^= rotate(x7 + x3, 13);
    x15 ^= rotate(x11 + x7, 18);

    x1 ^= rotate(x0 + x3, 7);
    x2 ^= rotate(x1 + x0, 9);
    x3 ^= rotate(x2 + x1, 13);
    x0 ^= rotate(x3 + x2, 18);
    x6 ^= rotate(x5 + x4, 7);
    x7 ^= rotate(x6 + x5, 9);
    x4 ^= rotate(x7 + x6, 13);
    x5 ^= rotate(x4 + x7, 18);
    x11 ^= rotate(x10 + x9, 7);
    x8 ^= rotate(x11 + x10, 9);
    x9 ^= rotate(x8 + x11, 13);
    x10 ^= rotate(x9 + x8, 18);
    x12 ^= rotate(x15 + x14, 7);
    x13 ^= rotate(x12 + x15, 9);
    x14 ^= rotate(x13 + x12, 13);
    x15 ^= rotate(x14 + x13, 18);
  }

  const out = Buffer.allocUnsafeSlow(32);
  [x0, x5, x10, x15, x6, x7, x8, x9].forEach((word, index) => {
    out.writeInt32LE(word | 0, index * 4);
  });
  return out;
}
