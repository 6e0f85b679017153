/**
 * Visits the service through a port of the network that it runs in, and prints ms, a line for each transfer or round trip.
 *
 *     link-visit.js HOST PORT down|up BYTES COUNT PAUSE     transfers one after the other, with pauses of so many ms
 *     link-visit.js HOST PORT echo COUNT PAUSE              small messages there and back, with pauses of so many ms
 *     link-visit.js HOST PORT answer COUNT PAUSE            connections that send an order at once, until its answer
 *     link-visit.js greet                                   waits for "HOST PORT" on its input, connects, and prints "greeted"
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Direction, firstAnswer, greet, roundTrips, transfer } from './service-client.js';

const [host = '', port, what, ...rest] = process.argv.slice(2);
if (host === 'greet') {
  console.log('ready');
  const [line] = (await once(process.stdin.setEncoding('latin1'), 'data')) as [string];
  const [at, number] = line.trim().split(' ');
  await greet(Number(number), at);
  console.log('greeted');
  process.exit();
}
const [first = 0, count = 1, pause = 0] = rest.map(Number);
if (what === 'echo') {
  for (const ms of await roundTrips(Number(port), first, { host, pause: count })) console.log(ms);
} else if (what === 'answer') {
  for (let turn = 0; turn < first; turn += 1) {
    if (turn > 0) await sleep(count);
    console.log(await firstAnswer(Number(port), host));
  }
} else {
  for (let turn = 0; turn < count; turn += 1) {
    if (turn > 0) await sleep(pause);
    const { milliseconds } = await transfer(Number(port), what as Direction, first, { hasDigest: false, host });
    console.log(milliseconds);
  }
}
