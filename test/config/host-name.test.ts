import t from 'tap';
import { COMMANDS } from '../../src/cli/tuntox/commands.js';
import { parseHostName, plainHostName, RESERVED_NAMES } from '../../src/config/host-name.js';

t.test('a name is stored in lower case and without .tox', async (t) => {
  for (const text of ['nas', 'NAS', 'nas.tox', 'Nas.Tox']) t.equal(parseHostName(text), 'nas', text);
  t.equal(plainHostName('a.b.tox'), 'a.b');
});

t.test('a name that cannot be used is refused with what to do', async (t) => {
  for (const text of ['', '-p', '1nas', 'a b', 'a@b', 'ä', 'x'.repeat(33), '.tox']) {
    t.throws(() => parseHostName(text), { message: /is not a name: use a letter/ }, text);
  }
  t.throws(() => parseHostName('SSH'), { message: /^"ssh" is a command of tuntox.*choose another one$/ });
});

t.test('every command is a reserved name', async (t) => {
  for (const { name } of COMMANDS) t.ok(RESERVED_NAMES.includes(name), name);
});
