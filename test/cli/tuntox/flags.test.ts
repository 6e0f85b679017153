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
  for (const words of [['--json'], ['--json', 'value'], ['-p', '--json']]) {
    t.throws(() => readFlags(words), { code: 'usage', message: /^--json .*not in this version yet/ });
  }
});

t.test('-D with a port after it is a SOCKS5 proxy, which comes later, and alone it is the background', async (t) => {
  for (const words of [
    ['-D1080'],
    ['-D', '1080'],
    ['-D', 'localhost:1080'],
    ['-D', '[::1]:1080'],
    ['-D', '*@1080'],
    ['-dD', '1'],
  ]) {
    t.throws(
      () => readFlags(words),
      { code: 'usage', message: /^-D \[BIND:\]PORT .*not in this version yet/ },
      words.join(' '),
    );
  }
  const background = { flag: '-D', value: undefined };
  t.match(readFlags(['-D']), [background]);
  t.match(readFlags(['-D', '-C', '1080']), [background, { flag: '-C', value: '1080' }]);
  t.match(readFlags(['-i', 'ID', '-D']), [{ flag: '-i' }, background]);
  t.match(readFlags(['-dDq']), [{ flag: '-d' }, background, { flag: '-q' }]);
  t.match(readFlags(['-s', '-D1080']), [{ flag: '-s', value: '-D1080' }]);
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
