/** One tunnel, by each kind of UDP socket at each end: the packets on the wire are the same. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { CommandNetwork, echo, SECRET } from '../support/command-network.js';
import { freeTcpPort, startTuntox } from '../support/processes.js';
import { builtAddon, requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SIZE = 3_000_000;
const ENDS = [
  ['native', 'node'],
  ['node', 'native'],
] as const;

const settings = (kind: 'native' | 'node'): NodeJS.ProcessEnv => ({
  TUNTOX_SHARED_SECRET: SECRET,
  TUNTOX_NATIVE: kind === 'node' ? 'off' : '',
});

for (const [serverKind, clientKind] of ENDS) {
  t.test(`a server with ${serverKind} sockets and a client with ${clientKind} ones`, async (t) => {
    if (!requirementsMet(t, builtAddon())) return;
    const network = await CommandNetwork.start(t);
    const port = await freeTcpPort();
    const service = await network.service(echo);
    const start = (name: string, kind: 'native' | 'node', args: readonly string[]) => {
      const run = startTuntox(['-d', ...args, ...network.node], { name, env: settings(kind) });
      t.teardown(() => run.stop('SIGKILL'));
      return run;
    };
    const server = start('server', serverKind, ['-C', temporaryDirectory(t)]);
    const [, id = ''] = await server.waitFor(/^([0-9A-F]{76})\n/);
    const client = start('client', clientKind, ['-i', id, '-L', `${port}:127.0.0.1:${service}`]);
    await Promise.all([
      server.waitFor(new RegExp(`UDP works, ${serverKind} sockets`)),
      client.waitFor(new RegExp(`UDP works, ${clientKind} sockets`)),
    ]);
    const socket = connect(port, '127.0.0.1');
    const bytes = randomBytes(SIZE);
    const got: Buffer[] = [];
    socket.on('data', (chunk) => got.push(chunk));
    socket.end(bytes);
    await once(socket, 'end');
    t.ok(Buffer.concat(got).equals(bytes), 'all came back');
  });
}
