/**
 * What Node itself costs that is idle as a daemon is: a process that sends back the datagrams that come to its port, which
 * it prints, and has a few timers that fire each second for nothing. It ends with its standard input.
 */
import { createSocket } from 'node:dgram';

const TIMERS = 6;
const SECOND = 1_000;

const socket = createSocket('udp6', (bytes, { port, address }) => socket.send(bytes, port, address));
socket.bind(0, '::1', () => console.log(socket.address().port));
// At moments of their own, as in programs that do not care.
for (let count = 0; count < TIMERS; count += 1) {
  setTimeout(() => setInterval(() => {}, SECOND), (count * SECOND) / TIMERS);
}
process.stdin.once('close', () => process.exit()).resume();
