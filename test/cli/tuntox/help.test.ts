import t from 'tap';
import { COMMANDS } from '../../../src/cli/tuntox/commands.js';
import { BRIEF_HELP, clauseOf, HELP, helpOf, optionsIn } from '../../../src/cli/tuntox/help.js';
import { OPTIONS } from '../../../src/cli/tuntox/options.js';

t.test('help fits a terminal of 80 columns', async (t) => {
  const ofCommands = COMMANDS.map(({ name }) => helpOf(name, '--help')).join('');
  for (const line of `${HELP}${BRIEF_HELP}${ofCommands}`.split('\n')) t.ok(line.length <= 80, line);
});

t.test('help names every option', async (t) => {
  for (const option of OPTIONS) {
    const letters = 'short' in option ? [...option.short].map((letter) => `-${letter}, `).join('') : '';
    t.ok(HELP.includes(`\n  ${letters}${option.name}`), option.name);
  }
});

t.test('-h is a summary of at most 30 lines, with examples', async (t) => {
  t.ok(BRIEF_HELP.trimEnd().split('\n').length <= 30);
  t.match(BRIEF_HELP, 'Examples:\n  tuntox share 22');
});

t.test('the first clause of an explanation stands alone', async (t) => {
  for (const option of OPTIONS) t.match(clauseOf(option), /^.{11,}[^.;: ]$/, option.name);
});

t.test('an option of servers names the clients that take it, too, but not in the help of a command', async (t) => {
  const aboutOf = (name: string) => optionsIn('server').find((option) => option.name === name)?.about;
  t.match(aboutOf('--pid-file'), /; also for clients with -L, -D and -R$/);
  t.notMatch(aboutOf('--user'), 'also');
  t.notMatch(helpOf('share', '--help'), 'also for clients');
});

t.test('the help of a command has its options and no other', async (t) => {
  const help = helpOf('share', '-h');
  t.match(help, /^tuntox share - .*\n\nUsage:\n {2}tuntox share PORT \| NAME \| HOST:PORT\n/);
  t.match(help, '\n  --uses N');
  t.notMatch(help, '--max-retries');
  t.match(helpOf('id', '--help'), /--quiet +leave out the key in words\n/);
});
