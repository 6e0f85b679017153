import { resolve } from 'node:path';
import t from 'tap';
import { readCommandLine } from '../../../src/cli/tuntox/flags.js';
import { settingsOf } from '../../../src/cli/tuntox/settings.js';
import type { RunSettings, ServerSettings } from '../../../src/config/classic-settings.js';
import type { Host } from '../../../src/engine/client/host-entry.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

const settings = (words: string, environment: Record<string, string> = {}): RunSettings =>
  settingsOf(readCommandLine(words.split(' ').filter((word) => word !== '')), environment);

t.test('without -L, -W and -p it is a server, and -i is its whitelist', async (t) => {
  const server = settings(`-i ${ID} -i ${ID.toLowerCase()} -f rules -C dir -I id --insecure-open`) as ServerSettings;
  t.equal(server.mode, 'server');
  t.same(
    server.whitelist.map((key) => key.hex),
    [ID.slice(0, 64), ID.slice(0, 64)],
  );
  t.match(server, { rulesFile: 'rules', directory: 'dir', idFile: 'id', isInsecureOpen: true, logLevel: 'info' });
  t.match(settings(''), { mode: 'server', whitelist: [], rulesFile: undefined, isInsecureOpen: false, ports: [] });
  t.match(settings('--allow-reverse *:0'), { mode: 'server', ports: [{ bind: undefined, port: 0 }] });
});

t.test('-L, -D, -R, -W, -P and -p make a client, and -i is its server', async (t) => {
  const forward = settings(`-i ${ID} -L 1:a:2 -L *:3:b:4`);
  t.match(forward, { mode: 'forward', serverId: { nospam: Buffer } });
  t.match(forward, {
    forwards: [
      { kind: 'local', at: { port: 1 }, target: { host: 'a' } },
      { kind: 'local', at: { bind: undefined, port: 3 }, target: { host: 'b', port: 4 } },
    ],
  });
  t.match(settings(`-i ${ID} -R 80:a:2 -D 1080 -L a/b.sock:h:1 -L 1-2:h:1-2`), {
    mode: 'forward',
    forwards: [
      { at: { kind: 'unix', path: resolve('a/b.sock') } },
      { at: { port: 1 } },
      { at: { port: 2 } },
      { kind: 'dynamic', at: { port: 1080 } },
      { kind: 'reverse', at: { port: 80 }, target: { host: 'a', port: 2 } },
    ],
  });
  for (const flag of ['-W', '-P']) {
    t.match(settings(`-i ${ID} ${flag} host@22`), { mode: 'pipe', target: { host: 'host', port: 22 } });
  }
  t.equal(settings(`-p -i ${ID}`).mode, 'ping');
});

t.test('--socks-auth names the users of -D, and of -R without a target', async (t) => {
  t.match(settings(`-i ${ID} -R 1080 --socks-auth users`), { mode: 'forward', proxyUsersFile: 'users' });
  t.match(settings(`-i ${ID} -D 1080 --socks-auth users`), { mode: 'forward', proxyUsersFile: 'users' });
  for (const words of ['', `-i ${ID} -L 1:a:2`, `-i ${ID} -p`, `-i ${ID} -R 1:a:2`])
    t.throws(
      () => settings(`${words} --socks-auth users`.trim()),
      { message: /^--socks-auth is only for -D, and for -R without/ },
      words,
    );
});

t.test('the log level depends on the mode, -d and -q, of which the last counts', async (t) => {
  const levels: [string, string][] = [
    [`-L 1:a:2 -i ${ID}`, 'info'],
    [`-W a:2 -i ${ID}`, 'warn'],
    ['-q', 'error'],
    ['-d', 'debug'],
    ['-d -d', 'trace'],
    ['-ddd', 'trace'],
    ['-d -q', 'error'],
    ['-q -d', 'debug'],
  ];
  for (const [words, level] of levels) t.equal(settings(words).logLevel, level, words);
});

