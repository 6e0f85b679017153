/** A private network of one node, and a service, for commands as processes. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { systemClock } from '../../../../src/base/clock.js';
import { silentLogger } from '../../../../src/base/logger.js';
import { systemRandom } from '../../../../src/base/random.js';
import { newSavedata } from '../../../../src/tox/savedata.js';
import { Tox } from '../../../../src/tox/tox.js';
import { freeUdpPort } from '../../../support/processes.js';

/** Starts the bootstrap node, and returns the flags that name it. */
export async function startNode(t: Test): Promise<string[]> {
  const port = await freeUdpPort();
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger };
  const savedata = newSavedata(systemRandom);
  const node = new Tox(deps, { savedata, ports: { first: port, last: port }, ipv6: false, lanDiscovery: false });
  await node.start();
  t.teardown(() => node.stop());
  return ['--bootstrap', `127.0.0.1:${port}:${node.dhtPublicKey.hex}`];
}

/** A service that echoes its input and ends with it. */
export async function startEcho(t: Test): Promise<number> {
  const sockets = new Set<Socket>();
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  t.teardown(() => {
    echo.close();
    for (const socket of sockets) socket.destroy();
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  return (echo.address() as { port: number }).port;
}

/** Sends `text` to a local port, ends, and returns the answer. */
export async function askPort(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(text);
  let answer = '';
  for await (const bytes of socket) answer += bytes;
  return answer;
}
