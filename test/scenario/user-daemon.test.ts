/** `tuntoxd` as a user other than root starts it, with no option at all, and the `tuntoxctl` of that user. Nothing reaches a network. */
import { chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork, SECRET } from '../support/command-network.js';
import { commandFile, freeTcpPort, type Process, startProgram } from '../support/processes.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { ORDINARY, runsAsOrdinaryUser } from './support/ordinary-user.js';

const SETTINGS = 'network:\n  bootstrap: none\n  lan_discovery: false\n  port_mapping: false\n';

interface Person {
  readonly home: string;
  readonly runtime: string;
  run(
    program: 'tuntoxd' | 'tuntoxctl' | 'tuntox',
    args: readonly string[],
    environment?: Record<string, string>,
  ): Process;
}

function person(t: Test, uid: number, settings = SETTINGS): Person {
  const home = temporaryDirectory(t);
  const runtime = join(home, 'run');
  for (const directory of [home, runtime, join(home, '.config'), join(home, '.config/tuntox')]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chownSync(directory, uid, uid);
  }
  writeFileSync(join(home, '.config/tuntox/tuntox.yaml'), settings);
  return {
    home,
    runtime,
    run: (program, args, environment = { XDG_RUNTIME_DIR: runtime }) => {
      const rights = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--bounding-set=-all'];
      const own = Object.entries({ HOME: home, PATH: process.env.PATH ?? '', ...environment });
      const variables = own.map(([name, value]) => `${name}=${value}`);
      const file = commandFile(program);
      const command = ['env', '-i', ...variables, 'setpriv', ...rights, process.execPath, file, ...args];
      const started = startProgram(program, command);
      t.teardown(() => started.stop('SIGKILL'));
      return started;
    },
  };
}

async function start(person: Person, environment?: Record<string, string>): Promise<Process> {
  const daemon = person.run('tuntoxd', [], environment);
  await daemon.waitFor(/is ready: .*, for this user, managed at /);
  return daemon;
}