t.test('the secret comes from a flag, a file or the environment, in this order', async (t) => {
  const environment = { TUNTOX_SHARED_SECRET: 'e' };
  t.same(settings('').secret, { from: 'nowhere' });
  t.same(settings('', environment).secret, { from: 'environment', text: 'e' });
  t.same(settings('', { TUNTOX_SHARED_SECRET: '' }).secret, { from: 'environment', text: '' }, 'refused when read');
  t.same(settings('-s f', environment).secret, { from: 'flag', text: 'f' });
  t.same(settings('--secret-file p', environment).secret, { from: 'file', path: 'p' });
  t.same(settings('--secret-file -').secret, { from: 'file', path: '/dev/stdin' }, 'standard input');
});

t.test('the router is asked for ports unless --no-port-mapping is given', async (t) => {
  t.match(settings(''), { portMapping: true });
  t.match(settings('--no-port-mapping'), { portMapping: false });
  t.match(settings(`--no-port-mapping -L 1:a:2 -i ${ID}`), { mode: 'forward', portMapping: false });
  t.throws(() => settings('--node --no-port-mapping'), /not for bootstrap nodes/);
});

t.test('ports and nodes are parsed', async (t) => {
  const node = `192.0.2.1:33445:${ID.slice(0, 64)}`;
  const server = settings(`-u 5:6 -b nodes.json --bootstrap ${node} --bootstrap ${node}`);
  t.match(server, { udpPorts: { first: 5, last: 6 }, nodesFile: 'nodes.json' });
  t.equal(server.nodes?.length, 2);
  t.match(settings(''), { udpPorts: undefined, nodesFile: undefined, nodes: undefined });
});

t.test('--bootstrap none means no nodes, and cannot be combined with others', async (t) => {
  for (const words of ['', `-p -i ${ID} `, '--node ']) {
    t.same(settings(`${words}--bootstrap none`).nodes, []);
    t.same(settings(`${words}--bootstrap none --bootstrap none`).nodes, []);
  }
  const node = `192.0.2.1:33445:${ID.slice(0, 64)}`;
  const mixed = /^--bootstrap none means no nodes: remove it, or /;
  t.throws(() => settings(`--bootstrap ${node} --bootstrap none`), { code: 'usage', message: mixed });
  t.throws(() => settings('-b nodes.json --bootstrap none'), { code: 'usage', message: /remove it, or -b$/ });
});

t.test('forwards may begin at equal numbers of TCP, of UDP and of the server', async (t) => {
  t.match(settings(`-i ${ID} -L 1:a:2 -L udp:1:a:2 -R 1:a:2 -L *:1:a:2 -L 0:a:2 -L 0:a:2`), { mode: 'forward' });
  t.match(
    settings(`-i ${ID} -L fd/db:a:2 -L fd/db:a:2`),
    { mode: 'forward' },
    'systemd gives several sockets one name',
  );
});

t.test('settings that contradict each other are refused, with advice', async (t) => {
  const cases: [string, RegExp][] = [
    ['-p', /-i/],
    ['-L 1:a:2', /-i/],
    [`-L 1:a:2 -i ${ID} -i ${ID}`, /only once/],
    [`-L 1:a:2 -W a:2 -i ${ID}`, /^-L and -W cannot be combined: choose one$/],
    [`-L 1:a:2 -L 1:b:3 -i ${ID}`, /^two forwards begin at 127\.0\.0\.1:1: choose another place for one of them$/],
    [`-L 80-82:a:80-82 -D 81 -i ${ID}`, /^two forwards begin at 127\.0\.0\.1:81: /],
    [`-p -W a:2 -D 1 -i ${ID}`, /^-p, -W and -D cannot be combined: choose one$/],
    [`-W a:2 -P a:2 -i ${ID}`, /once/],
    [`-p -f rules -i ${ID}`, /-f is only for servers/],
    [`-p --insecure-open -i ${ID}`, /--insecure-open is only for servers/],
    [`-R 8080:a:80 --allow-reverse 8080 -i ${ID}`, /--allow-reverse is only for servers/],
    ['--allow-reverse web', /is not \[BIND:\]PORT/],
    ['-s a --secret-file b', /remove -s/],
    [`-W a:2 -i ${ID} --secret-file -`, /^-W and --secret-file - both read standard input/],
    [`--ssh-pipe 22 -i ${ID} --secret-file -`, /^--ssh-pipe and --secret-file - both read standard input/],
    ['-L nonsense', /^-L: "nonsense"/],
    ['--forward nonsense', /^--forward: "nonsense"/],
    ['-W 22', /^-W: "22" is not host:port/],
    ['-i 12', /^-i: .*76 hex digits/],
    ['-u 0:7', /^-u: "0"/],
    ['--bootstrap a:1:z', /^--bootstrap: "z"/],
  ];
  for (const [words, message] of cases) t.throws(() => settings(words), { code: 'usage', message }, words);
});

