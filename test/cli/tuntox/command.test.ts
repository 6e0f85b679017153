/** The real command as a process: its output and its errors. Nothing here reaches a network. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freeTcpPort, type Process, startTuntox } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
/** A node that does not exist, so that no other one is asked. */
const NOWHERE = ['--bootstrap', `127.0.0.1:9:${ID.slice(0, 64)}`];

interface Expected {
  readonly status: number;
  readonly message: RegExp;
  readonly env?: NodeJS.ProcessEnv;
}

/** The command ends by itself and prints one line, on standard error. */
async function refuses(t: Test, args: readonly string[], { status, message, env = {} }: Expected): Promise<void> {
  const command = startTuntox(args, { env });
  t.equal(await command.exited, status, `status of tuntox ${args.join(' ')}`);
  t.equal(command.stdout, '');
  const lines = command.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('warning: '));
  t.equal(lines.length, 1, command.stderr);
  t.match(lines[0], message);
}

t.test('help and version are printed on standard output, whatever else is given', async (t) => {
  const help = startTuntox(['-h']);
  t.equal(await help.exited, 0);
  t.match(help.stdout, /^tuntox - .*\n\nCommands:\n(.*\n)*Examples:\n/);
  const all = startTuntox(['--help']);
  t.equal(await all.exited, 0);
  t.match(all.stdout, '--no-port-mapping');
  const version = startTuntox(['-p', '-V'], { env: { ALL_PROXY: 'socks5://127.0.0.1' } });
  t.equal(await version.exited, 0);
  t.match(version.stdout, /^tuntox \d+\.\d+\.\d+, protocol version 2\n$/);
  t.equal(help.stderr + version.stderr, '');
});

t.test('the last event of --json goes where no stream is', async (t) => {
  for (const [words, name] of [
    [['-p'], 'stdout'],
    [['-W', 'ssh'], 'stderr'],
    [['--ssh-pipe', '22'], 'stderr'],
  ] as const) {
    const command = startTuntox([...words, '--json']);
    t.equal(await command.exited, 2);
    const others = { stdout: command.stderr, stderr: command.stdout };
    t.match(command[name], /"event":"error"/, words.join(' '));
    t.notMatch(others[name], /"event"/, words.join(' '));
  }
});

t.test('a usage error says how to correct it, with status 2', async (t) => {
  const cases: [string[], RegExp, NodeJS.ProcessEnv?][] = [
    [['-x'], /^tuntox: unknown option -x \(see tuntox --help\)$/],
    [['-D', '1080'], /^tuntox: no server is given: put the name of a stored host in front/],
    [['-D', '1080', '-p', '-i', ID], /^tuntox: -D and -p cannot be combined: choose one/],
    [['-z', '-p', '-i', ID], /^tuntox: -z is only for servers, bootstrap nodes, -L, -D and -R: remove it/],
    [['shar', '22'], /^tuntox: there is no command or host "shar": did you mean "share"\? \(see tuntox --help\)$/],
    [['nas'], /^tuntox: there is no command or host "nas": "tuntox join LINK nas" stores a host/],
    [['n+s'], /^tuntox: there is no command or host "n\+s": "tuntox join LINK NAME" stores a host/],
    [['ping', 'n+s'], /^tuntox: there is no host "n\+s": "tuntox join LINK NAME" stores one/],
    [['help', 'frobnicate'], /^tuntox: there is no command "frobnicate" \(see tuntox --help\)$/],
    [['scp', 'a', 'nas:'], /^tuntox: scp reaches hosts as NAME\.tox, with the lines that "tuntox ssh-config" prints/],
    [['invite'], /^tuntox: invite is a command of tuntoxctl: run "tuntoxctl invite"/],
    [['forget', 'a', 'b'], /^tuntox: unexpected argument "b": remove it \(see tuntox help forget\)$/],
    [['ping', 'nas'], /^tuntox: there is no host "nas": "tuntox join LINK nas" stores one/],
    [['-p'], /^tuntox: no server is given: .* as in "tuntox NAME -p", or add its Tox ID with -i/],
    [
      ['-W', 'ssh'],
      /^tuntox: no server is given: put the name of a stored host in front, as in "tuntox NAME -W ssh", or/,
    ],
    [['--forward=8080:web'], /"tuntox NAME --forward 8080:web"/],
    [['-p', '-i', ID.slice(1)], /^tuntox: -i: a Tox ID has 76 hex digits, this one has 75/],
    [['-p', '-i', `0${ID.slice(1)}`], /^tuntox: -i: the checksum/],
    [['-i', ID, '-L', '70000:a:22'], /^tuntox: -L: "70000" is not a port/],
    [
      ['-i', ID, '-W', 'udp:a:53'],
      /^tuntox: -W: "udp:a:53" has datagrams, and this is a stream: -L udp:PORT:HOST:PORT/,
    ],
    [['-u', '1:65536'], /^tuntox: -u: "65536" is not a port/],
    [[...NOWHERE], /^tuntox: this server could not admit any client: .*--secret-file/],
    [[...NOWHERE], /^tuntox: the secret in TUNTOX_SHARED_SECRET is empty/, { TUNTOX_SHARED_SECRET: '' }],
    [[], /^tuntox: ALL_PROXY: proxies of socks4:.*--proxy none/, { ALL_PROXY: 'socks4://127.0.0.1' }],
  ];
  for (const [args, message, env] of cases) await refuses(t, args, { status: 2, message, ...(env ? { env } : {}) });
});

