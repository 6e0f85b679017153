import t from 'tap';
import { findUser, lookUpUser, type User, userToBecome } from '../../../src/platform/process/user.js';

const LINE = 'tuntox:x:998:997:Tuntox:/etc/tuntox:/usr/sbin/nologin';
const USER: User = { name: 'tuntox', uid: 998, gid: 997 };

const processOf = (uid: number) => ({ geteuid: () => uid });

t.test('a process that already runs as the user stays', async (t) => {
  t.same(
    findUser('tuntox', processOf(998), () => LINE),
    USER,
  );
  t.equal(
    userToBecome('tuntox', processOf(998), () => LINE),
    undefined,
  );
  t.equal(
    userToBecome('root', processOf(0), () => 'root:x:0:0:root:/root:/bin/bash'),
    undefined,
  );
  t.equal(userToBecome(undefined, processOf(0)), undefined, 'nobody else is wanted');
});

t.test('root becomes another user', async (t) => {
  t.same(
    userToBecome('tuntox', processOf(0), () => LINE),
    USER,
  );
});

t.test('an unknown user, or one that only root can become, is an error that says what to do', async (t) => {
  const cases: [number, string | undefined, string, RegExp][] = [
    [0, undefined, 'no-such-user', /there is no user tuntox .*adduser --system --group tuntox/],
    [
      1000,
      LINE,
      'not-root',
      /only root can become the user tuntox: start the program as root, or as tuntox without -U/,
    ],
    [0, 'tuntox:x:::', 'failed', /cannot be understood/],
  ];
  for (const [uid, line, code, message] of cases) {
    t.throws(() => findUser('tuntox', processOf(uid), () => line), { code, message });
  }
});

t.test('users are looked up by name and by number', async (t) => {
  t.match(lookUpUser('root'), /^root:/);
  t.match(lookUpUser('0'), /^root:/);
  t.equal(lookUpUser('nobody-has-this-name'), undefined);
  t.equal(lookUpUser('--help'), undefined);
});