t.test('the proxy comes from its flag or else from the environment, and none means no proxy', async (t) => {
  const [upper, lower] = ['socks5://upper:1', 'http://lower:2'];
  const host = (words: string, environment = {}): string | undefined =>
    settings(words, environment).proxy?.address.host;
  t.equal(host(''), undefined);
  t.equal(host('', { ALL_PROXY: '', all_proxy: '' }), undefined);
  t.equal(host('', { ALL_PROXY: upper }), 'upper');
  t.equal(host('', { ALL_PROXY: upper, all_proxy: lower }), 'lower', 'as with curl');
  t.match(settings('--proxy http://flag:3', { ALL_PROXY: upper }).proxy, { from: 'flag', address: { host: 'flag' } });
  t.equal(host('--proxy none', { ALL_PROXY: upper }), undefined);
  t.equal(host('--proxy none', { ALL_PROXY: 'nonsense' }), undefined);
  const message = /^all_proxy: .*socks4.*--proxy none/;
  t.throws(() => settings('', { all_proxy: 'socks4://a:1' }), { code: 'usage', message });
});

t.test('options that open a port are refused with a proxy', async (t) => {
  const environment = { ALL_PROXY: 'socks5://a' };
  t.throws(() => settings('-u 5:6', environment), { message: /^-u opens a port.*--proxy none/ });
  t.throws(() => settings('-t 443', environment), { message: /^-t opens a port/ });
  t.throws(() => settings('--node', environment), { message: /cannot use a proxy: add --proxy none/ });
  t.equal(settings('-t 0', environment).relayPort, 0);
  t.equal(settings('--node -t 443 --proxy none', environment).relayPort, 443);
});

t.test('-L waits forever, -W and -p wait a minute, and --max-retries waits a minute each time', async (t) => {
  const patience = (words: string): unknown => {
    const found = settings(`-i ${ID} ${words}`);
    return 'patience' in found ? found.patience : undefined;
  };
  t.same(patience('-L 1:a:2'), { timeout: undefined, maxRetries: 0 });
  t.same(patience('-p'), { timeout: 60_000, maxRetries: 0 });
  t.same(patience('-W a:2'), { timeout: 60_000, maxRetries: 0 });
  t.same(patience('-L 1:a:2 --max-retries 3'), { timeout: 60_000, maxRetries: 3 });
  t.same(patience('-L 1:a:2 --timeout 500ms'), { timeout: 500, maxRetries: 0 });
  t.same(patience('-p --timeout 0'), { timeout: undefined, maxRetries: 0 });
  t.throws(() => patience('-p --timeout 0 --max-retries 1'), { message: /nothing to retry/ });
  t.throws(() => patience('-p --timeout soon'), { message: /^--timeout: "soon" is not a duration/ });
  t.throws(() => patience('-p --max-retries -1'), { message: /^--max-retries/ });
  t.throws(() => settings('--timeout 5'), {
    message: /^--timeout is only for -L, -D, -R, -W and -p: remove it, or add one of these$/,
  });
});

t.test('--node makes a bootstrap node, which has neither Tox ID nor secret nor tunnels', async (t) => {
  t.match(settings('--node -C dir -u 1:2'), { mode: 'node', directory: 'dir', udpPorts: { first: 1, last: 2 } });
  t.throws(() => settings(`--node -i ${ID} -L 1:a:2`), {
    message: /^a bootstrap node \(--node\) has no tunnels: remove -L$/,
  });
  for (const flag of [
    `-i ${ID}`,
    '-I id',
    '-s x',
    '--secret-file f',
    '-f rules',
    '--insecure-open',
    '--allow-reverse 80',
  ]) {
    t.throws(() => settings(`--node ${flag}`), { message: /not for bootstrap nodes/ }, flag);
  }
});

