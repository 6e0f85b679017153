/** Where forwards listen and lead, with the real commands: Unix sockets at either end, free ports, ranges, sockets of systemd. */
import { once } from 'node:events';
import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork, echo, SECRET } from '../support/command-network.js';
import {
  freeTcpPort,
  freeTcpPorts,
  type Process,
  startProgram,
  startTuntox,
  TUNTOX_COMMAND,
} from '../support/processes.js';
import { requirementsMet, tool } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Sends a text, ends, and returns the answer. */
async function ask(place: NetConnectOpts, text = 'hello'): Promise<string> {
  const socket = connect({ ...place, allowHalfOpen: true });
  socket.end(text);
  let answer = '';
  for await (const bytes of socket) answer += bytes;
  return answer;
}

/** A server that allows the Unix socket of an echo and two ports, and its clients. */
async function start(t: Test) {
  const network = await CommandNetwork.start(t);
  const directory = temporaryDirectory(t);
  const socket = join(directory, 'server.sock');
  const service = createServer({ allowHalfOpen: true }, echo).listen(socket);
  await once(service, 'listening');
  t.teardown(() => service.close());
  const port = await network.service(echo);
  const rules = join(directory, 'rules');
  writeFileSync(rules, `${socket}\n127.0.0.1:${port}\n`);
  const { process: server, id } = await network.server('-f', rules);
  const client = (...words: readonly string[]): Process => network.command('client', ['-i', id, ...words]);
  return { network, directory, socket, port, server, id, client };
}

t.test('a Unix socket may be at both ends; it is private, and goes with its client', async (t) => {
  const { directory, socket, client } = await start(t);
  const path = join(directory, 'client.sock');
  const forward = client('-L', `${path}:${socket}`);
  await forward.waitFor(/listening: .*client\.sock -> .*server\.sock/);
  t.equal(lstatSync(path).mode & 0o777, 0o600);
  t.equal(await ask({ path }, 'by two sockets'), 'by two sockets');

  const second = client('-L', `${path}:${socket}`);
  t.equal(await second.exited, 1, 'the first one is alive');
  t.match(second.stderr, `another program listens on ${path}: choose another path`);
  t.equal(await ask({ path }), 'hello', 'it does not notice');

  t.equal(await forward.stop('SIGKILL'), 'SIGKILL');
  t.ok(existsSync(path), 'nobody removed it');
  const third = client('-L', `${path}:${socket}`);
  await third.waitFor(/listening/);
  t.equal(await ask({ path }), 'hello');
  t.equal(await third.stop('SIGINT'), 130);
  t.notOk(existsSync(path));

  writeFileSync(path, 'precious');
  const fourth = client('-L', `${path}:${socket}`);
  t.equal(await fourth.exited, 1);
  t.match(fourth.stderr, /exists and is not a socket: move it away/);
});

t.test('-W reaches a Unix socket that the server allows, and no other', async (t) => {
  const { socket, client, server } = await start(t);
  const pipe = client('-W', socket);
  pipe.child.stdin.end('through the pipe\n');
  t.equal(await pipe.exited, 0, pipe.stderr);
  t.equal(pipe.stdout, 'through the pipe\n');
  const denied = client('-W', '/run/docker.sock');
  t.equal(await denied.exited, 4);
  t.match(denied.stderr, /\/run\/docker\.sock: the server does not allow this target/);
  await server.waitFor(/\/run\/docker\.sock refused/);
});

t.test('port 0 takes a free port, which the log and the events tell', async (t) => {
  const { port, client } = await start(t);
  const forward = client('--json', '-L', `0:127.0.0.1:${port}`);
  const [, logged = ''] = await forward.waitFor(/listening: 127\.0\.0\.1:([0-9]+) ->/);
  t.equal(await ask({ host: '127.0.0.1', port: Number(logged) }), 'hello');
  const [line = ''] = await forward.waitFor(/.*"listening".*/);
  t.match(JSON.parse(line), { kind: 'local', address: '127.0.0.1', port: Number(logged), target: `127.0.0.1:${port}` });
});

t.test('each port of a range leads to its own', async (t) => {
  const network = await CommandNetwork.start(t);
  const first = await freeTcpPorts(3);
  const servers = [0, 1, 2].map((offset) =>
    createServer((socket) => void socket.end(`port ${offset}`)).listen(first + offset, '127.0.0.2'),
  );
  t.teardown(() => {
    for (const server of servers) server.close();
  });
  const { id } = await network.server();
  const client = network.command('client', ['-i', id, '-L', `${first}-${first + 2}:127.0.0.2:${first}-${first + 2}`]);
  await client.waitFor(/(listening(.|\n)*){3}/);
  const answers = [0, 1, 2].map((offset) => ask({ host: '127.0.0.1', port: first + offset }, ''));
  t.strictSame(await Promise.all(answers), ['port 0', 'port 1', 'port 2']);
});

