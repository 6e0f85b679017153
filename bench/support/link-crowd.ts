/**
 * Many connections to the service from the network that this runs in, some of which are busy.
 *
 *     link-crowd.js HOST PORT OPEN BUSY BYTES      OPEN connections in all, BUSY of them with a transfer of BYTES down each
 *
 * It prints "open MS" when all that do nothing are greeted, and for each line of its input "moved MS LEAST MOST": the time of all
 * transfers together, and of the fastest and slowest.
 */
import { createInterface } from 'node:readline';
import { stay, transfer } from './service-client.js';

const [host = '', ...rest] = process.argv.slice(2);
const [port = 0, open = 0, busy = 0, bytes = 0] = rest.map(Number);

/** Connections that are opened at once. */
const WAVE = 50;

async function timed<T>(works: readonly (() => Promise<T>)[]): Promise<[milliseconds: number, results: T[]]> {
  const startedAt = performance.now();
  const results = await Promise.all(works.map((work) => work()));
  return [performance.now() - startedAt, results];
}

const startedAt = performance.now();
for (let left = open - busy; left > 0; left -= WAVE)
  await timed(Array.from({ length: Math.min(left, WAVE) }, () => () => stay(port, host)));
console.log(`open ${performance.now() - startedAt}`);
for await (const _ of createInterface({ input: process.stdin })) {
  const transfers = Array.from({ length: busy }, () => () => transfer(port, 'down', bytes, { hasDigest: false, host }));
  const [moved, results] = await timed(transfers);
  const times = results.map(({ milliseconds }) => milliseconds);
  console.log(`moved ${moved} ${Math.min(...times)} ${Math.max(...times)}`);
}
process.exit();