t.test('-t is the port of the TCP relay, 0 for none', async (t) => {
  t.equal(settings('--node -t 443').relayPort, 443);
  t.equal(settings('--node -t 0').relayPort, 0);
  t.equal(settings('--node').relayPort, undefined);
  t.throws(() => settings('--node -t 65536'), { message: /-t/ });
});

t.test('a server, a node or -L can run in the background, with a pid file', async (t) => {
  for (const mode of ['', '--node']) {
    t.match(settings(`${mode} -z -F pid -U me -S`), {
      isSyslog: true,
      service: { isBackground: true, pidFile: 'pid', user: 'me' },
    });
    t.equal((settings(`${mode} -D`) as ServerSettings).service.isBackground, true);
    t.match(settings(mode), { isSyslog: false, service: { isBackground: false, pidFile: undefined, user: undefined } });
  }
  t.match(settings(`-L 1:a:2 -i ${ID} -z -F pid`), { service: { isBackground: true, pidFile: 'pid' } });
  t.throws(() => settings(`-L 1:a:2 -i ${ID} -U x`), { code: 'usage', message: /is only for servers/ });
  for (const flag of ['-z', '-D', '-F x']) {
    for (const job of ['-W a:2', '-p']) {
      t.throws(() => settings(`${job} -i ${ID} ${flag}`), {
        code: 'usage',
        message: /is only for servers, bootstrap nodes, -L, -D and -R: remove it$/,
      });
    }
  }
  t.match(settings(`-L 1:a:2 -i ${ID} -S`), { isSyslog: true });
});

t.test('share is a server for one target, with limits', async (t) => {
  t.match(settings('share 3000 -C dir'), {
    mode: 'share',
    target: { host: '127.0.0.1', port: 3000 },
    duration: undefined,
    uses: undefined,
    hasQr: false,
    secret: { from: 'nowhere' },
  });
  t.match(settings('share [::1]:80 --for 1h --uses 2 --qr'), {
    target: { host: '::1', port: 80 },
    duration: 3_600_000,
    uses: 2,
    hasQr: true,
  });
  t.match(settings('share SSH'), { target: { host: '127.0.0.1', port: 22 } });
  t.match(settings('share 22', { TUNTOX_SHARED_SECRET: 'x' }), { secret: { from: 'nowhere' } });
  const cases: [string, RegExp][] = [
    ['share web', /^share: "web" is neither a port nor host:port: .*; known by name: ssh, http, /],
    ['share http://localhost:3000', /^share: "http:\/\/localhost:3000" is neither a port nor host:port/],
    ['share *:22', /^share: "\*" is not the name or address of a host/],
    ['share $(id):22', /^share: "\$\(id\)" is not the name/],
    ['share 0', /^share: "0" is not a port/],
    ['share 22 --for 0s', /^--for: "0s" is not a duration/],
    ['share 22 --for 25d', /^--for: "25d" is too long/],
    ['share 22 --uses 0', /^--uses: "0" is not a number of clients/],
    [`share 22 -i ${ID}`, /^-i is not for share/],
    ['share 22 -s secret', /^-s is not for share/],
    [`-i ${ID} -p --uses 1`, /^--uses is only for tuntox share/],
  ];
  for (const [words, message] of cases) t.throws(() => settings(words), { code: 'usage', message }, words);
});

t.test('join is a client whose local port is that of the target, or 10000 more if that needs root', async (t) => {
  const link = (target: string): string => `tuntox://${ID}/abc23/${target}`;
  t.match(settings(`join ${link('127.0.0.1:3000')}`), {
    mode: 'forward',
    secret: { from: 'link', text: 'abc23' },
    forwards: [{ at: { bind: '127.0.0.1', port: 3000 }, target: { host: '127.0.0.1', port: 3000 } }],
    mayMovePorts: true,
  });
  t.match(settings(`join ${link('nas:22')}`), {
    forwards: [{ at: { port: 10_022 }, target: { host: 'nas', port: 22 } }],
  });
  t.match(settings(`join ${link('nas:22')} -L 2222:nas:22`), {
    forwards: [{ at: { port: 2222 } }],
    mayMovePorts: false,
  });
  t.match(settings(`join ${link('nas:22')} -q`), { mayMovePorts: false }, 'no log would tell the port');
  const open = `tuntox://${ID}/abc23`;
  t.match(settings(`join ${open} -L 2222:nas:22`), { forwards: [{ at: { port: 2222 } }] });
  t.match(settings(`join ${open} nas`), { mode: 'store', target: undefined });
  t.throws(() => settings(`join ${open}`), {
    code: 'usage',
    message: /^join: this link is for no single target: add a/,
  });
  t.match(settings(`join ${ID} nas`), {
    mode: 'store',
    secret: { from: 'nowhere' },
    host: { name: 'nas', secret: undefined },
    target: undefined,
  });
  t.throws(() => settings(`join ${ID}`), { code: 'usage', message: /^join: a Tox ID needs a name .* join TOX_ID nas/ });
  t.throws(() => settings('join nonsense'), { code: 'usage', message: /^join: this is not a link/ });
  t.throws(() => settings(`join ${link('a:1')} -p`), { code: 'usage', message: /^-p is not for join/ });
});

