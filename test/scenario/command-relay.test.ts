/** Which commands are relays for others, and where. */

import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { freePort, freeTcpPort, type Process, startTuntox } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** What Linux calls a socket that waits for connections. */
const LISTEN = '0A';

/** TCP ports at which a process waits for connections, from /proc. */
function listeningPorts({ pid }: Process): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        // Closed meanwhile.
        return undefined;
      }
    }),
  );
  const rows = ['tcp', 'tcp6'].flatMap((file) => readFileSync(`/proc/${pid}/net/${file}`, 'latin1').split('\n'));
  const columns = rows.map((row) => row.trim().split(/\s+/));
  const ours = columns.filter((column) => column[3] === LISTEN && inodes.has(column[9]));
  return ours.map(([, local]) => Number.parseInt(local?.split(':')[1] as string, 16));
}

/** A TCP port that another program has. */
async function taken(t: Test, port = 0): Promise<number> {
  const server: Server = createServer().listen(port);
  t.teardown(() => server.close());
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

t.test('a server is a relay on the number of its UDP port, on a given port, or not at all', async (t) => {
  const network = await CommandNetwork.start(t);
  const start = async (...args: string[]): Promise<Process> => {
    const server = network.command('server', ['-C', temporaryDirectory(t), ...args]);
    await server.waitFor(/^[0-9A-F]{76}\n/);
    return server;
  };
  const [port, other, lonely] = [await freePort(), await freePort(), await freePort()];
  const told = await freeTcpPort();
  await taken(t, lonely);
  const servers = await Promise.all([
    start('-u', `${port}:${port}`),
    start('-u', `${other}:${other}`, '-t', '0'),
    start('-t', `${told}`),
    start('-u', `${lonely}:${lonely}`),
  ]);
  const [byDefault, none, named, elsewhere] = servers.map(listeningPorts);
  t.same(byDefault, [port]);
  t.same(none, []);
  t.same(named, [told]);
  t.equal(elsewhere?.length, 1, 'where another program has that port, it takes another one');
  t.not(elsewhere?.[0], lonely);
});

t.test('a node is a relay too, and a client is not', async (t) => {
  const network = await CommandNetwork.start(t);
  const port = await freePort();
  const node = startTuntox(['--node', '-C', temporaryDirectory(t), '-u', `${port}:${port}`]);
  t.teardown(() => node.stop('SIGKILL'));
  await node.waitFor(/^[0-9]+:[0-9A-F]{64}\n/);
  t.same(listeningPorts(node), [port]);
  const { id } = await network.server();
  const local = await freeTcpPort();
  const client = network.command('client', ['-i', id, '-L', `${local}:127.0.0.1:1`]);
  await client.waitFor(/connected to/);
  t.same(listeningPorts(client), [local], 'its tunnel and nothing else');
});

t.test('a relay port that another program uses is one clear error', async (t) => {
  const network = await CommandNetwork.start(t);
  const port = await taken(t);
  const server = network.command('server', ['-C', temporaryDirectory(t), '-t', `${port}`]);
  t.equal(await server.exited, 1);
  t.equal(server.stderr, `tuntox: TCP port ${port} is in use: choose another one for the relay\n`);
  t.equal(server.stdout, '', 'no Tox ID of a server that does not run');
});
