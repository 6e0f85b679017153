/**
 * A TCP service to be reached, a process of its own, so that what it computes is not on the account of the tunnel. It greets
 * each client, as sshd does, and takes one command a connection:
 *
 *     service: hello \n
 *     client:  echo \n            what follows is sent back
 *              down BYTES \n      so many bytes come, then the digest of what was sent
 *              up BYTES \n        and so many bytes; the digest of what came is the answer
 *
 * A digest is 64 characters: the SHA-256 in hexadecimal, or dashes when "plain" follows BYTES.
 *     service.js [ADDRESS, 127.0.0.1 by default]
 *
 * It prints its port, and ends with its standard input, that is with the process that started it.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { content } from '../../test/support/exchange.js';
import { Digest, GREETING, sendAll } from './service-protocol.js';

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.write(GREETING);
  serve(socket).catch(() => socket.destroy());
});

async function serve(socket: Socket): Promise<void> {
  const input = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  let head = Buffer.alloc(0);
  while (!head.includes('\n')) {
    const { value } = await input.next();
    if (value === undefined) {
      socket.end();
      return;
    }
    head = Buffer.concat([head, value]);
  }
  const end = head.indexOf('\n');
  const [order, length, kind] = head.subarray(0, end).toString('latin1').split(' ');
  const rest = head.subarray(end + 1);
  const digest = new Digest(kind !== 'plain');
  if (order === 'down') {
    await sendAll(socket, content('down', Number(length)), digest);
    socket.end(digest.text());
    await input.next();
  } else if (order === 'up') {
    let missing = Number(length) - rest.length;
    digest.add(rest);
    while (missing > 0) {
      const { value } = await input.next();
      if (value === undefined) throw new Error('ended too early');
      missing -= value.length;
      digest.add(value);
    }
    socket.end(digest.text());
    await input.next();
  } else {
    socket.write(rest);
    for (let next = await input.next(); next.value !== undefined; next = await input.next()) socket.write(next.value);
    socket.end();
  }
}

server.listen(0, process.argv[2] ?? '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.stdin.once('close', () => process.exit()).resume();
