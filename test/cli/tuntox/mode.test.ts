import t from 'tap';
import { CLASSIC_COMMAND, COMMANDS, type Form, HOST_COMMAND } from '../../../src/cli/tuntox/commands.js';
import { readCommandLine } from '../../../src/cli/tuntox/flags.js';
import { type Mode, OPTION_TABLE, takes } from '../../../src/cli/tuntox/option-table.js';
import { OPTIONS, type OptionName } from '../../../src/cli/tuntox/options.js';
import { settingsOf } from '../../../src/cli/tuntox/settings.js';

const KEY = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B';
const ID = `${KEY}4C762C7DA7B9`;
const HOST = { name: 'nas', toxId: ID, pinnedKey: KEY, secret: undefined, addedAt: 1 };
const LINK = `tuntox://${ID}/abc23/nas:22`;

/** The least command line of each mode that has settings. */
const LINES: readonly [form: Form, mode: Mode, words: readonly string[]][] = [
  ['share', 'share', ['share', '22']],
  ['join', 'forward', ['join', LINK]],
  ['join', 'store', ['join', LINK, 'nas']],
  ['ping', 'ping', ['ping', 'nas']],
  ['speed', 'speed', ['speed', 'nas']],
  ['agent', 'agent', ['agent']],
  ['host', 'forward', ['nas', '-L', '1:a:1']],
  ['host', 'pipe', ['nas', '-W', 'a:1']],
  ['host', 'ping', ['nas', '-p']],
  ['host', 'services', ['nas']],
  ['classic', 'server', []],
  ['classic', 'node', ['--node']],
  ['classic', 'forward', ['-i', ID, '-L', '1:a:1']],
  ['classic', 'pipe', ['-i', ID, '-W', 'a:1']],
  ['classic', 'ping', ['-i', ID, '-p']],
];

const CHOOSING: readonly OptionName[] = [
  '--forward',
  '--dynamic',
  '--reverse',
  '--pipe',
  '--ssh-pipe',
  '--ping',
  '--node',
];
const VALUES: Partial<Record<OptionName, string>> = {
  '--identity': ID,
  '--bootstrap': 'none',
  '--forward': '2:a:2',
  '--reverse': '80:a:80',
  '--proxy': 'none',
};

const modeWith = (words: readonly string[]): Mode =>
  settingsOf(readCommandLine(words), { HOME: '/nowhere' }, HOST).mode;

t.test('each command takes the options of the table, and refuses every other one with advice', async (t) => {
  for (const [form, mode, words] of LINES) {
    t.equal(modeWith(words), mode, words.join(' '));
    for (const option of OPTIONS) {
      const { name } = option;
      if (CHOOSING.includes(name) || name === '--socks-auth') continue;
      // It may be given once by a client.
      if (name === '--identity' && words.includes('-i')) continue;
      const value = 'value' in option ? [`${name}=${VALUES[name] ?? option.example}`] : [name];
      const all = [...words, ...value];
      if (OPTION_TABLE[form][mode]?.includes(name)) t.equal(modeWith(all), mode, all.join(' '));
      else {
        const message = new RegExp(`^${name} (is not for|is only for|needs) .*(: | or )(remove it|add)`);
        t.throws(() => modeWith(all), { code: 'usage', message }, all.join(' '));
      }
    }
  }
});

t.test('every option belongs to a command, and every mode with settings is tested here', async (t) => {
  const forms: readonly Form[] = [...COMMANDS, HOST_COMMAND, CLASSIC_COMMAND].map(({ name }) => name);
  for (const { name } of OPTIONS)
    t.ok(
      forms.some((form) => takes(form, name)),
      name,
    );
  const withoutSettings = ['ssh', 'ssh-config', 'list', 'forget', 'id'];
  const modes = forms.flatMap((form) => Object.keys(OPTION_TABLE[form]).map((mode) => `${form} ${mode}`));
  t.same(
    modes.filter((one) => !withoutSettings.includes(one.split(' ')[0] as string)).sort(),
    LINES.map(([form, mode]) => `${form} ${mode}`).sort(),
  );
});

t.test('options that choose a mode are refused together, and where a command has no choice', async (t) => {
  const cases: [string[], RegExp][] = [
    [['nas', '-W', 'a:1', '-p'], /^-W and -p cannot be combined: choose one$/],
    [['-i', ID, '-R', '1:a:1', '--ssh-pipe', '22'], /^-R and --ssh-pipe cannot be combined: choose one$/],
    [['--node', '-p', '-W', 'a:1'], /^a bootstrap node \(--node\) has no tunnels: remove -p and -W$/],
    [['nas', '--node'], /^--node is not for stored hosts: remove it$/],
    [['ping', 'nas', '-L', '1:a:1'], /^-L is not for ping: remove it$/],
    [['join', LINK, 'nas', '-L', '1:a:1'], /^-L is not for join with a name, .*: remove it$/],
  ];
  for (const [words, message] of cases) t.throws(() => modeWith(words), { code: 'usage', message }, words.join(' '));
});
