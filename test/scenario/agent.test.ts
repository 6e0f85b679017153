/** The agent of a user with real commands: one connection for all of them, and what happens when it ends. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { CommandNetwork, echo } from '../support/command-network.js';
import { freeTcpPort, type Process, startProgram, startTuntox } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const LINK_LINE = /^ {2}tuntox join (tuntox:\/\/([0-9A-F]{76})\S+)$/m;

/** A user whose host `nas` is a service of this process behind a share. */
class User {
  readonly #t: Test;
  readonly home: string;
  readonly node: readonly string[];
  readonly target: string;
  readonly toxId: string;

  private constructor(t: Test, of: Pick<User, 'home' | 'node' | 'target' | 'toxId'>) {
    this.#t = t;
    this.home = of.home;
    this.node = of.node;
    this.target = of.target;
    this.toxId = of.toxId;
  }

  static async join(t: Test, onConnection: (socket: Socket) => void = echo): Promise<User> {
    const network = await CommandNetwork.start(t);
    const target = `127.0.0.1:${await network.service(onConnection)}`;
    const [, link = '', toxId = ''] = await network.command('share', ['share', target]).waitFor(LINK_LINE);
    const user = new User(t, { home: temporaryDirectory(t), node: network.node, target, toxId });
    t.teardown(() => user.run('agent', 'stop'));
    const joined = await user.run('join', link, 'nas', ...user.node);
    t.equal(joined.status, 0, joined.stderr);
    return user;
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Process {
    const command = startTuntox(args, { env: { HOME: this.home, ...env } });
    this.#t.teardown(() => command.stop('SIGKILL'));
    return command;
  }

  async run(...args: readonly string[]) {
    const command = this.start(args);
    command.child.stdin.end('hello');
    const status = await command.exited;
    return { status, stdout: command.stdout, stderr: command.stderr };
  }

  pipe(): ReturnType<User['run']> {
    return this.run('nas', '-W', this.target);
  }

  /** The process of the agent. */
  async agent(): Promise<number> {
    return Number(/process (\d+)/.exec((await this.run('agent', 'status')).stdout)?.[1]);
  }

  get log(): string {
    return readFileSync(join(this.home, '.local/state/tuntox/agent.log'), 'utf8');
  }
}

const isGone = async (pid: number): Promise<void> => {
  while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 20));
};

