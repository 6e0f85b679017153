/** -R with real commands: a web server of the client, published at a port of a daemon, through deaths of each process. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ControlClient } from '../../src/control/client.js';
import { CommandNetwork } from '../support/command-network.js';
import { freeTcpPort, type Process, startProgram, startTuntox } from '../support/processes.js';
import { requirementsMet, tool } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { controlOf, type DaemonPlace, daemonPlace, startDaemon } from './support/daemon-command.js';

const PAGE = 'the page of the client\n';
/** Nothing here needs another network. */
const ALONE = '  lan_discovery: false\n  port_mapping: false\n';

interface Parts {
  readonly home: string;
  readonly node: readonly string[];
  readonly place: DaemonPlace;
  readonly daemon: Process;
  readonly control: ControlClient;
  readonly port: number;
  readonly web: number;
}

/** A daemon that permits `laptop` one port, and a user whose host `nas` it is, with a web server. */
class Published {
  readonly #t: Test;
  readonly parts: Parts;

  private constructor(t: Test, parts: Parts) {
    this.#t = t;
    this.parts = parts;
  }

  static async start(t: Test): Promise<Published> {
    const network = await CommandNetwork.start(t);
    const place = daemonPlace(t, network.node[1], ALONE);
    const daemon = await startDaemon(t, place);
    const control = await controlOf(t, place);
    const port = await freeTcpPort();
    const { link } = await control.call('invite.create', { name: 'laptop', allowReverse: [String(port)] });
    const home = temporaryDirectory(t);
    const server = createServer((request, response) => {
      if (request.url === '/endless') response.on('error', () => {}).write(PAGE);
      else response.end(PAGE);
    }).listen(0, '127.0.0.1');
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');
    const web = (server.address() as AddressInfo).port;
    const published = new Published(t, { home, node: network.node, place, daemon, control, port, web });
    const joined = published.command(['join', link?.link as string, 'nas', ...network.node]);
    t.equal(await joined.exited, 0, joined.stderr);
    t.teardown(() => published.command(['agent', 'stop']).exited);
    return published;
  }

  command(args: readonly string[]): Process {
    const command = startTuntox(args, { env: { HOME: this.parts.home } });
    this.#t.teardown(() => command.stop('SIGKILL'));
    return command;
  }

  /** Publishes the web server, through the agent unless -C is given. */
  publish(...more: readonly string[]): Promise<Process> {
    return this.open(`${this.parts.port}:127.0.0.1:${this.parts.web}`, ...more);
  }

  /** Opens a port of the server. The nodes are for an agent that is started. */
  async open(forward: string, ...more: readonly string[]): Promise<Process> {
    const client = this.command(['nas', '-R', forward, ...more, ...this.parts.node]);
    await client.waitFor(/the server listens on/);
    return client;
  }

  /** @returns undefined when nobody listens, or the connection breaks */
  fetch(path = '/'): Promise<string | undefined> {
    return new Promise((resolve) => {
      const request = get({ host: '127.0.0.1', port: this.parts.port, path, agent: false }, (response) => {
        let text = '';
        response.on('data', (bytes: Buffer) => {
          text += bytes.toString();
        });
        response.on('end', () => resolve(text)).on('error', () => resolve(undefined));
      });
      request.on('error', () => resolve(undefined));
    });
  }

  /** Runs curl at the server. */
  async curl(words: readonly string[], url: string) {
    const all = ['curl', '--no-progress-meter', '--max-time', '30', ...words, url];
    const command = startProgram('curl', all, { env: { PATH: process.env.PATH } });
    this.#t.teardown(() => command.stop('SIGKILL'));
    return { status: await command.exited, said: command.stdout, errors: command.stderr };
  }

  /** Until the page is there, or is not any more. */
  async until(isThere: boolean): Promise<void> {
    while (((await this.fetch()) === PAGE) !== isThere) await sleep(50);
  }

  async connections() {
    return (await this.parts.control.call('connections.list', {})).connections;
  }
}

