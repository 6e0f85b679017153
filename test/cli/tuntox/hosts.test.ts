/** Stored hosts, with the real command in a home of its own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freeTcpPort, type Process, startTuntox } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { askPort, startEcho, startNode } from './support/network.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const LINK_LINE = /^ {2}tuntox join (tuntox:\S+)$/m;

/** The commands of one user. */
class User {
  readonly #t: Test;
  readonly home: string;

  constructor(t: Test) {
    this.#t = t;
    this.home = temporaryDirectory(t);
    // The agent outlives the commands.
    t.teardown(() => this.run('agent', 'stop'));
  }

  get json(): string {
    return join(this.home, '.config', 'tuntox', 'hosts.json');
  }

  start(...args: readonly string[]): Process {
    const command = startTuntox(args, { env: { HOME: this.home } });
    this.#t.teardown(() => command.stop('SIGKILL'));
    return command;
  }

  async run(...args: readonly string[]): Promise<{ status: number | string; stdout: string; stderr: string }> {
    const command = this.start(...args);
    const status = await command.exited;
    return { status, stdout: command.stdout, stderr: command.stderr };
  }
}

t.test('a link that was joined under a name reaches the host until it is forgotten', async (t) => {
  const node = await startNode(t);
  const echo = await startEcho(t);
  const user = new User(t);
  const share = startTuntox(['share', `${echo}`, ...node]);
  t.teardown(() => share.stop('SIGKILL'));
  const [, link = ''] = await share.waitFor(LINK_LINE);

  const joined = await user.run('join', link, 'nas', ...node);
  t.equal(joined.status, 0, joined.stderr);
  t.match(joined.stdout, /^nas is stored\. Now you can run:\n\n {2}tuntox nas +list what it offers\n/);
  t.match(joined.stdout, `tuntox nas -L ${echo}:127.0.0.1:${echo}`);
  t.match((await user.run('list')).stdout, /^HOST +KEY +ADDED *\nnas +[0-9A-F]{8} +\d{4}-/);

  const pipe = user.start('nas.tox', '-W', `127.0.0.1:${echo}`, ...node);
  pipe.child.stdin.end('through a name');
  t.equal(await pipe.exited, 0, pipe.stderr);
  t.equal(pipe.stdout, 'through a name');
  const ping = await user.run('ping', 'NAS', ...node);
  t.match(ping.stdout, /^nas: [0-9.]+ ms\n/);
  t.match(await user.run('forget', 'nas'), { status: 0, stdout: 'nas is forgotten, with its pinned key.\n' });
  t.match(await user.run('ping', 'nas', ...node), { status: 2, stderr: /there is no host "nas"/ });
  t.match(await user.run('list'), { status: 0, stdout: '', stderr: /^No host is stored yet/ });
});

t.test('the client of a stored host forwards a port and keeps one identity', async (t) => {
  const node = await startNode(t);
  const echo = await startEcho(t);
  const user = new User(t);
  const share = startTuntox(['share', `${echo}`, '--uses', '1', ...node]);
  t.teardown(() => share.stop('SIGKILL'));
  const [, link = ''] = await share.waitFor(LINK_LINE);
  t.equal((await user.run('join', link, 'nas', ...node)).status, 0);
  const local = await freeTcpPort();
  const forward = user.start('nas', '-L', `${local}:127.0.0.1:${echo}`, ...node);
  await forward.waitFor(/listening/);
  t.equal(await askPort(local, 'the one client that may come'), 'the one client that may come');
  const id = await user.run('id');
  t.match(id, { status: 0, stdout: /^[0-9A-F]{76}\n$/, stderr: /^Its key in words, .*: [a-z]+( [a-z]+){5}\n$/ });
  await share.waitFor(new RegExp(id.stdout.slice(0, 8)));
  t.equal(await forward.stop('SIGINT'), 130);
});

t.test('id makes an identity that stays', async (t) => {
  const user = new User(t);
  const { stdout } = await user.run('id', '-q');
  t.match(stdout, /^[0-9A-F]{76}\n$/);
  t.match(await user.run('id', '-q'), { stdout, stderr: '' });
  const other = await user.run('id', '-q', '-C', join(user.home, 'other'));
  t.not(other.stdout, stdout);
});

t.test('a name keeps its key, also when nobody can be reached', async (t) => {
  const user = new User(t);
  mkdirSync(join(user.json, '..'), { recursive: true });
  const key = 'AB'.repeat(32);
  const nas = { name: 'nas', tox_id: `${key}000000000000`, pinned_key: key, added_at: 1_800_000_000 };
  writeFileSync(user.json, JSON.stringify({ version: 1, hosts: [nas] }));
  const joined = await user.run('join', `tuntox://${ID}/abc23/127.0.0.1:22`, 'nas', '--bootstrap', 'none');
  t.match(joined, { status: 1, stderr: /THE KEY OF nas HAS CHANGED.*"tuntox forget nas" and join again/ });
  writeFileSync(user.json, JSON.stringify({ version: 1, hosts: [{ ...nas, tox_id: ID }] }));
  for (const words of [['ping', 'nas'], ['nas'], ['nas', '-W', 'a:1']]) {
    t.match(await user.run(...words), { status: 1, stdout: '', stderr: /THE KEY OF nas HAS CHANGED/ }, words.join(' '));
  }
  t.match(await user.run('list'), { stdout: /nas +E776E9A9 .*its key has changed/ });
});

t.test("a host of upstream's file is a host, and stays there", async (t) => {
  const user = new User(t);
  mkdirSync(join(user.home, '.tuntox'));
  writeFileSync(join(user.home, '.tuntox', 'hosts'), `box ${ID} abc23\nbad F00\n* ${ID}\n\x1b[2J ${ID}\n`);
  t.match(await user.run('list'), { stdout: /^HOST .*\nbad .*\nbox +E776E9A9 +in ~\/\.tuntox\/hosts\n$/ });
  const { stderr } = await user.run('list');
  t.equal(stderr, 'tuntox: left out of ~/.tuntox/hosts, since they cannot be names here: "*", "\\u001b[2j"\n');
  t.match(await user.run('forget', 'box'), { status: 1, stderr: /box is in .*\.tuntox\/hosts: remove its line there/ });
  t.match(await user.run('ping', 'bad'), { status: 2, stderr: /the Tox ID of bad: a Tox ID has 76 hex digits/ });
  t.match(await user.run('bxo'), { status: 2, stderr: /did you mean "box"\?/ });
});

t.test('a damaged file of hosts is one clear error, and only where hosts are named', async (t) => {
  const user = new User(t);
  mkdirSync(join(user.json, '..'), { recursive: true });
  writeFileSync(user.json, 'canary');
  for (const words of [['list'], ['nas'], ['ping', 'nas'], ['forget', 'nas']]) {
    const { status, stderr } = await user.run(...words);
    t.equal(status, 1, words.join(' '));
    t.match(stderr, /^tuntox: .*hosts\.json is damaged \(it is not JSON\): restore it from a backup, or move it away/);
    t.notMatch(stderr, 'canary');
  }
  t.equal(readFileSync(user.json, 'utf8'), 'canary');
  t.equal((await user.run('id')).status, 0);
});
