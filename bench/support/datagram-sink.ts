/**
 * Counts the datagrams of a datagram-sender and how long each was under way: both read the clock of one machine. Prints them when the
 * sender ends.
 *
 *     datagram-sink.js PORT
 */
import { createSocket } from 'node:dgram';
import { END, WARM_UP } from './datagram-stream.js';
import { quantile } from './statistics.js';

const [port] = process.argv.slice(2);
let delays: number[] = [];
const socket = createSocket('udp4', (bytes) => {
  const number = bytes.readUInt32BE();
  if (number === WARM_UP) return;
  if (number !== END) {
    delays.push(Number(process.hrtime.bigint() - bytes.readBigUInt64BE(4)) / 1e6);
    return;
  }
  if (delays.length === 0) return;
  const [median, late] = [quantile(delays, 0.5), quantile(delays, 0.99)];
  console.log(JSON.stringify({ received: delays.length, median, late }));
  delays = [];
});
socket.bind(Number(port), '0.0.0.0', () => {
  socket.setRecvBufferSize(4 * 1024 * 1024);
  console.log('ready');
});
