import t from 'tap';
import { commandsWith, modesWith, sectionOf } from '../../../src/cli/tuntox/option-table.js';
import { OPTIONS, type OptionName } from '../../../src/cli/tuntox/options.js';

t.test('an option names the commands and the modes that take it', async (t) => {
  t.same(
    commandsWith('--background').map(({ name }) => name),
    ['share', 'join'],
  );
  t.same(modesWith('host', '--background'), ['forward']);
  t.same(modesWith('classic', '--user'), ['server', 'node']);
  t.same(modesWith('classic', '--for'), []);
});

t.test('the help of all options has a section for each kind of mode', async (t) => {
  const section = (name: OptionName) =>
    sectionOf(OPTIONS.find((option) => option.name === name) as (typeof OPTIONS)[0]);
  t.equal(section('--uses'), 'share');
  for (const name of ['--rules-file', '--user', '--background', '--node'] as const)
    t.equal(section(name), 'server', name);
  for (const name of ['--forward', '--ping', '--timeout', '--idle-timeout'] as const)
    t.equal(section(name), 'client', name);
  for (const name of ['--identity', '--json', '--no-port-mapping', '--quiet'] as const)
    t.equal(section(name), 'common', name);
});
