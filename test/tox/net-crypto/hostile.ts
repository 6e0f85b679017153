/** Packets from attackers and broken machines: random, truncated, lengthened and changed. */
import type { SeededRandom } from '../../support/seeded-random.js';

/** @param samples genuine packets; none of them is given back unchanged */
export function* hostileInputs(random: SeededRandom, samples: readonly Buffer[], count: number): Generator<Buffer> {
  for (let at = 0; at < count; at += 1) {
    const sample = samples[random.below(samples.length)] as Buffer;
    switch (random.below(4)) {
      case 0: {
        const noise = random.bytes(random.below(1500));
        if (noise.length > 0) noise[0] = sample[0] as number;
        yield noise;
        break;
      }
      case 1:
        yield Buffer.from(sample.subarray(0, random.below(sample.length)));
        break;
      case 2:
        yield Buffer.concat([sample, random.bytes(1 + random.below(50))]);
        break;
      default: {
        const changed = Buffer.from(sample);
        const byte = 1 + random.below(sample.length - 1);
        changed[byte] = (changed[byte] as number) ^ (1 << random.below(8));
        yield changed;
      }
    }
  }
}
