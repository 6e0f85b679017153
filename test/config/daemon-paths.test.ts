import t from 'tap';
import { daemonPaths, type ProcessFacts, SYSTEM_PATHS } from '../../src/config/daemon-paths.js';

const HOME = '/home/ann';
const DAEMON = 998;

const facts = (part: Partial<ProcessFacts>, files: Readonly<Record<string, [uid: number, gid: number]>> = {}) => {
  const statusOf = (path: string) => {
    const [uid, gid] = files[path] ?? [];
    return uid === undefined || gid === undefined ? undefined : { uid, gid, mode: 0o1770 };
  };
  return { uid: 1000, gid: 1000, statusOf, ...part };
};
const INSTALLED: Readonly<Record<string, [number, number]>> = { '/etc/tuntox': [0, DAEMON] };
const USED = { ...INSTALLED, '/etc/tuntox/tox_save': [DAEMON, DAEMON] as [number, number] };

t.test('root and the user of the service have the paths of the system', async (t) => {
  t.equal(daemonPaths({ HOME }, facts({ uid: 0, gid: 0 })), SYSTEM_PATHS);
  for (const files of [INSTALLED, USED])
    t.equal(daemonPaths({ HOME: '/nonexistent' }, facts({ uid: DAEMON, gid: DAEMON }, files)), SYSTEM_PATHS);
});

t.test('any other user has directories of their own, also one who manages the daemon of the system', async (t) => {
  for (const files of [{}, INSTALLED, USED]) {
    const environment = { HOME, XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' };
    const paths = daemonPaths(environment, facts({ uid: 4_000_000_000 }, files));
    t.same(paths, {
      owner: 'user',
      config: '/c/tuntox/tuntox.yaml',
      stateDirectory: '/s/tuntox',
      socket: '/s/tuntox/tuntoxd.sock',
      group: '',
    });
  }
});

t.test('a user who owns the directory of the system, as in a container, uses it', async (t) => {
  t.equal(daemonPaths({ HOME }, facts({}, { '/etc/tuntox': [1000, 1000] })), SYSTEM_PATHS);
  t.equal(daemonPaths({ HOME }, facts({}, { '/run/tuntox': [1000, 1000] })), SYSTEM_PATHS);
});

t.test('a service of the system, and what root starts as another user, has the paths of the system', async (t) => {
  t.equal(daemonPaths({ HOME, RUNTIME_DIRECTORY: '/run/other:/run/tuntox' }, facts({}, USED)), SYSTEM_PATHS);
  t.equal(daemonPaths({ HOME, TUNTOX_OF_SYSTEM: '1' }, facts({}, USED)), SYSTEM_PATHS);
  t.equal(daemonPaths({ HOME, RUNTIME_DIRECTORY: '/run/user/1000/tuntox' }, facts({}, USED)).owner, 'user');
});
