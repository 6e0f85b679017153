import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { connectReading, readChunks } from '../../../src/tunnel/stream/shared-read-buffer.js';
import { SeededRandom } from '../../support/seeded-random.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Connections to a server that sends each of them the same bytes and ends. */
async function connections(t: Test, count: number, bytes: Buffer): Promise<Socket[]> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket.on('error', () => {}));
    socket.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sockets = Array.from({ length: count }, () =>
    connectReading({ host: '127.0.0.1', port, allowHalfOpen: true }).on('error', () => {}),
  );
  t.teardown(() => {
    for (const socket of [...sockets, ...accepted]) socket.destroy();
    server.close();
  });
  await until(() => accepted.length === count && sockets.every((socket) => !socket.connecting));
  return sockets;
}

t.test('connections that share the buffer get their own bytes, whatever order they are read in', async (t) => {
  const random = new SeededRandom(1);
  const bytes = random.bytes(300_000);
  const sockets = await connections(t, 5, bytes);
  const received = sockets.map((): Buffer[] => []);
  let ended = 0;
  for (const [index, socket] of sockets.entries()) {
    readChunks(socket, (chunk) => {
      received[index]?.push(Buffer.from(chunk));
      if (random.below(2) > 0) return;
      socket.pause();
      setImmediate(() => socket.resume());
    });
    socket.on('end', () => {
      ended += 1;
    });
    socket.resume();
  }
  await until(() => ended === sockets.length);
  for (const chunks of received) t.ok(Buffer.concat(chunks).equals(bytes));
});

t.test('bytes that arrive before anybody reads are not lost', async (t) => {
  const [socket] = (await connections(t, 1, Buffer.from('early'))) as [Socket];
  for (let count = 0; count < 20; count += 1) await turn();
  let text = '';
  readChunks(socket, (chunk) => {
    text += chunk;
  });
  socket.resume();
  await new Promise((resolve) => socket.once('end', resolve));
  t.equal(text, 'early');
});

t.test('a connection that was paused is not read from', async (t) => {
  const [socket] = (await connections(t, 1, Buffer.alloc(1_000_000))) as [Socket];
  let count = 0;
  readChunks(socket, () => {
    count += 1;
    socket.pause();
  });
  socket.resume();
  await until(() => count > 0);
  for (let turns = 0; turns < 20; turns += 1) await turn();
  t.equal(count, 1);
  t.ok(socket.bytesRead <= 65_536, `${socket.bytesRead} bytes were read`);
});