t.test('a file that cannot be used is named, with its line if it has a mistake, with status 1', async (t) => {
  const directory = temporaryDirectory(t);
  const file = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const open = ['--insecure-open', ...NOWHERE];
  const cases: [string[], RegExp][] = [
    [['-f', join(directory, 'none'), ...open], /^tuntox: cannot read .*none: there is no such file$/],
    [['-f', file('rules', '# these\nhost:22\nnonsense\n'), ...open], /^tuntox: .*rules, line 3: /],
    [['-f', file('proxied', '*:0\n10.0.0.1:80 proxy\n'), ...open], /^tuntox: .*proxied, line 2: proxy needs tuntoxd/],
    [['-b', file('nodes.json', '{\n"nodes": [\n}'), '--insecure-open'], /^tuntox: .*nodes\.json, line 3: /],
    [['-b', join(directory, 'none'), '--insecure-open'], /^tuntox: cannot read .*none: there is no such file$/],
    [['--secret-file', join(directory, 'none'), ...NOWHERE], /^tuntox: cannot read .*none: there is no such file$/],
    [['-C', file('file', ''), ...open], /^tuntox: .*file is not a directory: name another with -C$/],
    [
      ['-I', join(directory, 'none', 'id'), ...open],
      /^tuntox: cannot write the Tox ID to .*none.id \(no such directory\): name another file with -I$/,
    ],
  ];
  for (const [args, message] of cases) await refuses(t, args, { status: 1, message });
});

t.test('a damaged identity is reported and not changed', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'tox_save'), 'what is left of an identity');
  await refuses(t, ['-C', directory, '--insecure-open', ...NOWHERE], {
    status: 1,
    message: /^tuntox: .*tox_save is damaged, .*: restore it from a backup, or move it away/,
  });
  t.equal(readFileSync(join(directory, 'tox_save'), 'utf8'), 'what is left of an identity');
});

t.test('UDP ports in use are named', async (t) => {
  const socket = createSocket({ type: 'udp6', ipv6Only: false });
  t.teardown(() => socket.close());
  socket.bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  await refuses(t, ['--insecure-open', '-u', `${port}:${port}`, ...NOWHERE], {
    status: 1,
    message: new RegExp(`^tuntox: .*${port}`),
  });
});

t.test('a local port in use is named', async (t) => {
  const server = createServer();
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await refuses(t, ['-q', '-i', ID, '-L', `${port}:127.0.0.1:22`, ...NOWHERE], {
    status: 1,
    message: new RegExp(`^tuntox: port ${port} is in use by another program: choose another port$`),
  });
});

const ID_LINE = /^([0-9A-F]{76})\n/;

async function startServer(t: Test, args: readonly string[]): Promise<{ command: Process; id: string }> {
  const command = startTuntox(['--insecure-open', ...NOWHERE, ...args]);
  t.teardown(() => command.stop('SIGKILL'));
  const id = (await command.waitFor(ID_LINE))[1] as string;
  return { command, id };
}

t.test('a server prints only its Tox ID on standard output, and keeps it after a stop and a kill -9', async (t) => {
  const directory = join(temporaryDirectory(t), 'identity');
  const idFile = join(temporaryDirectory(t), 'id');
  const first = await startServer(t, ['-C', directory, '-I', idFile]);
  t.equal(readFileSync(idFile, 'utf8'), `${first.id}\n`);
  t.equal(await first.command.stop('SIGTERM'), 0);
  t.equal(first.command.stdout, `${first.id}\n`);
  const second = await startServer(t, ['-C', directory]);
  t.equal(second.id, first.id);
  t.equal(await second.command.stop('SIGKILL'), 'SIGKILL');
  const third = await startServer(t, ['-C', directory, '-q']);
  t.equal(third.id, first.id);
  t.equal(await third.command.stop('SIGINT'), 0);
  t.equal(third.command.stderr, '');
});

t.test('an identity can be used by one process at a time', async (t) => {
  const directory = temporaryDirectory(t);
  const { command } = await startServer(t, ['-C', directory]);
  await refuses(t, ['-p', '-i', ID, '-q', '-C', directory, ...NOWHERE], {
    status: 1,
    message: new RegExp(`^tuntox: the identity in ${directory} is in use by process ${command.pid}: stop that one`),
  });
});

t.test('a client exits on Ctrl-C with 130 and an empty standard output', async (t) => {
  const client = startTuntox(['-i', ID, '-L', `${await freeTcpPort()}:127.0.0.1:22`, ...NOWHERE]);
  await client.waitFor(/listening/);
  t.equal(await client.stop('SIGINT'), 130);
  t.equal(client.stdout, '');
});

t.test('no log line has the secret, not even at the lowest level', async (t) => {
  const { command } = await startServer(t, ['-dd', '-s', 'canary-in-argv']);
  await command.stop();
  t.notMatch(command.stderr + command.stdout, 'canary');
});

t.test('a server logs whom it admits and what they may reach, and ignores SIGHUP without a terminal', async (t) => {
  const server = startTuntox(['-i', ID, '-C', temporaryDirectory(t), ...NOWHERE]);
  const logged =
    /this is a server that admits only E776E9A9; clients may reach everything that this machine reaches, including itself\n.*to connect to E776E9A9 instead, add -L, -D, -R, -W or -p\n/;
  await server.waitFor(/^[0-9A-F]{76}\n$/);
  t.match(server.stderr, logged);
  server.kill('SIGHUP');
  server.kill('SIGTERM');
  t.equal(await server.exited, 0);
  t.match(server.stderr, /serving as [0-9A-F]{76}\n/);
  t.match(server.stdout, /^[0-9A-F]{76}\n$/, 'scripts read only the ID');
});