/** Resolves to the Tox ID of the daemon that `tuntoxctl` finds. */
async function idOf(person: Person, environment?: Record<string, string>): Promise<string> {
  const id = person.run('tuntoxctl', ['id'], environment);
  if ((await id.exited) !== 0) throw new Error(id.stderr);
  return id.stdout.trim();
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

t.test('the daemons of two users run at once, each in the directories of its user, and private', async (t) => {
  if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
  const people = [person(t, ORDINARY), person(t, ORDINARY - 1)];
  const daemons = await Promise.all(people.map((one) => start(one)));
  const [first, second] = await Promise.all(people.map((one) => idOf(one)));
  t.not(first, second);
  for (const { home, runtime } of people) {
    t.equal(modeOf(join(runtime, 'tuntox')), 0o700);
    t.equal(modeOf(join(runtime, 'tuntox/tuntoxd.sock')), 0o600);
    t.equal(modeOf(join(home, '.local/state/tuntox')), 0o700);
    t.equal(modeOf(join(home, '.local/state/tuntox/tox_save')), 0o600);
  }
  const shown = (people[0] as Person).run('tuntoxctl', ['status']);
  t.equal(await shown.exited, 6, 'there is no network');
  t.match(shown.stdout, /no client is admitted/);
  t.same(await Promise.all(daemons.map((daemon) => daemon.stop())), [0, 0]);
});

t.test('after su, without a runtime directory, both use the state directory', async (t) => {
  if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
  const ann = person(t, ORDINARY);
  const others = { XDG_RUNTIME_DIR: person(t, ORDINARY - 1).runtime };
  const daemon = await start(ann, others);
  t.match(daemon.stderr, /managed at .*\.local\/state\/tuntox\/tuntoxd\.sock/);
  t.equal(modeOf(join(ann.home, '.local/state/tuntox/tuntoxd.sock')), 0o600);
  t.match(await idOf(ann, {}), /^[0-9A-F]{76}$/);
  await daemon.stop();
});

t.test('settings of the user count, and errors in them are those of the user', async (t) => {
  if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
  const ann = person(t, ORDINARY, 'netwrok:\n');
  const daemon = ann.run('tuntoxd', []);
  t.equal(await daemon.exited, 2);
  t.match(daemon.stderr, /\.config\/tuntox\/tuntox\.yaml, line 1: unknown setting "netwrok": did you mean "network"/);
});

t.test(
  'if no daemon runs, both places and both ways to start one are named; a killed own one is not replaced',
  async (t) => {
    if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
    const ann = person(t, ORDINARY);
    const none = ann.run('tuntoxctl', ['status']);
    t.equal(await none.exited, 3, none.stderr);
    t.match(none.stderr, /nothing listens on \/run\/tuntox\/tuntoxd\.sock.* or .*\/run\/tuntox\/tuntoxd\.sock/);
    t.match(none.stderr, /sudo systemctl start tuntox.*systemctl --user start tuntox/s);
    const daemon = await start(ann);
    await daemon.stop('SIGKILL');
    const killed = ann.run('tuntoxctl', ['status']);
    t.equal(await killed.exited, 3);
    t.match(
      killed.stderr,
      /your own daemon is not running.*systemctl --user start tuntox.*journalctl --user -u tuntox/s,
    );
    const again = await start(ann);
    t.match(await idOf(ann), /^[0-9A-F]{76}$/);
    await again.stop();
  },
);

t.test("the user's tuntox reaches a stored host through the daemon, whose identity it has", async (t) => {
  if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
  const network = await CommandNetwork.start(t);
  const [, node] = network.node;
  const { id: toxId } = await network.server();
  const ann = person(t, ORDINARY, `${SETTINGS.replace('none', `[ '${node}' ]`)}`);
  const host = { name: 'nas', tox_id: toxId, pinned_key: toxId.slice(0, 64), secret: SECRET, added_at: 1 };
  const hosts = join(ann.home, '.config/tuntox/hosts.json');
  writeFileSync(hosts, JSON.stringify({ version: 1, hosts: [host] }));
  chownSync(hosts, ORDINARY, ORDINARY);
  const daemon = await start(ann);
  const ping = ann.run('tuntox', ['nas', '-p']);
  t.equal(await ping.exited, 0, ping.stderr);
  await daemon.waitFor(/connected to nas/);
  const status = ann.run('tuntox', ['agent', 'status']);
  t.equal(await status.exited, 0, status.stderr);
  t.match(status.stdout, /tuntoxd/);
  await daemon.stop();
});

t.test("after the user's daemon has ended, tuntox goes through the proxy of its settings, or nowhere", async (t) => {
  if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
  const network = await CommandNetwork.start(t);
  const [, node] = network.node;
  const { id: toxId } = await network.server();
  // Nothing listens there.
  const proxy = `socks5://127.0.0.1:${await freeTcpPort()}`;
  const ann = person(t, ORDINARY, `network: { bootstrap: [ '${node}' ], proxy: '${proxy}' }`);
  const host = { name: 'nas', tox_id: toxId, pinned_key: toxId.slice(0, 64), secret: SECRET, added_at: 1 };
  const hosts = join(ann.home, '.config/tuntox/hosts.json');
  writeFileSync(hosts, JSON.stringify({ version: 1, hosts: [host] }));
  chownSync(hosts, ORDINARY, ORDINARY);
  const daemon = await start(ann);
  await daemon.stop();
  const ping = ann.run('tuntox', ['nas', '-p', '--timeout', '20']);
  t.teardown(() => ann.run('tuntox', ['agent', 'stop']).exited);
  t.equal(await ping.exited, 9, 'the proxy is unusable');
  t.match(ping.stderr, /--proxy, or network\.proxy of your tuntoxd/);
  t.match(readFileSync(join(ann.home, '.local/state/tuntox/agent.log'), 'utf8'), `through the proxy ${proxy}`);
  t.equal(await ann.run('tuntox', ['agent', 'stop']).exited, 0);
  const own = ann.run('tuntox', ['nas', '-p', '--id-file', join(ann.home, 'id'), '--timeout', '20']);
  t.equal(await own.exited, 9, 'also of a command with a connection of its own');
});

t.test(
  'if the proxy of the daemon was an option, tuntox says what to do, until a daemon starts without one',
  async (t) => {
    if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
    const ann = person(t, ORDINARY);
    const withProxy = ann.run('tuntoxd', ['--network-proxy', `socks5://127.0.0.1:${await freeTcpPort()}`]);
    await withProxy.waitFor(/is ready: /);
    await withProxy.stop('SIGKILL');
    const refused = ann.run('tuntox', ['agent', 'start']);
    t.teardown(() => ann.run('tuntox', ['agent', 'stop']).exited);
    t.equal(await refused.exited, 1, refused.stderr);
    t.match(refused.stderr, /your tuntoxd used a proxy that .*tuntox\.yaml does not name: set network\.proxy there/);
    await (await start(ann)).stop();
    const started = ann.run('tuntox', ['agent', 'start']);
    t.equal(await started.exited, 0, started.stderr);
  },
);
