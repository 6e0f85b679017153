/**
 * The least that a program of Node can do between two TCP connections, in a process of its own: what a tunnel costs is to
 * be seen beside it. Prints its port, and ends with its standard input.
 *
 *     node dist/bench/support/relay.js TARGET_PORT
 */
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';

const target = Number(process.argv[2]);
const ignore = (): void => {};
const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const other = connect({ port: target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  pipeline(socket, other, ignore);
  pipeline(other, socket, ignore);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.stdin.once('close', () => process.exit()).resume();
