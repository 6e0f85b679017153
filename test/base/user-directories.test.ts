import t from 'tap';
import { type UserFacts, userDirectories } from '../../src/base/user-directories.js';

const facts = (owners: Readonly<Record<string, number>> = {}, home?: string): UserFacts => ({
  uid: 1000,
  ownerOf: (path) => owners[path],
  home: () => home,
});

t.test('by default the files are in the places of the XDG specification below HOME', async (t) => {
  t.same(userDirectories({ HOME: '/home/ann' }, facts()), {
    config: '/home/ann/.config/tuntox',
    state: '/home/ann/.local/state/tuntox',
    cache: '/home/ann/.cache/tuntox',
    runtime: undefined,
    home: '/home/ann',
  });
});

t.test('the variables name other places, and relative ones are ignored', async (t) => {
  const environment = {
    HOME: '/home/ann',
    XDG_CONFIG_HOME: '/c',
    XDG_STATE_HOME: 's',
    XDG_RUNTIME_DIR: '/run/user/1000',
  };
  const found = userDirectories(environment, facts({ '/run/user/1000': 1000 }));
  t.equal(found.config, '/c/tuntox');
  t.equal(found.state, '/home/ann/.local/state/tuntox');
  t.equal(found.runtime, '/run/user/1000/tuntox');
});

t.test('after su the directories of the other user are not used', async (t) => {
  const environment = { HOME: '/home/ben', XDG_RUNTIME_DIR: '/run/user/1001' };
  const owners = { '/home/ben': 1001, '/run/user/1001': 1001 };
  const found = userDirectories(environment, facts(owners, '/home/ann'));
  t.equal(found.home, '/home/ann');
  t.equal(found.runtime, undefined);
});

t.test('without the variable, as after su, the runtime directory of another session of the user is used', async (t) => {
  const owners = { '/run/user/1000': 1000, '/run/user/1001': 1001 };
  t.equal(userDirectories({ HOME: '/home/ann' }, facts(owners)).runtime, '/run/user/1000/tuntox');
  const others = { HOME: '/home/ann', XDG_RUNTIME_DIR: '/run/user/1001' };
  t.equal(userDirectories(others, facts(owners)).runtime, '/run/user/1000/tuntox');
});

t.test('without HOME the user database is asked, and a user who is not there has what HOME says', async (t) => {
  t.equal(userDirectories({}, facts({}, '/home/ann')).home, '/home/ann');
  t.equal(userDirectories({ HOME: '/' }, facts({ '/': 0 })).home, '/');
  t.equal(userDirectories({}, facts()).home, '/');
});