t.test(
  'a web server of the client is reached at the server, and the owner sees the port and its connections',
  async (t) => {
    const published = await Published.start(t);
    const { port, control } = published.parts;
    const client = await published.publish();
    t.equal(await published.fetch(), PAGE);
    const pages = await Promise.all(Array.from({ length: 100 }, () => published.fetch()));
    t.ok(
      pages.every((page) => page === PAGE),
      'a hundred at once',
    );
    // Those of the pages close at their own pace.
    while ((await published.connections()).length > 1) await sleep(20);
    const endless = published.fetch('/endless');
    while ((await published.connections()).at(1)?.state !== 'open') await sleep(20);
    const target = { host: '127.0.0.1', port };
    t.match(await published.connections(), [
      { kind: 'listener', state: 'listening', client: { name: 'laptop' }, target },
      { kind: 'reverse', state: 'open', client: { name: 'laptop' }, target },
    ]);
    t.match(await control.call('metrics', {}), { text: /\ntuntox_listening_ports 1\n/ });
    t.match(await control.call('clients.show', { client: 'laptop' }), { allowReverse: [`localhost:${port}`] });
    const changed = await control.call('whitelist.edit', { client: 'laptop', allowReverse: [] });
    t.equal(changed.closedTunnels, 1);
    t.equal(await endless, undefined, 'a transfer ends with the permission');
    t.equal(await published.fetch(), undefined);
    while ((await published.connections()).length > 0) await sleep(20);
    await client.waitFor(/whitelist edit [0-9A-F]{8} --allow-reverse/);
    await control.call('whitelist.edit', { client: 'laptop', allowReverse: [String(port)] });
    await published.until(true);
    const [listener] = await published.connections();
    t.match(await control.call('connections.close', { connection: listener?.id as string }), { closed: [{ target }] });
    t.equal(await published.fetch(), undefined);
    t.equal(await client.stop('SIGINT'), 130);
  },
);

t.test('a client that is killed takes its port with it, and one whose agent was killed gets it again', async (t) => {
  const published = await Published.start(t);
  const client = await published.publish();
  await client.stop('SIGKILL');
  await published.until(false);
  const second = await published.publish();
  t.equal(await published.fetch(), PAGE);
  const status = published.command(['agent', 'status']);
  await status.exited;
  const agent = Number(/process (\d+)/.exec(status.stdout)?.[1]);
  process.kill(agent, 'SIGKILL');
  while (existsSync(`/proc/${agent}`)) await sleep(20);
  await published.until(true);
  t.equal(await second.stop('SIGTERM'), 143);
  await published.until(false);
});

t.test('the port is there again after the server was killed, and with a connection of its own', async (t) => {
  const published = await Published.start(t);
  const { place, home, daemon } = published.parts;
  const state = join(home, '.local/state/tuntox');
  await published.command(['agent', 'stop']).exited;
  const client = await published.publish('-C', state);
  await published.until(true);
  await daemon.stop('SIGKILL');
  t.equal(await published.fetch(), undefined);
  await startDaemon(t, place);
  await published.until(true);
  t.equal(await client.stop('SIGTERM'), 143);
  await published.until(false);
});

t.test(
  'a client with a connection of its own that is killed has its port again when it is started again',
  async (t) => {
    const published = await Published.start(t);
    await published.command(['agent', 'stop']).exited;
    const publish = () => published.publish('-C', join(published.parts.home, '.local/state/tuntox'));
    const killed = await publish();
    t.equal(await published.fetch(), PAGE);
    await killed.stop('SIGKILL');
    await publish();
    t.equal(await published.fetch(), PAGE);
    t.equal((await published.connections()).filter(({ kind }) => kind === 'listener').length, 1);
  },
);

t.test('a port that is not permitted ends the client with status 4 and what the owner has to type', async (t) => {
  const published = await Published.start(t);
  const other = published.parts.port === 8080 ? 8081 : 8080;
  for (const more of [[], ['-C', join(published.parts.home, '.local/state/tuntox')]]) {
    if (more.length > 0) await published.command(['agent', 'stop']).exited;
    const client = published.command(['nas', '-R', `${other}:127.0.0.1:80`, ...more, ...published.parts.node]);
    t.equal(await client.exited, 4, client.stderr);
    t.equal(client.stderr.split('does not permit it').length, 2, client.stderr);
    const id = /whitelist edit ([0-9A-F]{8}) --allow-reverse (\d+)/.exec(client.stderr) ?? [];
    t.equal(id[2], String(other), client.stderr);
    const { entries } = await published.parts.control.call('whitelist.list', {});
    t.equal(entries[0]?.publicKey.slice(0, 8).toUpperCase(), id[1]);
  }
  t.match(readFileSync(join(published.parts.home, '.local/state/tuntox/agent.log'), 'utf8'), /does not permit/);
});