t.test('commands with the name of a host share one connection', async (t) => {
  const user = await User.join(t);
  const agent = await user.agent();
  t.ok(agent > 0);
  const all = await Promise.all([user.pipe(), user.pipe(), user.run('nas', '-p'), user.pipe()]);
  t.same(
    all.map(({ status }) => status),
    [0, 0, 0, 0],
  );
  t.equal(all[0]?.stdout, 'hello', all[0]?.stderr);
  t.match(all[2]?.stdout, /^nas: [0-9.]+ ms\n/);
  const local = await freeTcpPort();
  const forward = user.start(['nas', '-L', `${local}:${user.target}`]);
  await forward.waitFor(/listening/);
  t.equal(await ask(local, 'through a port'), 'through a port');
  t.match(await user.run('agent', 'status'), { status: 0, stdout: /^nas +connected, \w+.*; used by \d/m });
  t.equal(await forward.stop('SIGINT'), 130);
  t.equal(await user.agent(), agent, 'still the same agent');
  t.equal(user.log.match(/connected to nas/g)?.length, 1, user.log);

  await t.test('so does -i with its Tox ID, which then needs no secret', async (t) => {
    const { status, stdout, stderr } = await user.run('-i', user.toxId, '-W', user.target);
    t.same([status, stdout], [0, 'hello'], stderr);
  });

  await t.test('a warm client loads nothing of others', async (t) => {
    const directory = temporaryDirectory(t);
    const client = user.start(['nas', '-W', user.target], { NODE_V8_COVERAGE: directory });
    client.child.stdin.end('hello');
    t.equal(await client.exited, 0, client.stderr);
    const [file = ''] = readdirSync(directory);
    const { result } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { result: { url: string }[] };
    const parts = result.map(({ url }) => url).filter((url) => url.includes('/dist/bin/'));
    t.ok(parts.length > 1);
    const sources = parts.flatMap(
      (url) => (JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')) as { sources: string[] }).sources,
    );
    t.same(
      sources.filter((source) => source.includes('node_modules')),
      [],
    );
  });

  await t.test('options about the network are those of the agent', async (t) => {
    t.match(await user.run('nas', '-p', ...user.node), { status: 0 });
    t.match(await user.run('nas', '-p', '--udp-ports', '4000:4001'), {
      status: 1,
      stderr: /--udp-ports is an option of the agent .* run "tuntox agent stop" first/,
    });
  });

  await t.test('agent stop ends it, and the next command needs another', async (t) => {
    t.match(await user.run('agent', 'stop'), { status: 0, stderr: /The agent has ended/ });
    t.notOk(existsSync(`/proc/${agent}/exe`), 'nor does it write its files any more');
    t.match(await user.run('agent', 'status'), { status: 3, stderr: /No agent is running/ });
    t.match(await user.run('agent', 'stop'), { status: 0, stderr: /No agent is running/ });
  });
});

t.test('a link that cannot be tried, because the host is connected, is not stored', async (t) => {
  const user = await User.join(t);
  const file = join(user.home, '.config/tuntox/hosts.json');
  const before = readFileSync(file, 'utf8');
  const { secret } = JSON.parse(before).hosts[0];
  const link = (other: string) => `tuntox://${user.toxId}/${other}/${user.target}`;
  const { status, stderr } = await user.run('join', link('another'), 'nas', ...user.node);
  t.equal(status, 1);
  t.match(stderr, /could not be tried, and nas stays as it is stored: .* run "tuntox agent stop"/);
  t.equal(readFileSync(file, 'utf8'), before);
  t.equal((await user.run('join', link(secret), 'nas', ...user.node)).status, 0, 'the same link again');
  t.match(await user.run('join', link('another'), 'other', ...user.node), {
    stderr: /not be tried, and nothing is stored/,
  });
  t.equal((await user.run('join', user.toxId, 'nas', ...user.node)).status, 0, 'without a link');
  t.equal(readFileSync(file, 'utf8'), before, 'which leaves the secret');
});

t.test('a link that was tried, and could not be stored, is stored by the next join', async (t) => {
  const user = await User.join(t);
  const file = join(user.home, '.config/tuntox/hosts.json');
  const [{ secret }] = JSON.parse(readFileSync(file, 'utf8')).hosts;
  rmSync(file);
  await user.run('agent', 'stop');
  // As on a full disk, nothing can be written there.
  mkdirSync(join(`${file}.tmp`, 'inside'), { recursive: true });
  const link = `tuntox://${user.toxId}/${secret}/${user.target}`;
  t.match(await user.run('join', link, 'nas', ...user.node), { status: 1, stderr: /hosts\.json/ });
  rmSync(`${file}.tmp`, { recursive: true });
  const { status, stderr } = await user.run('join', link, 'nas', ...user.node);
  t.equal(status, 0, stderr);
  t.match(JSON.parse(readFileSync(file, 'utf8')).hosts, [{ name: 'nas', secret }]);
});

t.test('two commands that find no agent start one', async (t) => {
  const user = await User.join(t);
  await user.run('agent', 'stop');
  const all = await Promise.all([1, 2, 3].map(() => user.run('nas', '-W', user.target, ...user.node)));
  for (const { status, stdout, stderr } of all) t.same([status, stdout], [0, 'hello'], stderr);
  t.equal(user.log.match(/the agent listens on/g)?.length, 2, 'that of join, and one more');
});

t.test('an agent that starts while the last one ends waits for the identity', async (t) => {
  const user = await User.join(t);
  await user.run('agent', 'stop');
  const lock = join(user.home, '.local/state/tuntox/tox_save.lock');
  const ending = startProgram('flock', ['flock', '-x', lock, 'sh', '-c', 'echo locked; sleep 1']);
  await ending.waitFor(/locked/);
  const { status, stdout, stderr } = await user.run('nas', '-W', user.target, ...user.node);
  t.same([status, stdout], [0, 'hello'], stderr);
});

t.test('an agent that is killed within a transfer is one clear error, and leaves nothing that disturbs', async (t) => {
  const user = await User.join(t, (socket) => void socket.resume().write('half'));
  const pipe = user.start(['nas', '-W', user.target]);
  await pipe.waitFor(/half/);
  const local = await freeTcpPort();
  const forward = user.start(['nas', '-L', `${local}:${user.target}`, ...user.node]);
  await forward.waitFor(/listening/);
  const agent = await user.agent();
  process.kill(agent, 'SIGKILL');
  t.equal(await pipe.exited, 3);
  t.match(pipe.stderr, /^error: [^\n]*the agent, which holds the connection to the server, has ended: try again\n$/);
  await forward.waitFor(/was killed: starting it again/);
  await forward.waitFor(/connected to nas[\s\S]*connected to nas/);
  t.not(await user.agent(), agent);
});

t.test('a client that is interrupted ends its connection at the service', async (t) => {
  let onEnd: (how: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    onEnd = resolve;
  });
  const user = await User.join(t, (socket) => {
    socket.on('end', () => onEnd('end')).on('error', () => onEnd('error'));
    socket.resume().write('greeting');
  });
  const pipe = user.start(['nas', '-W', user.target]);
  // A word that no message has: the tunnel is open.
  await pipe.waitFor(/greeting/);
  t.equal(await pipe.stop('SIGINT'), 130);
  t.equal(await ended, 'error');
});

