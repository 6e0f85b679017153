import t from 'tap';
import { HELP } from '../../../src/cli/tuntox/help.js';

t.test('help fits a terminal of 80 columns', async (t) => {
  for (const line of HELP.split('\n')) t.ok(line.length <= 80, line);
});

t.test('help names every flag of this version, and none of a later one', async (t) => {
  const flags = [
    '-L',
    '-P',
    '-W',
    '-p',
    '-i',
    '-C',
    '-I',
    '-f',
    '-b',
    '-u',
    '-s',
    '-d',
    '-q',
    '-V',
    '-h',
    '-z',
    '-D',
    '-F',
    '-U',
    '-S',
  ];
  const long = ['--secret-file', '--bootstrap', '--insecure-open', '--no-port-mapping', '--version', '--help'];
  for (const flag of [...flags, ...long]) t.match(HELP, new RegExp(`(^|\\s)${flag}\\b`, 'm'), flag);
  t.notMatch(HELP, '--json');
});
