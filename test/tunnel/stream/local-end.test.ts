import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { socketEnd } from '../../../src/tunnel/stream/local-end.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

t.test('an error of a connection that is not read, or was destroyed, is ignored', async (t) => {
  const socket = new Socket();
  const end = socketEnd(socket);
  t.doesNotThrow(() => socket.emit('error', new Error('reset EINVAL')));
  end.destroy();
  t.doesNotThrow(() => socket.emit('error', new Error('read ECONNRESET')));
});

t.test(
  'what a program wrote before it closed its Unix socket is read to the end, and the socket counts as intact',
  async (t) => {
    const path = join(temporaryDirectory(t), 'socket');
    const server = createServer((program) => program.end('the answer', () => program.destroy())).listen(path);
    t.teardown(() => server.close());
    await once(server, 'listening');
    const socket = connect({ path, allowHalfOpen: true });
    await once(socket, 'connect');
    const end = socketEnd(socket);
    const read = text(socket);
    await once(socket, 'end');
    let isIntact = false;
    end.probe(() => {
      isIntact = true;
    });
    t.equal(isIntact, true);
    t.equal(await read, 'the answer');
    end.destroy();
  },
);
