import t from 'tap';
import { NetworkError } from '../../../src/tox/network/network-error.js';
import type { StreamHandlers, StreamListener, StreamSocket } from '../../../src/tox/network/stream-socket.js';
import { dialTcp, listenTcp } from '../../../src/tox/network/tcp.js';
import { at } from '../../support/nodes.js';

interface End {
  socket: StreamSocket;
  readonly bytes: Buffer[];
  readonly opened: Promise<void>;
  readonly drained: Promise<void>;
  readonly closed: Promise<string>;
  got(count: number): Promise<Buffer>;
}

/** Handlers that record their calls, and promises of these. */
function remember(): { end: End; handlers: StreamHandlers } {
  const bytes: Buffer[] = [];
  let onOpen = (): void => {};
  let onDrain = (): void => {};
  let onClose = (_reason: string): void => {};
  let onBytes = (): void => {};
  const end: End = {
    socket: undefined as unknown as StreamSocket,
    bytes,
    opened: new Promise((resolve) => {
      onOpen = resolve;
    }),
    drained: new Promise((resolve) => {
      onDrain = resolve;
    }),
    closed: new Promise((resolve) => {
      onClose = resolve;
    }),
    got: async (count) => {
      while (Buffer.concat(bytes).length < count) {
        await new Promise<void>((resolve) => {
          onBytes = resolve;
        });
      }
      return Buffer.concat(bytes);
    },
  };
  const handlers: StreamHandlers = {
    onOpen: () => onOpen(),
    onData: (chunk) => {
      bytes.push(Buffer.from(chunk));
      onBytes();
    },
    onDrain: () => onDrain(),
    onClose: (reason) => onClose(reason),
  };
  return { end, handlers };
}

/** A listener, and both ends of a connection to it. */
async function connect(t: {
  teardown(end: () => void): void;
}): Promise<{ near: End; far: End; listener: StreamListener }> {
  const far = remember();
  let accepted = (): void => {};
  const isAccepted = new Promise<void>((resolve) => {
    accepted = resolve;
  });
  const listener = await listenTcp(
    (socket) => {
      far.end.socket = socket;
      accepted();
      return far.handlers;
    },
    { port: 0, ipv6: false, bindAddress: '127.0.0.1' },
  );
  t.teardown(() => listener.close());
  const near = remember();
  near.end.socket = dialTcp(at('127.0.0.1', listener.port), near.handlers);
  t.teardown(() => near.end.socket.destroy());
  await near.end.opened;
  await isAccepted;
  t.teardown(() => far.end.socket.destroy());
  return { near: near.end, far: far.end, listener };
}

t.test('bytes go both ways', async (t) => {
  const { near, far } = await connect(t);
  near.socket.write(Buffer.from('one'));
  near.socket.write(Buffer.from('two'));
  t.equal(String(await far.got(6)), 'onetwo');
  far.socket.write(Buffer.from('back'));
  t.equal(String(await near.got(4)), 'back');
  t.equal(far.socket.remote.address, '127.0.0.1');
});

t.test('the end of one side is reported to the other, once', async (t) => {
  const { near, far } = await connect(t);
  far.socket.destroy();
  t.equal(await near.closed, 'ended by the other side');
  t.notOk(near.socket.write(Buffer.from('late')), 'takes nothing any more');
});

t.test('a writer learns that there is no room, and when there is room again', async (t) => {
  const { near, far } = await connect(t);
  let written = 0;
  while (near.socket.write(Buffer.alloc(64 * 1024))) written += 64 * 1024;
  await near.drained;
  await far.got(written);
  t.pass('all has arrived');
});

t.test('a connection to a closed port fails', async (t) => {
  const { near, listener } = await connect(t);
  listener.close();
  near.socket.destroy();
  const { end, handlers } = remember();
  end.socket = dialTcp(at('127.0.0.1', listener.port), handlers);
  t.match(await end.closed, /ECONNREFUSED/);
});

t.test('a port in use is named in the error', async (t) => {
  const { listener } = await connect(t);
  const again = listenTcp(() => undefined, { port: listener.port, ipv6: false, bindAddress: '127.0.0.1' });
  await t.rejects(
    again,
    new NetworkError('port-in-use', `TCP port ${listener.port} is in use: choose another one for the relay`),
  );
});

t.test('a refused connection is closed', async (t) => {
  const listener = await listenTcp(() => undefined, { port: 0, ipv6: true });
  t.teardown(() => listener.close());
  const { end, handlers } = remember();
  end.socket = dialTcp(at('127.0.0.1', listener.port), handlers);
  t.ok(await end.closed);
});
