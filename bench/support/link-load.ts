/**
 * Transfers without an end, all at once, in the network that this runs in: prints the MB/s of each, in order, as JSON.
 *
 *     link-load.js down|up SKIPPED SECONDS HOST:PORT...     measures for so many seconds, after some that do not count
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Direction, transfer } from './service-client.js';

const [direction, skipped, seconds, ...ways] = process.argv.slice(2);
const moved = ways.map(() => 0);
const broken = ways.map(async (way, index) => {
  const [host, port] = way.split(':') as [string, string];
  const onProgress = (bytes: number): void => {
    moved[index] = bytes;
  };
  await transfer(Number(port), direction as Direction, 1e15, { hasDigest: false, host, onProgress });
});

async function measure(): Promise<number[]> {
  await sleep(Number(skipped) * 1000);
  const before = [...moved];
  const startedAt = performance.now();
  console.error('measuring');
  await sleep(Number(seconds) * 1000);
  const milliseconds = performance.now() - startedAt;
  return moved.map((bytes, index) => (bytes - (before[index] ?? 0)) / 1000 / milliseconds);
}

console.log(JSON.stringify(await Promise.race([measure(), ...broken])));
process.exit();
