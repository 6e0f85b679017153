import t from 'tap';
import { readFlags } from '../../../src/cli/tuntox/flags.js';

t.test('flags are read as getopt reads them, in order', async (t) => {
  t.same(readFlags(['-dd', '-L2222:a:22', '-L', '80:b:80', '-qC', 'dir', '--secret-file=f', '--bootstrap', 'n']), [
    { flag: '-d', value: undefined },
    { flag: '-d', value: undefined },
    { flag: '-L', value: '2222:a:22' },
    { flag: '-L', value: '80:b:80' },
    { flag: '-q', value: undefined },
    { flag: '-C', value: 'dir' },
    { flag: '--secret-file', value: 'f' },
    { flag: '--bootstrap', value: 'n' },
  ]);
});

t.test('a value may look like a flag', async (t) => {
  t.same(readFlags(['-s', '-d']), [{ flag: '-s', value: '-d' }]);
});

t.test('what comes in a later version says so, whatever follows it', async (t) => {
  for (const flag of ['-D', '-z', '-F', '-U', '-S', '--json']) {
    for (const words of [[flag], [flag, 'value'], ['-p', flag]]) {
      t.throws(() => readFlags(words), { code: 'usage', message: new RegExp(`^${flag} .*not in this version yet`) });
    }
  }
  t.throws(() => readFlags(['-D1080']), { message: /^-D .*not in this version yet/ });
});

t.test('what is no flag, or lacks its value, or has one too many, is named', async (t) => {
  const cases: [string[], RegExp][] = [
    [['-x'], /no flag -x/],
    [['--nonsense'], /no flag --nonsense/],
    [['--L', '1:a:1'], /no flag --L/],
    [['list'], /"list"/],
    [['--', '-p'], /"--"/],
    [['-L'], /-L needs a value, as in -L 2222:127.0.0.1:22/],
    [['-d', '--bootstrap'], /--bootstrap needs a value/],
    [['-C', ''], /value of -C is empty/],
    [['--insecure-open=yes'], /--insecure-open takes no value/],
  ];
  for (const [words, message] of cases) t.throws(() => readFlags(words), { code: 'usage', message }, words.join(' '));
});