const NAS = { name: 'nas', toxId: ID, pinnedKey: ID.slice(0, 64), secret: 'abc23', addedAt: 1 };

const ofHost = (words: string, host: Host = NAS): RunSettings =>
  settingsOf(readCommandLine(words.split(' ')), { HOME: '/nowhere/home' }, host);

t.test('join with a name connects once, with the identity of the user, and stores the host', async (t) => {
  const link = `tuntox://${ID}/abc23/nas:22`;
  t.match(settings(`join ${link} NAS.tox`, { HOME: '/nowhere/home' }), {
    mode: 'store',
    directory: '/nowhere/home/.local/state/tuntox',
    host: { name: 'nas', secret: 'abc23' },
    patience: { timeout: 60_000 },
    target: { host: 'nas', port: 22 },
  });
  t.match(settings(`join ${link} nas -C /dir`), { directory: '/dir' });
  const cases: [string, RegExp][] = [
    [`join ${link} ssh`, /^join: "ssh" is a command of tuntox/],
    [`join ${link} 1nas`, /^join: "1nas" is not a name/],
    [`join ${link} nas -L 1:a:1`, /^-L is not for join with a name, which only stores the host/],
    [`join ${link} nas -z`, /^-z is not for join with a name/],
  ];
  for (const [words, message] of cases) t.throws(() => settings(words), { code: 'usage', message }, words);
});

t.test('a stored host is a server with its secret, reached with the identity of the user', async (t) => {
  t.match(ofHost('nas -L 1:a:2'), {
    mode: 'forward',
    directory: '/nowhere/home/.local/state/tuntox',
    secret: { from: 'host', text: 'abc23' },
    host: { name: 'nas', secret: 'abc23' },
    forwards: [{ at: { port: 1 } }],
    patience: { timeout: undefined },
  });
  t.match(ofHost('nas -W a:2', { ...NAS, secret: undefined }), {
    mode: 'pipe',
    secret: { from: 'nowhere' },
    target: { host: 'a', port: 2 },
    logLevel: 'warn',
  });
  for (const words of ['nas -p', 'ping nas']) t.match(ofHost(words), { mode: 'ping', patience: { timeout: 60_000 } });
  t.match(ofHost('nas'), { mode: 'services', patience: { timeout: 60_000 } });
  t.match(ofHost('nas -p -C /dir'), { directory: '/dir' });
});

t.test('wrong words after the name of a host are explained', async (t) => {
  const cases: [string, RegExp][] = [
    ['nas uptime', /^unexpected argument "uptime": "tuntox ssh nas …" runs a command there/],
    ['nas -L 1:a:1 -p', /^-L and -p cannot be combined: choose one$/],
    ['nas -z -p', /^-z is only for -L, -D and -R: remove it$/],
    ['nas -z', /^-z needs -L, -R, or -D with a port, as in -D 1080: add one, or remove it$/],
    ['nas -i X', /^-i is not for stored hosts/],
    ['nas --secret-file X', /^--secret-file is not for stored hosts/],
  ];
  for (const [words, message] of cases) t.throws(() => ofHost(words), { code: 'usage', message }, words);
  t.throws(() => ofHost('nas -p', { ...NAS, toxId: 'F00' }), {
    code: 'usage',
    message: /^the Tox ID of nas: a Tox ID has 76 hex digits/,
  });
});
