import { Socket } from 'node:net';
import t from 'tap';
import { socketEnd } from '../../../src/tunnel/stream/local-end.js';

t.test('an error of a connection that is not read, or was destroyed, is ignored', async (t) => {
  const socket = new Socket();
  const end = socketEnd(socket);
  t.doesNotThrow(() => socket.emit('error', new Error('reset EINVAL')));
  end.destroy();
  t.doesNotThrow(() => socket.emit('error', new Error('read ECONNRESET')));
});
