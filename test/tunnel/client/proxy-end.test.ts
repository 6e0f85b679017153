/** -R without a target: programs at the port of the server name their targets to a proxy of the client. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { type ProxyEndDeps, proxyEnd } from '../../../src/tunnel/client/proxy-end.js';
import { ProxyUsers } from '../../../src/tunnel/socks/proxy-users.js';
import type { LocalEnd } from '../../../src/tunnel/stream/local-end.js';
import type { Target } from '../../../src/tunnel/wire/target.js';
import { ManualClock } from '../../support/manual-clock.js';

const GREETING = Buffer.from([5, 1, 0]);
const NO_PASSWORD = '0500';
/** CONNECT to 127.0.0.1:80, which `dial` connects with the target of the test. */
const CONNECT = Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, 0, 80]);
const GRANTED = '05000001000000000000';
const HTTP_CONNECT = 'CONNECT web:80 HTTP/1.1\r\n\r\n';

interface Parts {
  readonly end: LocalEnd;
  readonly clock: ManualClock;
  readonly dialed: Target[];
  readonly refusals: string[];
  /** All that the program was sent, in hex. */
  readonly read: () => string;
}

/** @param serve what the target does; undefined: nobody can be connected to */
async function start(t: Test, serve?: (socket: Socket) => void, users?: ProxyUsers): Promise<Parts> {
  const clock = new ManualClock();
  const dialed: Target[] = [];
  const refusals: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => serve?.(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dial: ProxyEndDeps['dial'] = (target, { onConnected, onFailed }) => {
    dialed.push(target);
    if (serve === undefined) setImmediate(() => onFailed('connection-refused'));
    else {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }).pause();
      socket.on('error', () => {}).once('connect', () => onConnected(socket));
    }
    return () => void dialed.push({ host: 'cancelled', port: 0 });
  };
  const end = proxyEnd({ clock, users, dial, onRefused: (why) => void refusals.push(why) });
  t.teardown(() => {
    end.destroy();
    server.close();
  });
  let read = '';
  end.source.on('data', (bytes: Buffer) => {
    read += bytes.toString('hex');
  });
  return { end, clock, dialed, refusals, read: () => read };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const echo = (socket: Socket): void => void socket.pipe(socket);
const hex = (text: string): string => Buffer.from(text).toString('hex');

t.test('a program names its target by SOCKS, and its bytes follow in both directions until both end', async (t) => {
  const { end, dialed, read } = await start(t, echo);
  const closed = once(end.source, 'close');
  end.sink.write(GREETING);
  end.sink.write(Buffer.concat([CONNECT, Buffer.from('at once, ')]));
  end.sink.end('and later');
  await once(end.source, 'end');
  t.equal(read(), NO_PASSWORD + GRANTED + hex('at once, and later'));
  t.same(dialed, [{ host: '127.0.0.1', port: 80 }]);
  await closed;
});

t.test('a program names its target by CONNECT, and what the target sends first arrives', async (t) => {
  const { end, dialed, read } = await start(t, (socket) => void socket.end('banner'));
  end.sink.write(HTTP_CONNECT);
  await once(end.source, 'end');
  t.match(Buffer.from(read(), 'hex').toString(), /^HTTP\/1\.1 200 .*\r\n\r\nbanner$/s);
  t.same(dialed, [{ host: 'web', port: 80 }]);
});

t.test('many bytes wait for a slow reader, and none is lost', async (t) => {
  const size = 8 * 1024 * 1024;
  const { end, read } = await start(t, (socket) => void socket.end(Buffer.alloc(size, 7)));
  end.sink.write(HTTP_CONNECT);
  await until(() => read().length > 0);
  end.source.pause();
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  t.ok(end.source.readableLength < 1024 * 1024);
  end.source.resume();
  await once(end.source, 'end');
  t.equal(read().length / 2, size + '200 Connection established HTTP/1.1\r\n\r\n'.length);
});

t.test('a target that is not reached is told by the code of the protocol, and to the log', async (t) => {
  const { end, clock, refusals, read } = await start(t);
  end.sink.write(Buffer.concat([GREETING, CONNECT]));
  await once(end.source, 'end');
  t.equal(read(), `${NO_PASSWORD}05050001000000000000`);
  t.match(refusals, [/^127\.0\.0\.1:80: the target refused the connection/]);
  clock.advance(5_000);
  t.ok(end.sink.destroyed, 'it is closed also if the program stays');
});

t.test('UDP is refused as a command that there is not', async (t) => {
  const { end, refusals, read } = await start(t, echo);
  end.sink.write(Buffer.concat([GREETING, Buffer.from([5, 3, 0, 1, 0, 0, 0, 0, 0, 0])]));
  await once(end.source, 'end');
  t.equal(read(), `${NO_PASSWORD}05070001000000000000`);
  t.match(refusals, [/asked for UDP/]);
});

t.test('with users, only those reach a target', async (t) => {
  const users = new ProxyUsers([{ name: 'ann', password: 'canary' }]);
  const wrong = await start(t, echo, users);
  wrong.end.sink.write(GREETING);
  await once(wrong.end.source, 'end');
  t.equal(wrong.read(), '05ff');
  t.same(wrong.dialed, []);
  const right = await start(t, echo, users);
  right.end.sink.write(Buffer.concat([Buffer.from([5, 1, 2, 1, 3]), Buffer.from('ann\x06canary'), CONNECT]));
  await until(() => right.read().endsWith(GRANTED));
});

t.test('a program that names no target is refused after 30 s, and one that ends before is gone', async (t) => {
  const silent = await start(t, echo);
  silent.clock.advance(30_000);
  t.match(silent.refusals, [/named no target/]);
  const gone = await start(t, echo);
  gone.end.sink.end(GREETING);
  await until(() => gone.end.sink.closed);
  t.same(gone.dialed, []);
});

t.test('a reset reaches the target, and cancels a connection that is being made', async (t) => {
  const errors: unknown[] = [];
  const open = await start(t, (socket) => void socket.on('error', (error) => errors.push(error)).resume());
  open.end.sink.write(HTTP_CONNECT);
  await until(() => open.read().length > 0);
  open.end.reset('connection-lost');
  await until(() => errors.length > 0);
  t.match(errors, [{ code: 'ECONNRESET' }]);
  const dialing = await start(t, echo);
  dialing.end.sink.write(HTTP_CONNECT);
  dialing.end.reset('connection-lost');
  await until(() => dialing.dialed.length === 2);
  t.match(dialing.dialed[1], { host: 'cancelled' });
});

t.test('a target that breaks the connection breaks the tunnel', async (t) => {
  const { end } = await start(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()));
  end.sink.write(`${HTTP_CONNECT}x`);
  const [error] = await once(end.sink, 'error');
  t.match(error, { code: 'ECONNRESET' });
});
