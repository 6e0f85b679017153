/** The real daemon and real clients: changes of the whitelist admit and disconnect clients at once. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork, echo } from '../support/command-network.js';
import { freeTcpPort } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { controlOf, daemonPlace, startDaemon } from './support/daemon-command.js';

/** A network with a daemon that has no whitelist and no secret. */
async function start(t: Test) {
  const network = await CommandNetwork.start(t);
  const place = daemonPlace(t, network.node[1]);
  const daemon = await startDaemon(t, place);
  const control = await controlOf(t, place);
  const { toxId } = await control.call('id', {});
  return { network, place, daemon, control, toxId };
}

/** A client that forwards one local port. */
async function forward(t: Test, network: CommandNetwork, toxId: string, service: number) {
  const directory = temporaryDirectory(t);
  const port = await freeTcpPort();
  const idFile = join(directory, 'id');
  const args = ['-i', toxId, '-L', `${port}:127.0.0.1:${service}`, '-C', directory, '-I', idFile];
  const client = network.command('client', args);
  await client.waitFor(/listening/);
  return { client, port, id: readFileSync(idFile, 'utf8').trim() };
}

/** A connection to a local port that has been answered through the tunnel. */
async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write('hello');
  await once(socket, 'data');
  return socket;
}

t.test('a new daemon admits no client; whitelist add admits one, and whitelist remove closes its tunnel', async (t) => {
  const { network, control, daemon, toxId } = await start(t);
  const status = await control.call('status', {});
  t.match(status, { health: 'degraded', access: { closed: true } });
  t.match(status.warnings[0], { code: 'closed', hint: /tuntoxctl whitelist add ID/ });

  const service = await network.service(echo);
  const { client, port, id } = await forward(t, network, toxId, service);
  await daemon.waitFor(/refused, this server admits no clients/);
  await control.call('whitelist.add', { id, name: 'laptop' });
  // Without waiting for its next request: a scenario on the simulated clock knows how soon.
  await client.waitFor(/connected to/);
  const socket = await open(port);
  t.match((await control.call('connections.list', {})).connections, [
    {
      client: { name: 'laptop' },
      target: { host: '127.0.0.1', port: service },
      state: 'open',
      path: { kind: /^(?:direct|relayed)$/ },
    },
  ]);
  t.match((await control.call('ping', { client: 'laptop' })).roundTripMs, Number);

  const change = await control.call('whitelist.remove', { client: 'laptop' });
  t.equal(change.closedTunnels, 1);
  // A reset, which `once` would take for its own failure.
  if (!socket.closed) await new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  t.same((await control.call('connections.list', {})).connections, []);
  t.equal(await daemon.stop('SIGTERM'), 0);
  t.match(daemon.stderr, /stopping on SIGTERM.*\n(.*\n)*.*stopped\n$/);
});

t.test('connections and status agree with the kernel about 50 tunnels', async (t) => {
  const { network, control, daemon, toxId } = await start(t);
  await control.call('secret.set', { secret: 'canary of the network' });
  const service = await network.service(echo);
  const { client, port } = await forward(t, network, toxId, service);
  await client.waitFor(/connected to/);
  const sockets = await Promise.all(Array.from({ length: 50 }, () => open(port)));
  const { connections } = await control.call('connections.list', {});
  const kernel = spawnSync('ss', ['-Htnp', 'state', 'established', 'dport', '=', `:${service}`], { encoding: 'utf8' });
  const rows = kernel.stdout.split('\n').filter((line) => line.includes(`pid=${daemon.pid},`));
  const localPorts = rows.map((line) => Number(/:(\d+)\s+\S+:\d+\s/.exec(line)?.[1]));
  t.equal(localPorts.length, 50, kernel.stderr);
  const sorted = (ports: readonly (number | null)[]) => [...ports].sort((a, b) => Number(a) - Number(b));
  t.same(sorted(connections.map(({ localPort }) => localPort)), sorted(localPorts));
  const { sessions } = await control.call('status', {});
  t.match(sessions, { clients: 1, tunnels: 50, bytesReceived: 50 * 5, bytesSent: 50 * 5 });
  for (const socket of sockets) socket.destroy();
});
