import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type DaemonPaths, SYSTEM_PATHS } from '../../src/config/daemon-paths.js';
import { loadSettings, type SettingsError, shownValue } from '../../src/config/daemon-settings.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { errorsOf, load } from './support/settings.js';

const KEY = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB67';

t.test('a fresh machine has the defaults, typed and frozen', async (t) => {
  const { settings, file, effective } = load(t, {});
  t.equal(file, undefined);
  t.strictSame(settings, {
    stateDirectory: '/etc/tuntox',
    user: undefined,
    socket: { path: '/run/tuntox/tuntoxd.sock', group: 'tuntox' },
    agent: { users: 'none' },
    log: { level: 'info', format: 'auto' },
    network: {
      udpPorts: undefined,
      relayPort: undefined,
      nodes: undefined,
      nodesFile: undefined,
      lanDiscovery: true,
      portMapping: true,
      proxy: undefined,
    },
    access: { require: 'all', isOpen: false, secretFile: undefined },
    targets: { rulesFile: undefined, isAny: false, mayTestSpeed: true, hasClientSources: false },
    http: { listen: undefined },
  });
  for (const part of [settings, settings.network, settings.socket]) t.ok(Object.isFrozen(part));
  for (const { source, place } of effective.values()) t.same([source, place], ['default', undefined]);
});

t.test('the daemon of a user has the paths of that user, which settings override', async (t) => {
  const paths = { owner: 'user', config: '/h/tuntox.yaml', stateDirectory: '/s', socket: '/r/tuntoxd.sock', group: '' };
  const input = { configFile: undefined, flags: [], paths: paths as DaemonPaths };
  const { settings, owner, effective } = loadSettings({ ...input, environment: {} });
  t.equal(owner, 'user');
  t.same([settings.stateDirectory, settings.socket], ['/s', { path: '/r/tuntoxd.sock', group: undefined }]);
  t.match(effective.get('state_dir'), { value: '/s', source: 'default' });
  const other = loadSettings({ ...input, environment: { TUNTOX_STATE_DIR: '/other' } });
  t.equal(other.settings.stateDirectory, '/other');
});

t.test('only the daemon of this machine may share its forwards with users', async (t) => {
  t.equal(load(t, { file: 'agent: {users: group}' }).settings.agent.users, 'group');
  t.match(errorsOf(t, { file: 'agent: {users: everybody}' }), [/agent\.users: use one of none, group, all$/]);
  const paths = { owner: 'user', config: '/h/tuntox.yaml', stateDirectory: '/s', socket: '/r/tuntoxd.sock', group: '' };
  const environment = { TUNTOX_AGENT_USERS: 'all' };
  const input = { configFile: undefined, flags: [], environment, paths: paths as DaemonPaths };
  t.throws(() => loadSettings(input), /TUNTOX_AGENT_USERS: agent\.users: your own daemon is for you alone: remove it/);
});

t.test('a file is read into values', async (t) => {
  const { settings } = load(t, {
    file: [
      'state_dir: /srv/tox',
      'user: 1000',
      'socket: {group: ""}',
      'network:',
      '  udp_ports: 33445:33500',
      '  relay_port: 0',
      `  bootstrap: ["192.0.2.1:33445:${KEY}"]`,
      '  lan_discovery: false',
      'access: {require: any, open: true}',
      'http: {listen: "[::1]:9101"}',
    ].join('\n'),
  });
  t.equal(settings.stateDirectory, '/srv/tox');
  t.equal(settings.user, '1000');
  t.equal(settings.socket.group, undefined);
  t.same(settings.network.udpPorts, { first: 33445, last: 33500 });
  t.equal(settings.network.relayPort, 0);
  t.equal(settings.network.nodes?.[0]?.publicKey.hex, KEY);
  t.equal(settings.network.lanDiscovery, false);
  t.same(settings.access, { require: 'any', isOpen: true, secretFile: undefined });
  t.same(settings.http.listen, { host: '::1', port: 9101 });
});

t.test('HTTP may listen on localhost, which is always this machine', async (t) => {
  const { settings } = load(t, { file: 'http: {listen: localhost:9101}' });
  t.same(settings.http.listen, { host: 'localhost', port: 9101 });
});

