import t from 'tap';
import { ParsedArguments } from '../../../src/cli/ctl/arguments.js';
import { type SocketFacts, socketPlace } from '../../../src/cli/ctl/socket-place.js';

const SYSTEM = '/run/tuntox/tuntoxd.sock';
const OWN = '/run/user/1000/tuntox/tuntoxd.sock';

function facts(existing: readonly string[], isRoot = false): SocketFacts {
  const exists = (path: string): boolean => existing.includes(path);
  const directories = { runtime: '/run/user/1000/tuntox', state: '/home/ann/.local/state/tuntox' };
  return { isRoot, directories, exists, isWritable: exists };
}
const given = (options: Readonly<Record<string, string | undefined>>) =>
  new ParsedArguments([], new Map(Object.entries(options).map(([name, value]) => [name, [value]])));

t.test("the user's own daemon comes first, and a second one that could be meant is known", async (t) => {
  t.match(socketPlace({}, undefined, facts([OWN, SYSTEM])), { path: OWN, owner: 'user', hasOther: true });
  t.match(socketPlace({}, undefined, facts([OWN])), { path: OWN, owner: 'user', hasOther: false });
  t.match(socketPlace({}, undefined, facts([SYSTEM])), { path: SYSTEM, owner: 'system', missing: OWN });
});

t.test('root talks to the daemon of this machine', async (t) => {
  t.same(socketPlace({}, undefined, facts([OWN, SYSTEM], true)), { path: SYSTEM, from: 'default', owner: 'system' });
});

t.test('without a runtime directory the socket is in the state directory', async (t) => {
  const path = '/s/tuntoxd.sock';
  const place = socketPlace({}, undefined, { ...facts([path]), directories: { runtime: undefined, state: '/s' } });
  t.match(place, { path, owner: 'user' });
});

t.test('options precede the variable, which precedes what is found', async (t) => {
  const both = facts([OWN, SYSTEM]);
  const environment = { TUNTOX_SOCKET: '/other' };
  t.match(socketPlace(environment, given({}), both), { path: '/other', from: 'environment', owner: 'system' });
  t.match(socketPlace({ TUNTOX_SOCKET: OWN }, given({}), both), { owner: 'user' });
  t.match(socketPlace(environment, given({ '--system': undefined }), both), { path: SYSTEM, from: 'option' });
  t.match(socketPlace(environment, given({ '--user': undefined }), both), { path: OWN, from: 'option' });
  t.match(socketPlace(environment, given({ '--socket': '/x' }), both), { path: '/x', from: 'option' });
});

t.test('two daemons at once are refused', async (t) => {
  for (const options of [
    { '--user': undefined, '--system': undefined },
    { '--user': undefined, '--socket': '/x' },
  ])
    t.throws(() => socketPlace({}, given(options), facts([])), /name two daemons/);
});
