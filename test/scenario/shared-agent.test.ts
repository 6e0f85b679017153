/** The daemon of a machine and another user of it, who uses its connection. Each process sees a /run of its own with the daemon's directory. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork, echo, SECRET } from '../support/command-network.js';
import { commandFile, freeTcpPort, type Process, startProgram } from '../support/processes.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { ORDINARY, runsAsOrdinaryUser } from './support/ordinary-user.js';

const DAEMON = ORDINARY - 1;
const ENTER = 'mount -t tmpfs -o mode=755 none /run && mkdir /run/tuntox && mount --bind "$0" /run/tuntox && exec "$@"';

class Machine {
  readonly #t: Test;
  readonly #run: string;
  readonly #state: string;

  private constructor(t: Test, { run, state }: { readonly run: string; readonly state: string }) {
    this.#t = t;
    this.#run = run;
    this.#state = state;
  }

  /** A machine whose daemon asks the node of a network. */
  static make(t: Test, users: string, network: CommandNetwork): Machine {
    const directory = temporaryDirectory(t);
    chmodSync(directory, 0o755);
    const [run, state] = [join(directory, 'run'), join(directory, 'state')];
    mkdirSync(run);
    mkdirSync(state, { mode: 0o700 });
    for (const path of [run, state]) chownSync(path, DAEMON, DAEMON);
    const lines = [
      `state_dir: ${state}`,
      'socket: {group: ""}',
      `agent: {users: ${users}}`,
      `network: {bootstrap: ["${network.node[1]}"], lan_discovery: false, port_mapping: false}`,
    ];
    writeFileSync(join(directory, 'tuntox.yaml'), lines.join('\n'));
    return new Machine(t, { run, state });
  }

  run(uid: number, program: 'tuntox' | 'tuntoxctl' | 'tuntoxd', ...args: readonly string[]): Process {
    const home = temporaryDirectory(this.#t);
    chownSync(home, uid, uid);
    const become = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--bounding-set=-all'];
    const own = ['env', '-i', `HOME=${home}`, `PATH=${process.env.PATH}`, 'TUNTOX_OF_SYSTEM=1'];
    // A client without the daemon would ask the public nodes.
    const network = program === 'tuntox' ? ['--net'] : [];
    const enter = ['unshare', '--mount', ...network, 'sh', '-c', ENTER, this.#run, ...own];
    const file = commandFile(program);
    const started = startProgram(program, [...enter, ...become, process.execPath, file, ...args]);
    this.#t.teardown(() => started.stop('SIGKILL'));
    return started;
  }

  async daemon(): Promise<Process> {
    const daemon = this.run(DAEMON, 'tuntoxd', '--config', join(this.#state, '../tuntox.yaml'));
    await daemon.waitFor(/is ready: /);
    return daemon;
  }

  /** Adds a forward to port `port` of the server, and waits until it is connected. */
  async forward(toxId: string, port: number): Promise<void> {
    const secret = join(this.#state, 'secret-for-the-test');
    writeFileSync(secret, SECRET, { mode: 0o600 });
    chownSync(secret, DAEMON, DAEMON);
    const words = ['forward', 'add', toxId, `${await freeTcpPort()}:127.0.0.1:${port}`, '--secret-file', secret];
    const added = this.run(DAEMON, 'tuntoxctl', ...words);
    if ((await added.exited) !== 0) throw new Error(added.stderr);
    for (;;) {
      const list = this.run(DAEMON, 'tuntoxctl', 'forward', 'list', '--json');
      await list.exited;
      if (list.stdout.includes('"connected"')) return;
    }
  }
}

async function start(t: Test, users: string) {
  const network = await CommandNetwork.start(t);
  const { id: toxId } = await network.server();
  const machine = Machine.make(t, users, network);
  const daemon = await machine.daemon();
  const port = await network.service(echo);
  await machine.forward(toxId, port);
  return { network, machine, daemon, toxId, port };
}

/** For a client that has to use a connection of its own, which has no network. */
const ALONE = ['--timeout', '2'];

async function pipe(machine: Machine, toxId: string, port: number, ...more: readonly string[]) {
  const client = machine.run(ORDINARY, 'tuntox', '-d', '-i', toxId, '-W', `127.0.0.1:${port}`, ...more);
  client.child.stdin.end('hello');
  return { status: await client.exited, stdout: client.stdout, stderr: client.stderr };
}

t.test('another user reaches the target of a forward, and no other, by the connection of the daemon', async (t) => {
  if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
  const { network, machine, toxId, port } = await start(t, 'all');
  const forwarded = await pipe(machine, toxId, port);
  t.match(forwarded, { status: 0, stdout: 'hello' }, forwarded.stderr);
  t.match(forwarded.stderr, /using the connection of the daemon of this machine, with its identity/);
  const ping = machine.run(ORDINARY, 'tuntox', '-i', toxId, '-p');
  t.equal(await ping.exited, 0, ping.stderr);
  const other = await pipe(machine, toxId, await network.service(echo), ...ALONE);
  t.not(other.status, 0);
  t.notMatch(other.stderr, /connection of the daemon/);
});

t.test('by default nobody uses it', async (t) => {
  if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
  const { machine, toxId, port } = await start(t, 'none');
  const refused = await pipe(machine, toxId, port, ...ALONE);
  t.not(refused.status, 0);
  t.notMatch(refused.stderr, /connection of the daemon/);
});

t.test('a client with -L outlives a restart of the daemon', async (t) => {
  if (!requirementsMet(t, root('become other users'), runsAsOrdinaryUser)) return;
  const { machine, daemon, toxId, port } = await start(t, 'all');
  const client = machine.run(ORDINARY, 'tuntox', '-i', toxId, '-L', `${await freeTcpPort()}:127.0.0.1:${port}`);
  await client.waitFor(/connected to /);
  await daemon.stop();
  await client.waitFor(/the daemon of this machine, .* has ended: waiting for it/);
  await machine.daemon();
  await client.waitFor(/waiting for it\n(?:.*\n)*.*connected to /);
  t.equal(await client.stop('SIGINT'), 130);
});