t.test('curl at the server reaches the network of the client, and what is not there with a reason', async (t) => {
  if (!requirementsMet(t, tool('curl', 'curl'))) return;
  const published = await Published.start(t);
  const { port, web } = published.parts;
  const proxy = `127.0.0.1:${port}`;
  const url = `http://localhost:${web}/`;
  const client = await published.open(String(port));
  t.match(client.stderr, /the server listens on 127\.0\.0\.1:[0-9]+ for any target from here/);
  await client.waitFor(/every program of the server can reach what this machine reaches/);
  for (const words of [
    ['--socks5-hostname', proxy],
    ['--socks4a', proxy],
    ['--proxytunnel', '--proxy', `http://${proxy}`],
  ])
    t.match(await published.curl(words, url), { status: 0, said: PAGE }, words.join(' '));
  const refused = await published.curl(['--socks5-hostname', proxy], 'http://127.0.0.1:9/');
  t.match(refused, { status: 97, errors: /\(5\)/ });
  const pages = await Promise.all(Array.from({ length: 20 }, () => published.curl(['--socks5-hostname', proxy], url)));
  t.ok(pages.every(({ said }) => said === PAGE));
  t.equal(await client.stop('SIGTERM'), 143);
  // Until nobody listens any more.
  while ((await published.curl(['--socks5-hostname', proxy], url)).status !== 7) await sleep(50);
});

t.test('with --socks-auth only its users do, through the agent and without it', async (t) => {
  if (!requirementsMet(t, tool('curl', 'curl'))) return;
  const published = await Published.start(t);
  const { home, port, web } = published.parts;
  const file = join(home, 'users');
  writeFileSync(file, 'ann:canary\n', { mode: 0o600 });
  const url = `http://127.0.0.1:${web}/`;
  for (const more of [[], ['-C', join(home, '.local/state/tuntox')]]) {
    if (more.length > 0) await published.command(['agent', 'stop']).exited;
    const client = await published.open(String(port), '--socks-auth', file, ...more);
    const as = (user: string) => published.curl(['--proxy', `socks5h://${user}@127.0.0.1:${port}`], url);
    t.match(await as('ann:canary'), { status: 0, said: PAGE });
    t.match(await as('ann:wrong'), { status: 97, said: '' });
    t.match(await published.curl(['--socks5-hostname', `127.0.0.1:${port}`], url), { status: 97, said: '' });
    t.notMatch(client.stderr, /can reach what this machine reaches/);
    t.equal(await client.stop('SIGTERM'), 143);
  }
});

t.test('a server without a daemon opens the ports of --allow-reverse for every client, and no other', async (t) => {
  const network = await CommandNetwork.start(t);
  const [port, service] = [await freeTcpPort(), await network.service((socket) => void socket.end(PAGE))];
  const { id, process: server } = await network.server('--allow-reverse', String(port));
  await server.waitFor(new RegExp(`clients may have opened, with -R: localhost:${port}`));
  const refused = network.command('client', ['-i', id, '-R', `*:${port}:127.0.0.1:${service}`]);
  t.equal(await refused.exited, 4);
  t.match(refused.stderr, new RegExp(`without a daemon permits it to all, with --allow-reverse '\\*:${port}'`));
  const client = network.command('client', ['-i', id, '-R', `${port}:127.0.0.1:${service}`]);
  await client.waitFor(/the server listens on/);
  const socket = connect({ host: '127.0.0.1', port });
  t.equal(String((await once(socket, 'data'))[0]), PAGE);
  socket.destroy();
});

t.test('with a Tox ID for each run, the server gives the port of a killed client to the next one', async (t) => {
  const network = await CommandNetwork.start(t);
  const [port, service] = [await freeTcpPort(), await network.service((socket) => void socket.end(PAGE))];
  const { id, process: server } = await network.server('--allow-reverse', String(port));
  const publish = () => network.command('client', ['-i', id, '-R', `${port}:127.0.0.1:${service}`]);
  const killed = publish();
  await killed.waitFor(/the server listens on/);
  await killed.stop('SIGKILL');
  const second = publish();
  await second.waitFor(/the server listens on/);
  await server.waitFor(/is closed: the client does not answer, and another one asks for it/);
  const socket = connect({ host: '127.0.0.1', port });
  t.equal(String((await once(socket, 'data'))[0]), PAGE);
  socket.destroy();
  const third = publish();
  await third.waitFor(/another program of the server has that port/);
});