t.test('the environment overrides the file, flags override both, and each value has its source', async (t) => {
  const { settings, effective, file } = load(t, {
    file: 'log: {level: warn, format: json}\nuser: a\n',
    environment: { TUNTOX_LOG_LEVEL: 'debug', TUNTOX_USER: 'b', TUNTOX_ACCESS_REQUIRE: '' },
    flags: ['--user', 'c'],
  });
  t.same(settings.log, { level: 'debug', format: 'json' });
  t.equal(settings.user, 'c');
  const from = (key: string): unknown => effective.get(key)?.source;
  t.same(['log.level', 'log.format', 'user', 'access.require'].map(from), ['environment', 'file', 'flag', 'default']);
  t.same(effective.get('log.format')?.place, `${file}, line 1`);
  t.same(effective.get('log.level')?.place, 'TUNTOX_LOG_LEVEL');
  t.same(effective.get('user')?.place, '--user');
});

t.test('variables are texts: lists have spaces or commas, and yes and no have several words', async (t) => {
  const node = (octet: number): string => `192.0.2.${octet}:33445:${KEY}`;
  for (const separator of [' ', ',', ', ', '\n']) {
    const { settings } = load(t, { environment: { TUNTOX_NETWORK_BOOTSTRAP: [node(1), node(2)].join(separator) } });
    t.same(
      settings.network.nodes?.map(({ host }) => host),
      ['192.0.2.1', '192.0.2.2'],
    );
  }
  for (const [word, isOpen] of [
    ['true', true],
    ['YES', true],
    ['1', true],
    ['on', true],
    ['No', false],
    ['0', false],
  ] as const) {
    t.equal(load(t, { environment: { TUNTOX_ACCESS_OPEN: word } }).settings.access.isOpen, isOpen, word);
  }
  t.same(errorsOf(t, { environment: { TUNTOX_ACCESS_OPEN: 'flase' } }), [
    'TUNTOX_ACCESS_OPEN: access.open: use true or false',
  ]);
});

t.test('an empty list and the word none both mean no bootstrap nodes', async (t) => {
  const none = [
    ...['[]', 'none', '[none]'].map((text) => ({ file: `network:\n  bootstrap: ${text}\n` })),
    { environment: { TUNTOX_NETWORK_BOOTSTRAP: 'none' } },
    { flags: ['--network-bootstrap', 'none'] },
    { flags: ['--network-bootstrap=none'], file: `network: {bootstrap: ["a:1:${KEY}"]}`, environment: {} },
  ];
  for (const written of none) {
    const { settings, effective } = load(t, written);
    t.same(settings.network.nodes, [], JSON.stringify(written));
    t.same(effective.get('network.bootstrap')?.value, [], 'all of them are one value');
    t.ok(Object.isFrozen(settings.network.nodes));
  }
});

t.test('the word auto restores the default that another source overrides', async (t) => {
  const file = 'network:\n  bootstrap: none\n';
  for (const written of [
    {},
    { file: 'network:\n  bootstrap: auto\n' },
    { file: 'network:\n  bootstrap:\n' },
    { file, environment: { TUNTOX_NETWORK_BOOTSTRAP: 'auto' } },
    { file, flags: ['--network-bootstrap', 'auto'] },
  ]) {
    const { settings, effective } = load(t, written);
    t.equal(settings.network.nodes, undefined);
    t.equal(effective.get('network.bootstrap')?.value, 'auto');
  }
});

