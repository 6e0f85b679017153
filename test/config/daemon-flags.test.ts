import t from 'tap';
import { readDaemonFlags } from '../../src/config/daemon-flags.js';
import { LIST, load } from './support/settings.js';

const read = (...words: string[]) => readDaemonFlags(words);

t.test('every setting has a flag of its own', async (t) => {
  const flags = [...LIST.values()].map(({ flag }) => flag);
  t.equal(new Set(flags).size, LIST.size);
  for (const flag of flags) t.match(flag, /^--[a-z]+(-[a-z]+)*$/);
});

t.test(
  'a value follows a space or an equals sign, a repeated flag makes a list, and a flag alone means true',
  async (t) => {
    const key = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB67';
    const { settings } = load(t, {
      flags: [
        ...['--state-dir=/a', '--log-level', 'warn', '--log-level', 'trace', '--access-open'],
        ...['--network-port-mapping=false', '--network-bootstrap', `a:1:${key}`, '--network-bootstrap', `b:2:${key}`],
      ],
    });
    t.equal(settings.stateDirectory, '/a');
    t.equal(settings.log.level, 'trace');
    t.equal(settings.access.isOpen, true);
    t.equal(settings.network.portMapping, false);
    const { network, access } = load(t, {
      flags: ['--network-lan-discovery', 'no', '--access-open', '--network-port-mapping', 'false'],
    }).settings;
    t.same([network.lanDiscovery, access.isOpen, network.portMapping], [false, true, false]);
    t.same(
      settings.network.nodes?.map(({ host, port }) => `${host}:${port}`),
      ['a:1', 'b:2'],
    );
  },
);

t.test('the short options of tuntox have the same meaning', async (t) => {
  const { settings } = load(t, { flags: ['-C', '/b', '-U', 'nobody', '-d'] });
  t.same([settings.stateDirectory, settings.user, settings.log.level], ['/b', 'nobody', 'debug']);
  t.match(read('-z', '-F', '/run/x.pid', '-S', '-c', '/y', '--check'), {
    isBackground: true,
    pidFile: '/run/x.pid',
    isSyslog: true,
    configFile: '/y',
    isCheck: true,
    errors: [],
  });
  t.equal(read('-D').isBackground, true);
  t.match(read(), { isBackground: false, pidFile: undefined, isSyslog: false, configFile: undefined, isCheck: false });
  t.match(read('-h', '-V'), { isHelp: true, isBriefHelp: true, isVersion: true });
  t.match(read('--help'), { isHelp: true, isBriefHelp: false });
  t.match(read('help'), { isHelp: true, isBriefHelp: false });
  t.match(read('--background', '--pid-file', '/run/x.pid', '--syslog', '--no-color', '--'), {
    isBackground: true,
    pidFile: '/run/x.pid',
    isSyslog: true,
    isColourless: true,
    errors: [],
  });
});

t.test('a usage error names the option and the one that was probably meant', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--log-levle', 'debug'], /unknown option --log-levle: did you mean "--log-level"\?/],
    [['--log_level', 'debug'], /unknown option --log_level: did you mean "--log-level"\?/],
    [['-x'], /^unknown option -x$/],
    [['--state-dir'], /--state-dir needs a value, such as --state-dir \/etc\/tuntox/],
    [['-F', ''], /-F needs a value/],
    [['--check=yes'], /--check takes no value/],
    [['canary'], /^unexpected argument: write/],
    [['--access-open', 'canary'], /^unexpected argument after --access-open: write/],
    [['-C', '/dir', 'canary'], /^unexpected argument after -C: write each setting as --setting VALUE$/],
    [['--access-open', '-z', 'yes'], /^unexpected argument after -z: write/],
  ];
  for (const [words, message] of cases) {
    const { errors } = readDaemonFlags(words);
    t.match(errors[0], message);
    t.notMatch(errors.join(), 'canary');
  }
});