t.test('systemd opens the socket, and the client ends when nobody has used it for a while', async (t) => {
  if (!requirementsMet(t, tool('systemd-socket-activate', 'systemd'))) return;
  const { network, id, port, directory } = await start(t);
  const [web, other, path] = [await freeTcpPort(), await freeTcpPort(), join(directory, 'activated.sock')];
  const client = ['-i', id, '--idle-timeout', '1s', ...network.node];
  const forwards = [`fd/web:127.0.0.1:${port}`, `fd/db:127.0.0.1:${port}`, `fd:127.0.0.1:${port}`];
  const activated = startProgram(
    'activated',
    [...TUNTOX_COMMAND, ...client, ...forwards.flatMap((text) => ['-L', text])],
    {
      prefix: [
        ...['systemd-socket-activate', '-l', `127.0.0.1:${web}`, '-l', path, '-l', `127.0.0.1:${other}`],
        ...['--fdname', 'web:db:other', '-E', `TUNTOX_SHARED_SECRET=${SECRET}`, '-E', `HOME=${directory}`],
      ],
    },
  );
  t.teardown(() => activated.stop('SIGKILL'));
  await activated.waitFor(/Listening on/i);
  // It is open until the others are done, so that nobody is idle.
  const first = connect({ host: '127.0.0.1', port: web });
  first.write('hello');
  t.equal(String((await once(first, 'data'))[0]), 'hello', 'the connection that started it');
  t.equal(await ask({ path }), 'hello');
  t.equal(await ask({ host: '127.0.0.1', port: other }), 'hello');
  first.end();
  t.equal(await activated.exited, 0, activated.stderr);
  t.match(activated.stderr, /nobody has used the forwards/);
  t.ok(existsSync(path), 'it is of systemd');
});

t.test('a socket of systemd that is not there is named', async (t) => {
  const { client, port } = await start(t);
  for (const [words, message, status] of [
    [['-L', `fd:127.0.0.1:${port}`], /fd: systemd has passed no socket to this process/, 1],
    [['-z', '-L', `fd:127.0.0.1:${port}`], /not passed on to a process in the background: remove -z/, 2],
  ] as const) {
    const command = client(...words);
    t.equal(await command.exited, status);
    t.match(command.stderr, message);
  }
});

t.test('all of it goes through the agent, too', async (t) => {
  const { network, directory, socket, port } = await start(t);
  const [secret, home] = ['abcdefgh23', temporaryDirectory(t)];
  const command = (words: readonly string[], env: NodeJS.ProcessEnv): Process => {
    const started = startTuntox([...words, ...network.node], { env });
    t.teardown(() => started.stop('SIGKILL'));
    return started;
  };
  const server = command(['-C', temporaryDirectory(t), '-f', join(directory, 'rules')], {
    TUNTOX_SHARED_SECRET: secret,
  });
  const [, id = ''] = await server.waitFor(/^([0-9A-F]{76})\n/);
  const joined = command(['join', `tuntox://${id}/${secret}`, 'nas'], { HOME: home });
  t.equal(await joined.exited, 0, joined.stderr);
  // The agent outlives the commands.
  t.teardown(() => startTuntox(['agent', 'stop'], { env: { HOME: home } }).exited);
  const path = join(directory, 'agent-client.sock');
  const forward = command(['nas', '-L', `${path}:${socket}`, '-L', `0:127.0.0.1:${port}`], { HOME: home });
  const [, free = ''] = await forward.waitFor(/listening: 127\.0\.0\.1:([0-9]+) ->/);
  t.equal(await ask({ path }), 'hello');
  t.equal(await ask({ host: '127.0.0.1', port: Number(free) }), 'hello');
  const pipe = command(['nas', '-W', socket], { HOME: home });
  pipe.child.stdin.end('through the agent\n');
  t.equal(await pipe.exited, 0, pipe.stderr);
  t.equal(pipe.stdout, 'through the agent\n');
  t.equal(await forward.stop('SIGINT'), 130);
  t.notOk(existsSync(path));
  const idle = command(['nas', '--idle-timeout', '1s', '-L', `${path}:${socket}`], { HOME: home });
  t.equal(await idle.exited, 0, idle.stderr);
  t.notOk(existsSync(path));
});
