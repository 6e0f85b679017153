import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { LocalPlace } from '../../../src/base/local-place.js';
import { PlaceListener } from '../../../src/tunnel/client/place-listener.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** Listens at a place, and sends each client back what it sent. */
async function listen(t: Test, place: LocalPlace): Promise<PlaceListener> {
  const onConnection = (socket: Socket) => void socket.on('error', () => {}).pipe(socket);
  const listener = new PlaceListener({ onConnection, onError: (error) => t.fail(error.message) });
  t.teardown(() => listener.close());
  await listener.listen(place);
  return listener;
}

async function echoed(to: { readonly path: string }): Promise<string> {
  const socket = connect(to);
  socket.end('hello');
  const [bytes] = await once(socket, 'data');
  socket.destroy();
  return String(bytes);
}

t.test('a Unix socket is a place without a port', async (t) => {
  const path = join(temporaryDirectory(t), 'a.sock');
  const listener = await listen(t, { kind: 'unix', path });
  t.equal(await echoed({ path }), 'hello');
  t.equal(listener.port, undefined);
  t.equal(listener.isOpenToOthers, false);
  listener.close();
  await t.rejects(echoed({ path }), { code: 'ENOENT' });
});

t.test('a descriptor that is no listening socket is an error with advice', async (t) => {
  const place = { kind: 'descriptor', fd: 999, name: 'web' } as const;
  await t.rejects(listen(t, place), { code: 'failed', message: /^fd\/web: descriptor 999 .*Accept=no$/ });
});

t.test('a path where no socket can be is an error with advice', async (t) => {
  const directory = temporaryDirectory(t);
  const at = (name: string) => listen(t, { kind: 'unix', path: join(directory, name) });
  writeFileSync(join(directory, 'file'), '');
  mkdirSync(join(directory, 'sub'));
  await t.rejects(at('missing/a.sock'), { code: 'failed', message: /there is no directory .*missing: create it/ });
  await t.rejects(at('file'), { code: 'failed', message: /is not a socket: move it away/ });
  await t.rejects(at(`${'a'.repeat(108)}`), { code: 'failed', message: /at most 107 bytes/ });
  await at('a.sock');
  await t.rejects(at('a.sock'), { code: 'address-in-use', message: /another program listens on .*a\.sock/ });
});

t.test('a listener that was closed while it began does not listen', async (t) => {
  const path = join(temporaryDirectory(t), 'a.sock');
  const listener = new PlaceListener({ onConnection: () => {}, onError: () => {} });
  const listening = listener.listen({ kind: 'unix', path });
  listener.close();
  await listening;
  await t.rejects(echoed({ path }), { code: 'ENOENT' });
});
