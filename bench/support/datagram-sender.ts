/**
 * Sends datagrams at a constant rate to a datagram-sink, and prints how many.
 *
 *     datagram-sender.js HOST PORT BYTES MBIT/S SECONDS
 */
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { END, WARM_UP, writeStamp } from './datagram-stream.js';

const [host = '', ...numbers] = process.argv.slice(2);
const [port = 0, size = 0, megabits = 0, seconds = 0] = numbers.map(Number);
const socket = createSocket('udp4');
const send = (number: number): void => socket.send(writeStamp(Buffer.alloc(size), number), port, host);

for (let count = 0; count < 30; count += 1) {
  send(WARM_UP);
  await sleep(50);
}
const [perMs, startedAt] = [(megabits * 125) / size, performance.now()];
let sent = 0;
for (let now = startedAt; now < startedAt + seconds * 1000; now = performance.now()) {
  for (const due = (now - startedAt) * perMs; sent < due; sent += 1) send(sent);
  await sleep(1);
}
// What is still under way comes before the end.
await sleep(500);
for (let count = 0; count < 20; count += 1) {
  send(END);
  await sleep(50);
}
console.log(sent);
socket.close();
