/** Real programs through -D, with the real commands on both sides. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { type Process, startProgram, startTuntox } from '../support/processes.js';
import { ipv6Loopback, requirementsMet, systemFile, tool } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { controlOf, daemonPlace, startDaemon } from './support/daemon-command.js';
import { newUser } from './support/owner-and-user.js';

const CURL = tool('curl', 'curl');
const PYSOCKS = systemFile('/usr/lib/python3/dist-packages/socks.py', 'python3-socks');
/** Nothing here needs another network. */
const ALONE = '  lan_discovery: false\n  port_mapping: false\n';
/** Exit statuses of curl. */
const OK = 0;
const PROXY_REFUSED = 97;
const TUNNEL_REFUSED = 56;

/** A page on IPv4 and IPv6; `/slow` comes in two halves. */
async function web(t: Test, text = 'hello'): Promise<number> {
  const server = createServer((request, answer) => {
    if (request.url !== '/slow') {
      answer.end(text);
      return;
    }
    answer.write('first ');
    setTimeout(() => answer.end('second'), 1_500);
  });
  t.teardown(() => server.close());
  server.listen(0, '::');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** @returns the port of the proxy */
const portOf = async (client: Process): Promise<string> =>
  (await client.waitFor(/listening: (?:127\.0\.0\.1|\*):([0-9]+) -> any target/))[1] as string;

async function curl(t: Test, words: readonly string[], url: string) {
  const command = startProgram('curl', ['curl', '--no-progress-meter', '--max-time', '30', ...words, url], {
    env: { PATH: process.env.PATH },
  });
  t.teardown(() => command.stop('SIGKILL'));
  const status = await command.exited;
  return { status, said: command.stdout, errors: command.stderr };
}

/** The ways in which curl takes a proxy; those that resolve names themselves are left out. */
const WAYS: readonly (readonly [name: string, words: (port: string) => readonly string[], refused: number])[] = [
  ['SOCKS 5', (port) => ['--socks5-hostname', `127.0.0.1:${port}`], PROXY_REFUSED],
  ['SOCKS 4a', (port) => ['--socks4a', `127.0.0.1:${port}`], PROXY_REFUSED],
  ['CONNECT', (port) => ['--proxytunnel', '--proxy', `http://127.0.0.1:${port}`], TUNNEL_REFUSED],
];

t.test(
  'curl reaches names, IPv4, IPv6 and slow pages by SOCKS 5, SOCKS 4a and CONNECT, and learns of refusals',
  async (t) => {
    if (!requirementsMet(t, CURL, ipv6Loopback())) return;
    const network = await CommandNetwork.start(t);
    const { id } = await network.server();
    const port = await web(t);
    const client = network.command('client', ['-i', id, '-D', '0']);
    const proxy = await portOf(client);
    for (const [way, words, refused] of WAYS) {
      for (const host of ['localhost', '127.0.0.1', '[::1]']) {
        const { status, said, errors } = await curl(t, words(proxy), `http://${host}:${port}/`);
        t.same([status, said], [OK, 'hello'], `${way}, ${host}: ${errors}`);
      }
      t.match(await curl(t, words(proxy), `http://localhost:${port}/slow`), { status: OK, said: 'first second' });
      t.match(await curl(t, words(proxy), 'http://127.0.0.1:9/'), { status: refused }, way);
    }
    const bySystem = await curl(t, ['--socks5', `127.0.0.1:${proxy}`], `http://localhost:${port}/`);
    t.match(bySystem, { status: OK, said: 'hello' }, 'curl resolves the name');
    const spoken = await curl(t, ['--proxy', `http://127.0.0.1:${proxy}`], `http://localhost:${port}/`);
    t.match(spoken, { status: OK, said: /^This port is a proxy for SOCKS and for the method CONNECT of HTTP/ });
    const { errors } = await curl(
      t,
      ['-v', '--proxytunnel', '--proxy', `http://127.0.0.1:${proxy}`],
      'http://[::1]:9/',
    );
    t.match(errors, /HTTP\/1.1 502 Bad Gateway/);
    await client.waitFor(/127\.0\.0\.1:9: the target refused the connection/);
  },
);

t.test('curl learns that a target does not answer, and reaches another one meanwhile', async (t) => {
  if (!requirementsMet(t, CURL, systemFile('/usr/bin/python3', 'python3'))) return;
  const network = await CommandNetwork.start(t);
  const { id } = await network.server();
  const port = await web(t);
  // The system drops connections to a program that accepts none, as a firewall does.
  const silent = startProgram('python3', [
    ...['/usr/bin/python3', '-c'],
    `import socket, time
one = socket.create_server(('127.0.0.1', 0), backlog=0)
waiting = [socket.socket() for _ in range(4)]
for other in waiting:
    other.setblocking(False)
    other.connect_ex(one.getsockname())
print(one.getsockname()[1], flush=True)
time.sleep(600)`,
  ]);
  t.teardown(() => silent.stop('SIGKILL'));
  const [, silentPort] = await silent.waitFor(/^([0-9]+)$/m);
  const proxy = await portOf(network.command('client', ['-i', id, '-D', '0']));
  const url = `http://127.0.0.1:${silentPort}/`;
  const slow = [
    curl(t, ['--socks5-hostname', `127.0.0.1:${proxy}`], url),
    curl(t, ['--proxytunnel', '--proxy', `http://127.0.0.1:${proxy}`], url),
  ] as const;
  t.match(await curl(t, ['--socks4a', `127.0.0.1:${proxy}`], `http://localhost:${port}/`), { said: 'hello' });
  t.match(await slow[0], { status: PROXY_REFUSED, errors: /\(6\)/ }, 'the code of SOCKS 5');
  t.match(await slow[1], { status: TUNNEL_REFUSED, errors: /504/ });
});

t.test('a program in Python sends datagrams by SOCKS 5, to a name that the server resolves', async (t) => {
  if (!requirementsMet(t, PYSOCKS)) return;
  const network = await CommandNetwork.start(t);
  const { id } = await network.server();
  const target = createSocket('udp4', (bytes, from) => target.send(`${bytes} back`, from.port, from.address));
  target.bind(0, '127.0.0.1');
  await once(target, 'listening');
  t.teardown(() => target.close());
  const proxy = await portOf(network.command('client', ['-i', id, '-D', '0']));
  const send = `import socket, socks
one = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
one.settimeout(30)
one.set_proxy(socks.SOCKS5, '127.0.0.1', ${proxy})
for number in range(3):
    one.sendto(b'datagram %d' % number, ('localhost', ${target.address().port}))
    print(one.recvfrom(100)[0].decode())`;
  const program = startProgram('python3', ['/usr/bin/python3', '-c', send]);
  t.teardown(() => program.stop('SIGKILL'));
  t.equal(await program.exited, OK, program.stderr);
  t.equal(program.stdout, 'datagram 0 back\ndatagram 1 back\ndatagram 2 back\n');
});

t.test('two clients of one server reach by -D what each of them may', async (t) => {
  if (!requirementsMet(t, CURL)) return;
  const network = await CommandNetwork.start(t);
  const place = daemonPlace(t, network.node[1], ALONE);
  await startDaemon(t, place);
  const control = await controlOf(t, place);
  const {
    identity: { toxId: serverId },
  } = await control.call('status', {});
  const ports = [await web(t, 'of ann'), await web(t, 'of bob')] as const;
  const join = async (name: string, port: number): Promise<string> => {
    const directory = temporaryDirectory(t);
    const id = startTuntox(['id', '-C', directory]);
    await id.exited;
    await control.call('whitelist.add', { id: id.stdout.trim(), name, allow: [`localhost:${port}`] });
    return portOf(network.command(name, ['-i', serverId, '-C', directory, '-D', '0']));
  };
  const proxies = [await join('ann', ports[0]), await join('bob', ports[1])] as const;
  const reach = async (proxy: string, port: number) => {
    const { status, said } = await curl(t, ['--socks5-hostname', `127.0.0.1:${proxy}`], `http://localhost:${port}/`);
    return status === OK ? said : status;
  };
  t.equal(await reach(proxies[0], ports[0]), 'of ann');
  t.equal(await reach(proxies[0], ports[1]), PROXY_REFUSED);
  t.equal(await reach(proxies[1], ports[1]), 'of bob');
  t.equal(await reach(proxies[1], ports[0]), PROXY_REFUSED);
});

t.test('through the agent, and only with a password of the file', async (t) => {
  if (!requirementsMet(t, CURL)) return;
  const network = await CommandNetwork.start(t);
  const shared = await web(t);
  const share = network.command('share', ['share', `localhost:${shared}`]);
  const [, link = ''] = await share.waitFor(/(tuntox:\/\/\S+)/);
  const { home, tuntox } = newUser(t, network.node);
  const users = join(home, 'users');
  writeFileSync(users, 'ann:one\n');
  chmodSync(users, 0o600);
  const joined = tuntox('join', link, 'nas');
  t.equal(await joined.exited, 0, joined.stderr);
  const client = tuntox('nas', '-D', '0', '--socks-auth', users);
  const proxy = await portOf(client);
  const url = `http://localhost:${shared}/`;
  for (const [user, status] of [
    ['ann:one', OK],
    ['ann:two', 97],
  ] as const)
    t.match(await curl(t, ['--socks5-hostname', `${user}@127.0.0.1:${proxy}`], url), { status }, user);
  for (const [user, status] of [
    ['ann:one', OK],
    ['ann:two', 56],
  ] as const)
    t.match(await curl(t, ['--proxytunnel', '--proxy', `http://${user}@127.0.0.1:${proxy}`], url), { status }, user);
  t.match(await curl(t, ['--socks4a', `127.0.0.1:${proxy}`], url), { status: PROXY_REFUSED });
  await client.waitFor(/127\.0\.0\.1:[0-9]+: a program was refused: its user or password is wrong/);
  t.notMatch(client.stderr, /ann|one/);
});