t.test('the agent is started by hand, which says so, and only once', async (t) => {
  const user = await User.join(t);
  await user.run('agent', 'stop');
  for (const words of [
    ['agent', ...user.node],
    ['agent', 'start', '--idle-timeout', '0', ...user.node],
  ]) {
    const { status, stderr } = await user.run(...words);
    const pid = await user.agent();
    t.match([status, stderr], [0, words.length > 3 ? /is running already/ : /has started/], stderr);
    t.match(stderr, `process ${pid})`);
  }
  const other = await user.run('agent', '--bootstrap', 'none');
  t.match(other, {
    status: 1,
    stderr: /^tuntox: --bootstrap is an option of the agent .* run "tuntox agent stop" first/,
  });
});

t.test('the agent disconnects from a host that is forgotten', async (t) => {
  const user = await User.join(t);
  t.match(await user.run('nas', '-p', ...user.node), { status: 0 });
  t.match((await user.run('agent', 'status')).stdout, /connected, /);
  t.match(await user.run('forget', 'nas'), { status: 0, stdout: 'nas is forgotten, with its pinned key.\n' });
  t.notMatch((await user.run('agent', 'status')).stdout, /connected|searched/);
});

t.test('an agent without use ends', async (t) => {
  const user = await User.join(t);
  await user.run('agent', 'stop');
  const started = await user.run('agent', '--idle-timeout', '300ms', ...user.node);
  t.match(started, { status: 0, stdout: '' });
  await isGone(await user.agent());
  t.match(user.log, /nobody has used the agent for .*: it ends/);
});

t.test('why an agent does not start is seen where the command was typed', async (t) => {
  const user = await User.join(t);
  await user.run('agent', 'stop');
  const home = temporaryDirectory(t);
  const state = join(home, '.local', 'state', 'tuntox');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeFileSync(join(state, 'tox_save'), 'canary');
  const config = join(user.home, '.config');
  const command = user.start(['nas', '-p', ...user.node], { HOME: home, XDG_CONFIG_HOME: config });
  t.equal(await command.exited, 1);
  t.match(command.stderr, /^tuntox: .*tox_save is damaged.*\nerror: the agent, .*, did not start\n$/);
});

async function ask(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(text);
  let answer = '';
  for await (const bytes of socket) answer += String(bytes);
  return answer;
}
