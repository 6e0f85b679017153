import { EventEmitter } from 'node:events';
import t from 'tap';
import { launchAs, type RunCommand } from '../../../src/platform/process/setpriv.js';

const USER = { name: 'tuntox', uid: 998, gid: 997 };
const DROPPED = ['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all', '--no-new-privs'];
const KEPT = DROPPED.map((flag) => flag.replace('-all', '-all,+net_bind_service'));

/** setpriv on a machine that knows the user in these groups. */
class Machine {
  readonly commands: (readonly string[])[] = [];
  readonly answer: Partial<ReturnType<RunCommand>>;
  readonly #unreadable: string;

  constructor(answer: Partial<ReturnType<RunCommand>> = {}, unreadable = '') {
    this.answer = answer;
    this.#unreadable = unreadable;
  }

  readonly run: RunCommand = (command) => {
    this.commands.push(command);
    if (command[0] === 'id') return { signal: null, status: 0, stdout: '997 27\n', stderr: '' };
    const status = command.at(-1) === this.#unreadable ? 1 : 0;
    return { signal: null, status, stdout: '', stderr: '', ...this.answer };
  };
}

const processOf = (env: NodeJS.ProcessEnv = {}): NodeJS.Process =>
  Object.assign(new EventEmitter(), {
    pid: 4711,
    env,
    execPath: '/usr/bin/node',
    execArgv: ['--inspect=0'],
    argv: ['/usr/bin/node', '/usr/bin/tuntoxd', '-U', 'tuntox', '--', '$(x) "y'],
  }) as unknown as NodeJS.Process;

function commandFor(machine: Machine, ports: readonly number[], groupId?: number, isBackground = false): string[] {
  return [...launchAs(USER, processOf(), { ports, groupId, isBackground }, machine.run).command];
}

t.test('setpriv drops all rights and runs the program with the same arguments', async (t) => {
  t.same(commandFor(new Machine(), [0, 33445]), [
    ...['setpriv', '--reuid=998', '--regid=997', '--init-groups', ...DROPPED, '--pdeathsig=KILL', '--'],
    ...['/usr/bin/node', '--inspect=0', '/usr/bin/tuntoxd', '-U', 'tuntox', '--', '$(x) "y'],
  ]);
});

t.test('the capability for low ports stays if a port is below 1024', async (t) => {
  const first = commandFor(new Machine(), [33445, 443]);
  for (const flag of KEPT) t.ok(first.includes(flag), flag);
});

t.test('in the background the child outlives its parent', async (t) => {
  t.notOk(commandFor(new Machine(), [], undefined, true).some((flag) => flag.startsWith('--pdeathsig')));
});

t.test('a group is added if the user is not in it', async (t) => {
  t.ok(commandFor(new Machine(), [], 27).includes('--init-groups'));
  const added = commandFor(new Machine(), [], 50);
  t.ok(added.includes('--groups=997,27,50'));
  t.notOk(added.includes('--init-groups'));
});

t.test('a watchdog that expects the parent is served by the child', async (t) => {
  const needs = { ports: [], groupId: undefined, isBackground: false };
  const environment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
    launchAs(USER, processOf(env), needs, new Machine().run).environment;
  t.same(environment({ WATCHDOG_PID: '4711', TZ: 'UTC' }), { TZ: 'UTC' });
  t.same(environment({ WATCHDOG_PID: '1' }), { WATCHDOG_PID: '1' });
  const ofRoot = { HOME: '/root', SSH_AUTH_SOCK: '/run/agent', API_TOKEN: 'x', NODE_OPTIONS: '--inspect' };
  t.same(environment({ ...ofRoot, TUNTOX_STATE_DIR: '/s', NOTIFY_SOCKET: '/n' }), {
    TUNTOX_STATE_DIR: '/s',
    NOTIFY_SOCKET: '/n',
  });
});

t.test('a missing or failing setpriv, and an unreadable program, are reported', async (t) => {
  const missing = new Machine({ status: null, error: Object.assign(new Error('spawn'), { code: 'ENOENT' }) });
  t.throws(() => commandFor(missing, []), {
    code: 'no-setpriv',
    message:
      /^cannot become the user tuntox: .*setpriv is missing \(package util-linux\): install it, or start this program as that user/,
  });
  const forbidden = new Machine({ status: 127, stderr: 'setpriv: setresuid failed: Operation not permitted\n' });
  t.throws(() => commandFor(forbidden, []), {
    code: 'failed',
    message: /^cannot become the user tuntox \(setpriv: setresuid failed: Operation not permitted\)/,
  });
  t.throws(() => commandFor(new Machine(undefined, '/usr/bin/tuntoxd'), []), {
    code: 'failed',
    message: 'the user tuntox cannot read /usr/bin/tuntoxd: install it where every user may read it',
  });
});
