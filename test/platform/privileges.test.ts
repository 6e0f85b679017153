import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import {
  becomeUser,
  findUser,
  lookUpUser,
  type PrivilegedProcess,
  type User,
  userOfSuccessor,
} from '../../src/platform/privileges.js';
import { requirementsMet, root } from '../support/requirements.js';

const LINE = 'tuntox:x:998:997:Tuntox:/etc/tuntox:/usr/sbin/nologin';
const USER: User = { name: 'tuntox', uid: 998, gid: 997 };

class TestProcess implements PrivilegedProcess {
  readonly calls: string[] = [];
  #uid: number;
  #gid = 0;
  /** Who keeps the way back, as a kernel would that did not drop all. */
  readonly keepsRoot: boolean;

  constructor(uid = 0, keepsRoot = false) {
    this.#uid = uid;
    this.keepsRoot = keepsRoot;
  }

  getuid = (): number => this.#uid;
  geteuid = (): number => this.#uid;
  getgid = (): number => this.#gid;
  getegid = (): number => this.#gid;

  setegid(_gid: number): void {
    this.#check();
  }

  initgroups(user: string, gid: number): void {
    this.#check();
    this.calls.push(`initgroups ${user} ${gid}`);
  }

  setgid(gid: number): void {
    this.#check();
    this.#gid = gid;
    this.calls.push(`setgid ${gid}`);
  }

  setuid(uid: number): void {
    this.#check();
    this.#uid = uid;
    this.calls.push(`setuid ${uid}`);
  }

  #check(): void {
    if (this.#uid !== 0 && !this.keepsRoot) throw new Error('EPERM, operation not permitted');
  }
}

t.test('the groups go first and the number of the user last', async (t) => {
  const process = new TestProcess();
  becomeUser(USER, process);
  t.same(process.calls, ['initgroups tuntox 997', 'setgid 997', 'setuid 998']);
});

t.test('who could become root again does not go on', async (t) => {
  t.throws(() => becomeUser(USER, new TestProcess(0, true)), { code: 'failed', message: /not safe to go on/ });
});

t.test('who is that user already has nothing to do', async (t) => {
  const process = new TestProcess(998);
  t.same(
    findUser('tuntox', process, () => LINE),
    USER,
  );
  becomeUser(USER, process);
  t.same(process.calls, []);
});

t.test('a user that is not there, or cannot be become, is said with what to do', async (t) => {
  const cases: [number, string | undefined, string, RegExp][] = [
    [0, undefined, 'no-such-user', /there is no user tuntox .*adduser --system --group tuntox/],
    [1000, LINE, 'not-root', /only root can become the user tuntox: start it as root, or as tuntox without -U/],
    [0, 'tuntox:x:::', 'failed', /cannot be understood/],
  ];
  for (const [uid, line, code, message] of cases) {
    t.throws(() => findUser('tuntox', new TestProcess(uid), () => line), { code, message });
  }
  const forbidden = Object.assign(new TestProcess(), {
    initgroups: () => {
      throw new Error('EPERM');
    },
  });
  t.throws(() => becomeUser(USER, forbidden), { message: /cannot become the user tuntox \(EPERM\): .*CAP_SETUID/ });
});

t.test('where Node refuses to change its user, another process has to be it', async (t) => {
  const refusing = new TestProcess();
  refusing.setegid = () => {
    throw new Error('setegid() disabled: io_uring may be enabled');
  };
  t.same(
    userOfSuccessor('tuntox', refusing, () => LINE),
    USER,
  );
  t.throws(() => userOfSuccessor('tuntox', refusing, () => undefined), { code: 'no-such-user' });
  t.equal(
    userOfSuccessor('root', refusing, () => 'root:x:0:0:root:/root:/bin/bash'),
    undefined,
    'who is root already',
  );
  t.equal(userOfSuccessor(undefined, refusing), undefined, 'nobody else is wanted');
  t.same(refusing.calls, []);
});

t.test('whoever can change the user, or is nobody who could, needs no other process', async (t) => {
  const never = (): never => {
    throw new Error('not to be looked up');
  };
  t.equal(userOfSuccessor('tuntox', new TestProcess(), never), undefined);
  t.equal(userOfSuccessor('tuntox', new TestProcess(998), never), undefined);
});

t.test('users are looked up by name and by number', async (t) => {
  t.match(lookUpUser('root'), /^root:/);
  t.match(lookUpUser('0'), /^root:/);
  t.equal(lookUpUser('nobody-has-this-name'), undefined);
  t.equal(lookUpUser('--help'), undefined);
});

/** The kernel's view of a process that has become somebody else by Node, or by setpriv where this Node refuses. */
const becoming = (t: Test, name: string): string => {
  const sources = new URL('../../src/platform/', import.meta.url).href;
  const script = `import { becomeUser, findUser, userOfSuccessor } from '${sources}privileges.js';
    import { Setpriv } from '${sources}successor.js';
    import { spawnSync } from 'node:child_process';
    const user = userOfSuccessor('${name}', process);
    if (user === undefined) becomeUser(findUser('${name}', process), process);
    const cat = ['cat', '/proc/self/status'];
    const setpriv = user && new Setpriv(user, { ports: [], groupId: undefined });
    const command = setpriv ? [...setpriv.prefix({ dies: true }), ...cat] : cat;
    spawnSync(command[0], command.slice(1), { stdio: 'inherit' });`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  t.equal(status, 0, stderr);
  return stdout;
};

t.test('the real process keeps no number, no group and no capability of root', async (t) => {
  if (!requirementsMet(t, root('become somebody else'))) return;
  const status = becoming(t, 'nobody');
  t.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
  t.match(status, /^Gid:\t65534\t65534\t65534\t65534$/m);
  t.match(status, /^Groups:\t65534 $/m);
  t.match(status, /^CapEff:\t0+$/m);
  t.match(status, /^CapPrm:\t0+$/m);
});
