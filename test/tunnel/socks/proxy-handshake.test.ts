import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { ProxyRequest } from '../../../src/tunnel/socks/proxy-dialogue.js';
import { beginHandshake, endRefused } from '../../../src/tunnel/socks/proxy-handshake.js';
import { howItEnds, readAll, readSome, until, World } from '../support/world.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const SOCKS4 = hex('04 01 0050 7f000001 00');

interface Heard {
  readonly requests: ProxyRequest[];
  readonly refusals: string[];
}

/** A connection whose other end is read by a handshake. */
async function begin(t: Test) {
  const world = new World(t);
  const heard: Heard = { requests: [], refusals: [] };
  const accepted: { socket: Socket; cancel: () => void }[] = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    socket.on('error', () => {});
    const cancel = beginHandshake({ clock: world.clock, users: undefined }, socket, {
      onRequest: (request) => heard.requests.push(request),
      onRefused: (why) => heard.refusals.push(why),
    });
    accepted.push({ socket, cancel });
  }).listen(0, '127.0.0.1');
  t.teardown(() => {
    server.close();
    for (const { socket } of accepted) socket.destroy();
  });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const program = await world.connect(port);
  await until(() => accepted.length > 0);
  const [{ socket, cancel }] = accepted as [(typeof accepted)[0]];
  return { world, heard, program, socket, cancel };
}

t.test('what a program sends with its request, and its end, are left to the tunnel', async (t) => {
  const { world, heard, program, socket } = await begin(t);
  program.end(Buffer.concat([SOCKS4, Buffer.from('early data')]));
  await until(() => heard.requests.length === 1);
  t.match(heard.requests[0], { kind: 'connect', target: { host: '127.0.0.1', port: 80 } });
  t.ok(socket.isPaused());
  t.equal((await readAll(socket.resume())).toString(), 'early data');
  t.equal(world.clock.pending, 0);
});

t.test('a program that says nothing is let go after 30 s', async (t) => {
  const { world, heard, program } = await begin(t);
  program.write(SOCKS4.subarray(0, 5));
  world.clock.advance(29_999);
  t.same(heard.refusals, []);
  world.clock.advance(1);
  t.same(heard.refusals, ['it named no target in 30 s']);
  t.equal(await howItEnds(program), 'ECONNRESET');
});

t.test('a program that leaves is none of the refused ones', async (t) => {
  const { world, heard, program, socket } = await begin(t);
  program.end();
  await until(() => socket.destroyed);
  t.same(heard, { requests: [], refusals: [] });
  t.equal(world.clock.pending, 0);
});

t.test('a refused program gets its answer, whatever else it sends', async (t) => {
  const { heard, program, socket } = await begin(t);
  program.write(`POST / HTTP/1.1\r\n\r\n${'x'.repeat(1_000_000)}`);
  await until(() => heard.refusals.length === 1);
  t.match((await readAll(program)).toString(), /^HTTP\/1.1 405 /);
  program.end();
  await until(() => socket.destroyed);
});

t.test('a refused program that stays is let go after 5 s', async (t) => {
  const { world, program, socket } = await begin(t);
  endRefused(world.clock, socket, Buffer.from('no'));
  t.equal((await readSome(program, 2)).toString(), 'no');
  world.clock.advance(4_999);
  t.notOk(socket.destroyed);
  world.clock.advance(1);
  t.ok(socket.destroyed);
});

t.test('a cancelled handshake reads no more', async (t) => {
  const { world, heard, program, socket, cancel } = await begin(t);
  cancel();
  program.write(SOCKS4);
  await until(() => socket.readableLength === SOCKS4.length);
  t.same(heard, { requests: [], refusals: [] });
  t.equal(world.clock.pending, 0);
});
