import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { endOf } from '../../../src/tunnel/stream/unix-end.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { channelPair } from '../support/channel-pair.js';
import { localSpec } from '../support/local-spec.js';
import { readAll, World } from '../support/world.js';

const ANSWER = Buffer.alloc(50_000, 7);
/** Bytes: more than the kernel holds for a program that does not read. */
const MUCH = 4 * 1024 * 1024;

/** A program at a Unix socket that reads nothing. */
async function listen(t: Test, onConnection = (_: Socket): void => {}) {
  const path = join(temporaryDirectory(t), 'socket');
  const server = createServer({ pauseOnConnect: true }, onConnection).listen(path);
  t.teardown(() => server.close());
  await once(server, 'listening');
  return { path, server };
}

/** Such a program, and our end of its socket. */
async function start(t: Test) {
  const { path, server } = await listen(t);
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect({ path, allowHalfOpen: true }).pause();
  await once(socket, 'connect');
  const [program] = await accepted;
  const clock = new ManualClock();
  const end = endOf(clock, socket);
  t.teardown(() => end.destroy());
  let read = 0;
  socket.on('data', (bytes) => {
    read += bytes.length;
  });
  socket.pause();
  const answerAndClose = (): Promise<void> =>
    new Promise((resolve) => void program.write(ANSWER, () => program.once('close', () => resolve()).destroy()));
  return { socket, clock, answerAndClose, read: () => read };
}

const written = (socket: Socket, size: number): Promise<unknown> =>
  new Promise((resolve) => void socket.write(Buffer.alloc(size), resolve));

t.test('the answer of a program that closes without reading is read to the end', async (t) => {
  const { socket, answerAndClose, read } = await start(t);
  await written(socket, 100);
  await answerAndClose();
  socket.resume();
  await once(socket, 'end');
  t.equal(read(), ANSWER.length);
  t.notOk(socket.destroyed);
});

t.test('so it is when a write is under way that fails, whose bytes are thrown away', async (t) => {
  const { socket, answerAndClose, read } = await start(t);
  const write = written(socket, MUCH);
  await answerAndClose();
  t.equal((await write) ?? undefined, undefined);
  t.equal((await written(socket, MUCH)) ?? undefined, undefined, 'and those of later writes');
  socket.resume();
  await once(socket, 'end');
  t.equal(read(), ANSWER.length);
  socket.end();
  await once(socket, 'finish');
});

t.test('where the answer waits in Node, because nobody takes it, it is not lost either', async (t) => {
  const { socket, answerAndClose, read } = await start(t);
  // Node goes on reading for a while after it has been told to stop.
  socket.resume();
  socket.pause();
  await written(socket, 100);
  await answerAndClose();
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  socket.resume();
  await once(socket, 'end');
  t.equal(read(), ANSWER.length);
});

t.test('30 s after the end of the answer the connection breaks, if the peer goes on sending', async (t) => {
  const { socket, clock, answerAndClose } = await start(t);
  const write = written(socket, MUCH);
  await answerAndClose();
  await write;
  clock.advance(60_000);
  t.notOk(socket.destroyed, 'not while the answer is unread');
  socket.resume();
  await once(socket, 'end');
  clock.advance(29_999);
  t.notOk(socket.destroyed);
  const failed = once(socket, 'error');
  clock.advance(1);
  t.match(await failed, [{ code: 'EPIPE' }]);
});

t.test('through a tunnel, the client has the whole answer to a request that was not read', async (t) => {
  const { path } = await listen(t, (program) => void program.write(ANSWER, () => program.destroy()));
  const world = new World(t);
  const channels = channelPair();
  const [client, server] = [world.service(), world.service()];
  client.attach(channels.client);
  server.attach(channels.server);
  const forward = await client.forward(channels.client.peerId, localSpec({ host: path, port: 0 }));
  for (const size of [100, MUCH]) {
    const socket = await world.connect(forward.port);
    socket.end(Buffer.alloc(size));
    t.equal((await readAll(socket)).length, ANSWER.length, `${size} bytes`);
  }
});
