import t from 'tap';
import { BRIEF_HELP, clauseOf, HELP } from '../../../src/cli/tuntox/help.js';
import { OPTIONS } from '../../../src/cli/tuntox/options.js';

t.test('help fits a terminal of 80 columns', async (t) => {
  for (const line of `${HELP}${BRIEF_HELP}`.split('\n')) t.ok(line.length <= 80, line);
});

t.test('help names every option, and none of a later version', async (t) => {
  for (const option of OPTIONS) {
    const letters = 'short' in option ? [...option.short].map((letter) => `-${letter}, `).join('') : '';
    t.ok(HELP.includes(`\n  ${letters}${option.name}`), option.name);
  }
  t.notMatch(HELP, '--json');
});

t.test('-h is a summary of at most 30 lines, with examples', async (t) => {
  t.ok(BRIEF_HELP.trimEnd().split('\n').length <= 30);
  t.match(BRIEF_HELP, 'Examples:\n  tuntox share 22');
});

t.test('the first clause of an explanation stands alone', async (t) => {
  for (const option of OPTIONS) t.match(clauseOf(option), /^.{11,}[^.;: ]$/, option.name);
});