t.test('a word together with nodes or a file of nodes is an error that says what to remove', async (t) => {
  const node = `192.0.2.1:33445:${KEY}`;
  const file = `network:\n  bootstrap:\n    - ${node}\n    - none\n`;
  const alone = /network\.bootstrap: "none" cannot be combined with other entries: remove it, or the others$/;
  t.match(errorsOf(t, { file }), [/^tuntox\.yaml, line 4: /]);
  for (const written of [
    { file },
    { environment: { TUNTOX_NETWORK_BOOTSTRAP: `none,${node}` } },
    { flags: ['--network-bootstrap', node, '--network-bootstrap', 'none'] },
  ]) {
    t.match(errorsOf(t, written), [alone]);
  }
  t.match(errorsOf(t, { file: 'network:\n  nodes_file: /x\n', environment: { TUNTOX_NETWORK_BOOTSTRAP: 'none' } }), [
    /^TUNTOX_NETWORK_BOOTSTRAP: network\.bootstrap: .*no nodes, but network\.nodes_file \(.*line 2\) names some: remove one/,
  ]);
  const { settings } = load(t, { file: 'network:\n  nodes_file: /x\n  bootstrap: auto\n' });
  t.same([settings.network.nodesFile, settings.network.nodes], ['/x', undefined]);
});

t.test('a variable with only blanks and commas is an error, not an empty list', async (t) => {
  t.match(errorsOf(t, { environment: { TUNTOX_NETWORK_BOOTSTRAP: ' , ' } }), [
    /use a list with entries .*words none and auto$/,
  ]);
});

t.test('all errors are reported at once, with file and line, variable or flag', async (t) => {
  const errors = errorsOf(t, {
    file: [
      'log:',
      '  levle: debug',
      '  format: xml',
      'network:',
      '  udp_ports: 5-3',
      '  bootstrap:',
      `    - 192.0.2.1:33445:${KEY}`,
      '    - 192.0.2.1:33445:F404',
      '    - nonsense',
      'colour: blue',
      'secret_fil: /x',
    ].join('\n'),
    environment: {
      TUNTOX_LOG_LEVL: 'debug',
      TUNTOX_HTTP_LISTEN: '0.0.0.0:80',
      TUNTOX_SHARED_SECRET: 'of the other command',
    },
    flags: ['--state-dir', 'relative'],
  });
  const expected = [
    /^tuntox\.yaml, line 2: unknown setting "log\.levle": did you mean "log\.level"\?$/,
    /^tuntox\.yaml, line 10: unknown setting "colour"$/,
    /^tuntox\.yaml, line 11: unknown setting "secret_fil": did you mean "access\.secret_file"\?$/,
    /^tuntox\.yaml, line 3: log\.format: use one of auto, plain, json, journal$/,
    /^tuntox\.yaml, line 5: network\.udp_ports: "5-3" is not a range/,
    /^tuntox\.yaml, line 8: network\.bootstrap: a public key has 64 hex digits, this one has 4$/,
    /^tuntox\.yaml, line 9: network\.bootstrap: "nonsense" is not host:port:key/,
    /^TUNTOX_LOG_LEVL: unknown setting: did you mean "TUNTOX_LOG_LEVEL"\?$/,
    /^TUNTOX_HTTP_LISTEN: http\.listen: "0\.0\.0\.0" is not a loopback address/,
    /^--state-dir: state_dir: "relative" is not an absolute path/,
  ];
  t.equal(errors.length, expected.length, errors.join('\n'));
  for (const [index, pattern] of expected.entries()) t.match(errors[index], pattern);
});

t.test('for a key in the wrong group, or without a group, the right one is suggested', async (t) => {
  t.match(errorsOf(t, { file: 'udp_ports: 1:2\n' }), [/did you mean "network\.udp_ports"\?$/]);
  t.match(errorsOf(t, { file: 'access:\n  rules_file: /x\n' }), [/did you mean "targets\.rules_file"\?$/]);
});

t.test('every setting refuses a value of the wrong type', async (t) => {
  const cases: [string, RegExp][] = [
    ['state_dir: ""', /absolute path/],
    ['state_dir: [a]', /use a single value/],
    ['user: true', /use a single value/],
    ['log: {level: 3}', /use one of error/],
    ['network: {lan_discovery: "no"}', /use true or false/],
    ['network: {bootstrap: text}', /use a list/],
    ['network: {bootstrap: {a: 1}}', /use a list/],
    ['network: {relay_port: 70000}', /not a port/],
    ['http: {listen: metrics.example:80}', /127\.0\.0\.1/],
    ['access: {secret_file: x}', /absolute path/],
  ];
  for (const [file, message] of cases) t.match(errorsOf(t, { file }), [message], file);
});

