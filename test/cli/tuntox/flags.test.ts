import t from 'tap';
import { hostNameOf, readCommandLine } from '../../../src/cli/tuntox/flags.js';
import { OPTIONS } from '../../../src/cli/tuntox/options.js';

const readFlags = (words: readonly string[]) => readCommandLine(words).flags;

t.test('flags are read as getopt reads them, in order', async (t) => {
  const words = ['-dd', '-L2222:a:22', '--forward', '80:b:80', '-qC', 'dir', '--secret-file=f', '--bootstrap', 'n'];
  t.same(readFlags(words), [
    { flag: '--verbose', written: '-d', value: undefined },
    { flag: '--verbose', written: '-d', value: undefined },
    { flag: '--forward', written: '-L', value: '2222:a:22' },
    { flag: '--forward', written: '--forward', value: '80:b:80' },
    { flag: '--quiet', written: '-q', value: undefined },
    { flag: '--state-dir', written: '-C', value: 'dir' },
    { flag: '--secret-file', written: '--secret-file', value: 'f' },
    { flag: '--bootstrap', written: '--bootstrap', value: 'n' },
  ]);
});

t.test('a value may look like a flag', async (t) => {
  t.match(readFlags(['-s', '-d']), [{ flag: '--secret', value: '-d' }]);
});

t.test('-D with a place is the dynamic forward of ssh, and alone it means the background, as upstream', async (t) => {
  for (const [words, value] of [
    [['-D1080'], '1080'],
    [['-D', '1080'], '1080'],
    [['-D', 'localhost:1080'], 'localhost:1080'],
    [['-D', '[::1]:1080'], '[::1]:1080'],
    [['-D', '*@1080'], '*@1080'],
    [['-D', '/run/a.sock'], '/run/a.sock'],
    [['-Dfd/web'], 'fd/web'],
    [['-D', '8000-8010'], '8000-8010'],
    [['-D', 'x:y'], 'x:y'],
    [['--dynamic', '1080'], '1080'],
  ] as const) {
    t.match(readFlags(words), [
      { flag: '--dynamic', written: words[0].slice(0, 2) === '-D' ? '-D' : '--dynamic', value },
    ]);
  }
  t.match(readFlags(['-dD', '1', '-q']), [
    { flag: '--verbose' },
    { flag: '--dynamic', value: '1' },
    { flag: '--quiet' },
  ]);
  const background = { flag: '--background', written: '-D', value: undefined };
  t.match(readFlags(['-D']), [background]);
  t.match(readFlags(['-D', '-C', '1080']), [background, { flag: '--state-dir', value: '1080' }]);
  t.match(readFlags(['-i', 'ID', '-D']), [{ flag: '--identity' }, background]);
  t.match(readFlags(['share', '-D', '22']), [background]);
  t.match(readFlags(['-dDq']), [{ flag: '--verbose' }, background, { flag: '--quiet' }]);
  t.match(readFlags(['-s', '-D1080']), [{ flag: '--secret', value: '-D1080' }]);
});

t.test('a usage error names the option and says how to correct it', async (t) => {
  const cases: [string[], RegExp][] = [
    [['-x'], /^unknown option -x$/],
    [['--nonsense'], /^unknown option --nonsense$/],
    [['--forwrad', '1:a:1'], /^unknown option --forwrad: did you mean "--forward"\?$/],
    [['--forw', '1:a:1'], /^unknown option --forw: did you mean "--forward"\?$/],
    [['--L', '1:a:1'], /^unknown option --L/],
    [['--P', '1:a:1'], /^unknown option --P/],
    [['-p', 'nas'], /^unexpected argument "nas": the name of a host stands before the options$/],
    [['list', 'nas'], /^unexpected argument "nas"/],
    [['forget'], /^forget needs an argument, as in: tuntox forget nas$/],
    [['--', '-p'], /^unexpected argument "-p": remove it$/],
    [['-L'], /^-L needs a value, such as -L 2222:127.0.0.1:22$/],
    [['--forward'], /^--forward needs a value, such as --forward 2222:127.0.0.1:22$/],
    [['-d', '--bootstrap'], /--bootstrap needs a value/],
    [['-C', ''], /-C needs a value, such as -C /],
    [['--insecure-open=yes'], /--insecure-open takes no value/],
  ];
  for (const [words, message] of cases) t.throws(() => readFlags(words), { code: 'usage', message }, words.join(' '));
});

t.test('help is a word, too, and -- alone changes nothing', async (t) => {
  t.match(readFlags(['help']), [{ flag: '--help', written: 'help' }]);
  t.same(readFlags(['-p', '--']), readFlags(['-p']));
});

t.test('each option has a long name, and no letter has two meanings', async (t) => {
  const letters = OPTIONS.flatMap((option) => [...('short' in option ? option.short : '')]);
  t.equal(new Set(letters).size, letters.length);
  for (const { name } of OPTIONS) t.match(name, /^--[a-z]/);
});

t.test('share and join stand first and have one argument', async (t) => {
  t.match(readCommandLine(['share', '-d', '3000']), {
    form: 'share',
    arguments: ['3000'],
    flags: [{ flag: '--verbose' }],
  });
  t.match(readCommandLine(['join', 'LINK']), { form: 'join', arguments: ['LINK'], flags: [] });
  t.equal(readCommandLine(['share', '--help']).flags[0]?.flag, '--help');
  const cases: [string[], RegExp][] = [
    [['share'], /^share needs an argument, as in: tuntox share 22$/],
    [['join'], /^join needs an argument/],
    [['share', '22', '80'], /^unexpected argument "80": remove it$/],
    [['-d', 'share', '22'], /^unexpected argument "share": write share before the options$/],
    [['help', 'shar'], /^there is no command "shar": did you mean "share"\?$/],
    [['help', 'share', 'join'], /^help explains one command: remove "join"$/],
  ];
  for (const [words, message] of cases)
    t.throws(() => readCommandLine(words), { code: 'usage', message }, words.join(' '));
});

t.test('help explains one command', async (t) => {
  t.match(readCommandLine(['help', 'share']), { form: 'share', arguments: [], flags: [{ flag: '--help' }] });
  t.match(readCommandLine(['help']), { form: 'classic', flags: [{ flag: '--help' }] });
});

t.test('a first word that is no command is the name of a host', async (t) => {
  t.equal(hostNameOf(['nas', '-p']), 'nas');
  for (const words of [[], [''], ['-p', 'nas'], ['share', 'nas'], ['help', 'nas']])
    t.equal(hostNameOf(words), undefined);
  t.match(readCommandLine(['nas', '-d']), { form: 'host', arguments: ['nas'], flags: [{ flag: '--verbose' }] });
});
