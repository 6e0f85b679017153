/**
 * Run by test/tox/network/native-addon with native/faults.c: sends datagrams from one socket of the program to another, as it opens
 * them itself, and prints a line of JSON about what came.
 */
import { silentLogger } from '../../src/base/logger.js';
import { systemRandom } from '../../src/base/random.js';
import { openUdpSocket, type UdpSocket } from '../../src/tox/network/udp-socket.js';
import { at } from './nodes.js';

/** A run of one size, one that is larger, and one that is smaller. */
const SIZES = [...new Array<number>(40).fill(1000), 1400, 600];

const received: number[] = [];
const open = (onDatagram: (packet: Buffer) => void): Promise<UdpSocket> =>
  openUdpSocket(
    { random: systemRandom, log: silentLogger },
    { bindAddress: '127.0.0.1', ports: 0, ipv6: false, onDatagram },
  );

const sender = await open(() => {});
const receiver = await open((packet) => {
  received.push(packet.length);
  // The smallest comes last.
  if (packet.length === Math.min(...SIZES)) end();
});
const to = at('127.0.0.1', receiver.localPort);
for (const size of SIZES) sender.send(Buffer.alloc(size), to);

function end(): void {
  const { kind, errors } = sender;
  const lost = SIZES.filter((size) => !received.includes(size));
  console.log(JSON.stringify({ kind, errors, lost, count: received.length }));
  for (const socket of [sender, receiver]) socket.close();
}