t.test('a named file must exist, and messages name it', async (t) => {
  const directory = temporaryDirectory(t);
  const missing = join(directory, 'none.yaml');
  t.same(errorsOf(t, { flags: ['-c', missing] }), ['--config: cannot read none.yaml: there is no such file']);
  t.same(errorsOf(t, { environment: { TUNTOX_CONFIG: missing } }), [
    'TUNTOX_CONFIG: cannot read none.yaml: there is no such file',
  ]);
  const other = join(directory, 'other.yaml');
  writeFileSync(other, 'user: you\n');
  const loaded = load(t, { file: 'user: me\n', flags: ['--config', other], environment: { TUNTOX_CONFIG: missing } });
  t.same([loaded.file, loaded.settings.user], [other, 'you']);
});

t.test('a default file that cannot be read is an error', async (t) => {
  const path = join(temporaryDirectory(t), 'tuntox.yaml');
  mkdirSync(path);
  const input = { configFile: undefined, flags: [], environment: {}, paths: { ...SYSTEM_PATHS, config: path } };
  t.throws(() => loadSettings(input), { code: 'bad-settings', message: /it is a directory/ });
});

t.test('with a proxy, settings that open a port are refused', async (t) => {
  const file = 'network:\n  proxy: socks5://127.0.0.1\n  udp_ports: 1:2\n  relay_port: 33445\n';
  t.match(errorsOf(t, { file }), [
    /^tuntox\.yaml, line 3: network\.udp_ports: /,
    /^tuntox\.yaml, line 4: network\.relay_port: /,
  ]);
  t.same(errorsOf(t, { file: 'network: {proxy: "socks5://127.0.0.1", relay_port: 0}' }), []);
  t.same(errorsOf(t, { file, flags: ['--network-proxy', 'none'] }), []);
});

t.test('no message and no list shows the password of the proxy', async (t) => {
  const proxies = [
    'socks5://u:canary@h',
    'http://u:canary@h',
    'ftp://u:canary@h:1',
    'canary',
    'socks5://canary:%zz@h:1',
  ];
  for (const proxy of proxies) {
    const quoted = JSON.stringify(proxy);
    for (const written of [
      { file: `network:\n  proxy: ${quoted}\n  x: 1\n` },
      { file: `network:\n  proxy: [${quoted}]\n` },
      { file: `network: {proxi: ${quoted}}\n` },
      { environment: { TUNTOX_NETWORK_PROXY: proxy, TUNTOX_NETWORK_PROXI: proxy } },
      { flags: ['--network-proxy', proxy, '--log-level', 'x'] },
    ]) {
      const errors = errorsOf(t, written);
      t.ok(errors.length > 0);
      t.notMatch(errors.join('\n'), 'canary');
    }
  }
  const { effective } = load(t, { environment: { TUNTOX_NETWORK_PROXY: 'socks5://u:canary@h' } });
  t.notMatch(JSON.stringify([...effective.values()].map(shownValue)), 'canary');
  t.match([...effective.values()].map(shownValue), { length: effective.size });
});

t.test(
  'errors of flags and variables, and of a file that cannot be read, are told apart from those in it',
  async (t) => {
    const directory = temporaryDirectory(t);
    const file = join(directory, 'tuntox.yaml');
    writeFileSync(file, 'secret: line\n');
    const faultsWith = (configFile: string): Pick<SettingsError, 'errors' | 'outsideFile'> => {
      try {
        const environment = { TUNTOX_LOG_LEVEL: 'loud' };
        loadSettings({ configFile, flags: [], environment });
        return { errors: [], outsideFile: [] };
      } catch (error) {
        return error as SettingsError;
      }
    };
    const inFile = faultsWith(file);
    t.match(inFile.errors, [/line 1: .*"secret"/, /TUNTOX_LOG_LEVEL/]);
    t.match(inFile.outsideFile, [/TUNTOX_LOG_LEVEL/]);
    t.notMatch(inFile.outsideFile.join(), /secret/);
    const unread = faultsWith(directory);
    t.match(unread.outsideFile, [/it is a directory/, /TUNTOX_LOG_LEVEL/]);
    t.same(unread.errors, unread.outsideFile);
  },
);
