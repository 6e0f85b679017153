/**
 * Hostile bytes for decoders, repeatable from a seed: noise of every length, and valid packets that were truncated,
 * flipped, extended, spliced with each other, or had a field put to an extreme value.
 */
import { SeededRandom } from './seeded-random.js';

/** Longest noise and longest extension, in bytes; above the 1372 bytes of the longest packet inside a datagram. */
const MAX_NOISE = 1500;
const MAX_EXTENSION = 64;

type Mutator = (sample: Buffer, random: SeededRandom, samples: readonly Buffer[]) => Buffer;

/** A random prefix of the sample, possibly empty, never all of it. */
export const truncate: Mutator = (sample, random) => Buffer.from(sample.subarray(0, random.below(sample.length)));

/** The sample with 1 to 8 bits flipped; an empty sample stays so. */
export const flip: Mutator = (sample, random) => {
  const out = Buffer.from(sample);
  if (out.length === 0) return out;
  for (let left = 1 + random.below(8); left > 0; left -= 1) {
    const at = random.below(out.length);
    out[at] = (out[at] as number) ^ (1 << random.below(8));
  }
  return out;
};

/** The sample followed by 1 to 64 random bytes. */
export const extend: Mutator = (sample, random) =>
  Buffer.concat([sample, random.bytes(1 + random.below(MAX_EXTENSION))]);

/** The beginning of the sample and the end of another (or of itself). */
export const splice: Mutator = (sample, random, samples) => {
  const other = samples[random.below(samples.length)] ?? sample;
  return Buffer.concat([
    sample.subarray(0, random.below(sample.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);
};

/** The sample with 1, 2 or 4 neighbouring bytes all zero or all 255: what lengths and counts fear most. */
export const extreme: Mutator = (sample, random) => {
  const out = Buffer.from(sample);
  const at = random.below(out.length);
  return out.fill(random.below(2) === 0 ? 0 : 0xff, at, Math.min(out.length, at + (1 << random.below(3))));
};

/** Noise of 0 to 1500 bytes, short as often as long; half the time it begins like the sample, so that it gets past a kind. */
export const noise: Mutator = (sample, random) => {
  const length = random.below(random.below(2) === 0 ? 48 : MAX_NOISE + 1);
  const out = random.bytes(length);
  if (random.below(2) === 0) sample.copy(out, 0, 0, Math.min(4, sample.length));
  return out;
};

const MUTATORS: readonly Mutator[] = [truncate, flip, extend, splice, extreme, noise];

/**
 * Yields `count` hostile inputs made from valid `samples`, the same ones for the same seed. Each is a fresh buffer. A
 * mutation can be valid by chance: assert what a decoder does (no throw, bounded, round trip), not that it refuses.
 * Without samples all of it is noise.
 */
export function* mutations(seed: number, samples: readonly Buffer[], count: number): Iterable<Buffer> {
  const random = new SeededRandom(seed);
  for (let made = 0; made < count; made += 1) {
    const sample = samples[random.below(samples.length)];
    if (sample === undefined) yield noise(Buffer.alloc(0), random, samples);
    else yield (MUTATORS[random.below(MUTATORS.length)] as Mutator)(sample, random, samples);
  }
}
