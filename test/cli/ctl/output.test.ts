/** The output of tuntoxctl on a terminal of 80 columns and in a file. */
import t from 'tap';
import { rfc3339 } from '../../../src/base/clock.js';
import { columnsOf } from '../../../src/base/columns.js';
import { COMMANDS } from '../../../src/cli/ctl/commands.js';
import { helpText } from '../../../src/cli/ctl/help.js';
import {
  bootstrapWarning,
  client,
  connections,
  entry,
  KEYS,
  longConnections,
  network,
  now,
  startDaemon,
  status,
  TOX_ID,
} from './support/daemon.js';
import { inputOf, LINES } from './support/lines.js';
import { run, uncoloured } from './support/run.js';

/** A line to copy has no line ends of ours. */
const TO_COPY = /^ {2}tuntox (join|-i)/;
const CONTROL = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

t.test('the output of every command fits 80 columns and has no control characters', async (t) => {
  const socket = await startDaemon(t);
  const socketOfLong = await startDaemon(t, {
    'connections.list': () => ({ schema: 'tuntox.connections/1', connections: [...longConnections] }),
  });
  for (const words of [...LINES, ['--socket', socketOfLong, 'connections']]) {
    const { status, stdout, stderr } = await run(words, { socket, terminal: 80, input: inputOf(words) });
    t.equal(status, 0, `${words.join(' ')}: ${stderr}`);
    t.not(stdout, '', words.join(' '));
    // A screen that is drawn again begins at its first line.
    for (const line of uncoloured(stdout.replaceAll('\u001b[H', '\n')).split('\n')) {
      t.ok(columnsOf(line) <= 80 || TO_COPY.test(line), `${words.join(' ')}: ${columnsOf(line)} columns: ${line}`);
      t.notMatch(line, CONTROL, words.join(' '));
    }
  }
});

t.test('invite create prints lines to copy as they are, the words, and a code only with --qr', async (t) => {
  const socket = await startDaemon(t);
  const { stdout } = await run(['invite', 'create'], { socket, terminal: 80 });
  const lines = uncoloured(stdout).split('\n');
  t.ok(lines.includes(`  tuntox join tuntox://${TOX_ID}/abcdefghijkmnpqrstuv/127.0.0.1:22 nas`));
  t.ok(lines.includes(`  tuntox -i ${TOX_ID} -s abcdefghijkmnpqrstuv -L 10022:127.0.0.1:22`));
  t.equal(lines.filter((line) => /^ {2}[1-8] {2}([a-z]+ ){5}[a-z]+$/.test(line)).length, 8);
  t.notMatch(stdout, /█/);
  t.match((await run(['invite', 'create', '--qr'], { socket, terminal: 80 })).stdout, /█/);
  const dry = await run(['invite', 'create', '--dry-run'], { socket });
  t.match(dry.stdout, /^this would make an invitation: admits 1 client to 127\.0\.0\.1:22, for 30d; the link ends /);
  t.notMatch(dry.stdout, /tuntox:/);
});

t.test('invite list shows who came and who came too late', async (t) => {
  const { stdout } = await run(['invite'], { socket: await startDaemon(t), terminal: 80 });
  const lines = uncoloured(stdout).split('\n');
  t.match(lines.slice(0, 4), [
    /^laptop kqzrt {2}used$/,
    /^ {2}admits 1 client \(1 came\) to 127\.0\.0\.1:22, for 30d$/,
    /^ {2}1h\d+m ago: laptop 9F3A11C2$/,
    /^ {2}5m\w* ago, too late \(used\): ABCDEF01$/,
  ]);
  t.match(stdout, /, removed since\n/);
  const empty = await startDaemon(t, { 'invite.list': () => ({ schema: 'tuntox.invitations/1', invitations: [] }) });
  t.match((await run(['invite'], { socket: empty })).stdout, /^there are no invitations\n/);
});

t.test('a wrong invite command says what is right', async (t) => {
  const socket = await startDaemon(t);
  const cases: [string, RegExp][] = [
    ['invite create --uses 0', /an invitation without uses admits no client\n.*use a number from 1/],
    ['invite create --uses 101', /"101" is not a number for --uses\n.*0 to 100/],
    ['invite create --access 0s', /"0s" is too short for --access\n.*1s or more/],
    ['invite create --expires never', /"never" is not a duration for --expires/],
    ['invite create laptop', /unexpected argument "laptop"/],
    ['invite revoke', /invite revoke needs an argument: INVITATION/],
    ['invite make', /there is no command "invite make"/],
  ];
  for (const [words, message] of cases) {
    const { status, stderr } = await run(words.split(' '), { socket });
    t.equal(status, 2, words);
    t.match(stderr, message);
  }
});

t.test('the test of the output has every command', async (t) => {
  for (const { path, isDefault } of COMMANDS) {
    if (path[0] === 'completion') continue;
    const isThere = LINES.some((words) => path.every((word, index) => words[index] === word));
    t.ok(isThere || (isDefault === true && LINES.some(([noun]) => noun === path[0])), path.join(' '));
  }
});

t.test('a table that is too wide is wrapped, not cut', async (t) => {
  const socket = await startDaemon(t, {
    'connections.list': () => ({ schema: 'tuntox.connections/1', connections: [...longConnections] }),
  });
  const { stdout } = await run(['connections'], { socket, terminal: 80 });
  const [heading = '', ...lines] = uncoloured(stdout).split('\n');
  const targets = lines.map((line) => line.slice(heading.indexOf('TARGET'), heading.indexOf('VIA')).trim()).join('');
  t.match(targets, '[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535');
  t.match(targets, `${'very-long-name.'.repeat(8)}example:443`);
  const wide = await run(['connections'], { socket });
  t.match(wide.stdout, /\[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff\]:65535/, 'no terminal, no wrapping');
  t.match(wide.stdout, `${'very-long-name.'.repeat(8)}example:443`);
});

t.test('an empty list of bootstrap nodes is shown without a warning', async (t) => {
  const socket = await startDaemon(t, {
    net: () => ({ schema: 'tuntox.net/1', ...network, bootstrapNodes: { known: 0, answering: 0, unresolved: [] } }),
    'config.show': () => ({
      schema: 'tuntox.config/1',
      file: null,
      settings: [{ key: 'network.bootstrap', value: [], source: 'flag' }],
    }),
  });
  const { stdout } = await run(['net'], { socket, terminal: 80 });
  t.match(stdout, /Bootstrap +no nodes configured\n/, 'not in the colour of a warning');
  t.match((await run(['config', 'show'], { socket })).stdout, /network\.bootstrap +none +flag/);
});

t.test('a bootstrap node that cannot be resolved is named, with the reason', async (t) => {
  const unresolved = [{ host: 'typo.invalid', reason: 'the name servers do not know typo.invalid' }];
  const socket = await startDaemon(t, {
    net: () => ({ schema: 'tuntox.net/1', ...network, bootstrapNodes: { known: 0, answering: 0, unresolved } }),
  });
  const { stdout } = await run(['net'], { socket });
  t.match(stdout, /Bootstrap +no node could be resolved\n +the name servers do not know typo\.invalid\n/);
});

t.test('status shows the health first', async (t) => {
  const socket = await startDaemon(t, {
    status: () => status({ health: 'degraded', warnings: [bootstrapWarning] }),
  });
  const { status: exit, stdout } = await run(['status'], { socket, terminal: 80 });
  t.equal(exit, 6);
  t.same(uncoloured(stdout).split('\n'), [
    'tuntoxd 1.0.0   running, degraded, up 3d 4h, pid 812',
    '! 1 warning: 3 of 8 bootstrap nodes do not answer (tuntoxctl net)',
    '',
    'Identity   5A40C344…C4054   /etc/tuntox/tox_save   (tuntoxctl id --qr)',
    'Network    online, UDP (native socket), for 3d 4h',
    'Access     secret set (rotated 12d ago) and whitelist 4 clients, open: no',
    'Targets    any (to restrict them: tuntoxctl expose NAME TARGET)',
    'Sessions   2 clients, 5 tunnels   rx 1.2 GiB   tx 310 MiB',
    'Refused    14 in 24 h (12 wrong secret, 2 not whitelisted), 1 banned',
    'Pending    2 clients that can be approved (tuntoxctl clients pending)',
    'Relay      for others on TCP 33445: 1 peer, 45 MiB (off: network.relay_port 0)',
    '',
  ]);
});

t.test('clients pending shows the words to compare, and how a client came', async (t) => {
  const socket = await startDaemon(t);
  const { stdout } = await run(['clients', 'pending'], { socket, terminal: 80 });
  const lines = uncoloured(stdout).split('\n');
  t.match(lines[0], /^[0-9A-F]{8} {2}canal brave ivory mango slim zebra$/);
  t.match(lines[4], /^ {2}\d+s ago: its entry on the whitelist has expired, 14 requests in 10m(?:\d+s)?$/);
  t.equal(lines[5], '  came by the node 192.168.1.7:33445 in the local network');
  t.match(stdout, /a reason of a later daemon, 3 requests in 10m(?:\d+s)?\n {2}came by the relay 77B0D4E1\n/);
  t.match(uncoloured(stdout).replaceAll(/\s+/g, ' '), /then: tuntoxctl clients approve(?: [a-z]+){6} --name NAME $/);
  const empty = await startDaemon(t, { 'clients.pending': () => ({ schema: 'tuntox.pending/1', clients: [] }) });
  t.match((await run(['clients', 'pending'], { socket: empty })).stdout, /^no client is pending: /);
});

t.test('status has no line for pending clients when there are none', async (t) => {
  const { refusals } = status();
  const socket = await startDaemon(t, { status: () => status({ refusals: { ...refusals, pending: 0 } }) });
  t.notMatch((await run(['status'], { socket })).stdout, /Pending/);
});

t.test('status has no relay line when this machine is no relay', async (t) => {
  const socket = await startDaemon(t, { status: () => status({ network: { ...network, relayPort: null } }) });
  t.notMatch((await run(['status'], { socket })).stdout, /relay/i);
});

t.test('net shows the relay of this machine, how much it relays, and the setting that turns it off', async (t) => {
  const socket = await startDaemon(t);
  t.match(
    (await run(['net'], { socket })).stdout,
    'Own relay  for others on TCP port 33445: 1 peer, 45 MiB relayed (turn off with network.relay_port: 0)\n',
  );
});

t.test('status highlights an access that is closed or open to all', async (t) => {
  const { access } = status();
  const closed = await startDaemon(t, {
    status: () =>
      status({
        health: 'degraded',
        access: {
          ...access,
          closed: true,
          secret: { set: false, changedAt: null, previousValidUntil: null },
          whitelist: { enabled: true, entries: 0, expired: 0 },
        },
      }),
  });
  t.match(
    (await run(['status'], { socket: closed })).stdout,
    /Access +CLOSED: no client is admitted, no secret, whitelist 0 cl/,
  );
  const open = await startDaemon(t, { status: () => status({ access: { ...access, open: true } }) });
  const { stdout } = await run(['status'], { socket: open, terminal: 80 });
  t.match(stdout, '\u001b[1;31mAccess     OPEN: every client');
});

t.test('connections are listed with the reason for a relay below', async (t) => {
  const socket = await startDaemon(t);
  const { stdout } = await run(['connections'], { socket, terminal: 80 });
  t.same(uncoloured(stdout).split('\n'), [
    'ID    CLIENT           TARGET        VIA     RTT    AGE    IN       OUT',
    'c-17  laptop 9F3A11C2  127.0.0.1:22  direct  23ms   1h12m  4.1 MiB  880 KiB',
    'c-22  ci     77B0D4E1  10.0.0.5:443  relay¹  180ms  3s     connecting',
    '¹ relayed: the client seems to have no UDP',
    '',
  ]);
});

t.test('whitelist add prints what it changed', async (t) => {
  const socket = await startDaemon(t);
  const { stdout } = await run(['whitelist', 'add', TOX_ID, '--name', 'laptop'], { socket });
  t.match(
    stdout,
    /^added {2}laptop {2}9F3A11C2 {2}allow 127\.0\.0\.1:22 {2}expires \d{4}-\d\d-\d\d \d\d:\d\d \(30d\)\n/,
  );
  t.match(stdout, /a secret exists too: the client needs both\n$/);
  const dry = await run(['whitelist', 'remove', 'laptop', '--dry-run'], { socket });
  t.match(dry.stdout, /^would be removed {2}laptop {2}9F3A11C2/);
  t.match(dry.stdout, /would close {2}2 tunnels/);
});

t.test('loopback addresses are shown where clients have some', async (t) => {
  const list = (...clients: ReturnType<typeof client>[]) =>
    startDaemon(t, { 'clients.list': () => ({ schema: 'tuntox.clients/1', clients }) });
  const socket = await list(
    client({ loopbackAddress: '127.64.1.2' }),
    client({ client: { publicKey: KEYS.ci, name: null } }),
  );
  const { stdout } = await run(['clients', 'list'], { socket });
  t.match(stdout, /TUNNELS +LOOPBACK\n/);
  t.match(stdout, /^laptop .* 127\.64\.1\.2$/m);
  t.match(stdout, /^- .* -$/m);
  t.notMatch((await run(['clients', 'list'], { socket: await list(client()) })).stdout, 'LOOPBACK');
});

t.test('limits are shown where there are some', async (t) => {
  const limited = [entry(), entry({ name: 'ci', rate: 5 * 1024 * 1024, maxTunnels: 1 })];
  const list = (...entries: ReturnType<typeof entry>[]) =>
    startDaemon(t, { 'whitelist.list': () => ({ schema: 'tuntox.whitelist/1', enabled: true, entries }) });
  const { stdout } = await run(['whitelist', 'list'], { socket: await list(...limited) });
  t.match(stdout, / LIMITS /);
  t.match(stdout, /^laptop .* - /m);
  t.match(stdout.replace(/\s+/g, ' '), /5\.0 MiB\/s each way, 1 tunnel/);
  t.notMatch((await run(['whitelist', 'list'], { socket: await list(entry()) })).stdout, 'LIMITS');
  const shown = await run(['clients', 'show', 'laptop'], { socket: await startDaemon(t) });
  t.match(shown.stdout, /^Limits +5\.0 MiB\/s each way, 20 tunnels$/m);
});

t.test('the daemon gets the request as it was typed', async (t) => {
  const asked: unknown[] = [];
  const socket = await startDaemon(t, {
    'whitelist.add': (params) => {
      asked.push(params);
      return {
        schema: 'tuntox.whitelist-change/1',
        added: [entry()],
        changed: [],
        removed: [],
        closedTunnels: 0,
        notes: [],
      };
    },
    'whitelist.edit': (params) => {
      asked.push(params);
      return { schema: 'tuntox.whitelist-change/1', added: [], changed: [], removed: [], closedTunnels: 0, notes: [] };
    },
    'secret.set': (params) => {
      asked.push(params);
      return {
        schema: 'tuntox.secret-change/1',
        changed: true,
        secret: null,
        previousValidUntil: null,
        closedTunnels: 0,
        notes: [],
      };
    },
    'connections.list': (params) => {
      asked.push(params);
      return { schema: 'tuntox.connections/1', connections: [...connections] };
    },
  });
  const LIMITS = ['--rate', 'none', '--max-tunnels', '20'];
  const options = [
    '--name=lap',
    '--allow',
    '[::1]:22',
    '--allow',
    'a:0',
    '--note',
    'mine',
    '--adopt',
    '--yes',
    '--rate',
    '5M',
  ];
  await run(['whitelist', 'add', KEYS.ci, ...options], { socket });
  await run(['whitelist', 'edit', 'ci', '--no-name', '--allow', 'any', '--expires', 'never', '--note', '', ...LIMITS], {
    socket,
  });
  await run(['secret', 'set', '--grace', '1h30m'], { socket, input: 'a secret \r\n' });
  await run(['--json', 'connections', '--client', '9f3a11'], { socket });
  t.same(asked, [
    {
      id: KEYS.ci,
      name: 'lap',
      allow: ['[::1]:22', 'a:0'],
      note: 'mine',
      rate: 5 * 1024 * 1024,
      confirmed: true,
      adopt: true,
      ifAbsent: false,
      dryRun: false,
    },
    { client: 'ci', name: null, allow: [], rate: null, maxTunnels: 20, expiresAt: null, note: '', dryRun: false },
    { secret: 'a secret ', graceMs: 5_400_000, dropSessions: false, confirmed: false, dryRun: false },
    { client: '9f3a11' },
  ]);
});

t.test('a change is printed in the past, a dry run as what would be, and no change as its note alone', async (t) => {
  const result = {
    schema: 'tuntox.secret-change/1',
    secret: null,
    previousValidUntil: null,
    closedTunnels: 0,
    notes: ['there is no secret to remove'],
  } as const;
  const off = async (changed: boolean, ...words: string[]) => {
    const socket = await startDaemon(t, { 'secret.off': () => ({ ...result, changed, notes: [...result.notes] }) });
    return (await run(['secret', 'off', ...words], { socket })).stdout.split('\n')[0];
  };
  t.equal(await off(true), 'secret removed');
  t.equal(await off(true, '--dry-run'), 'the secret would be removed');
  t.equal(await off(false), 'there is no secret to remove');
  const socket = await startDaemon(t, {
    'whitelist.off': () => ({
      schema: 'tuntox.whitelist-change/1',
      ...{ added: [], changed: [], removed: [], closedTunnels: 0, notes: ['from now on'] },
    }),
  });
  t.equal((await run(['whitelist', 'off'], { socket })).stdout, 'from now on\n');
});

t.test('a new secret is printed on a line of its own', async (t) => {
  const socket = await startDaemon(t);
  const { stdout } = await run(['secret', 'rotate'], { socket });
  t.match(stdout, /^new secret \(shown only once\):\n\n {2}correct-horse-battery-staple-0123456789\n\n/);
  t.match(stdout, /closed {2}3 tunnels\n/);
});

t.test('only a terminal gets colours, unless they are turned off', async (t) => {
  const socket = await startDaemon(t, {
    status: () => status({ health: 'degraded', warnings: [bootstrapWarning, bootstrapWarning] }),
  });
  const colour = '\u001b[';
  const isColoured = async (words: readonly string[], options: object): Promise<boolean> =>
    (await run(words, { socket, ...options })).stdout.includes(colour);
  t.ok(await isColoured(['status'], { terminal: 80 }));
  t.notOk(await isColoured(['status'], {}));
  t.notOk(await isColoured(['status', '--no-color'], { terminal: 80 }));
  t.notOk(await isColoured(['status'], { terminal: 80, env: { NO_COLOR: '1' } }));
  t.notOk(await isColoured(['status'], { terminal: 80, env: { TERM: 'dumb' } }));
  t.match((await run(['status'], { socket })).stdout, /! 2 warnings:\n {2}- 3 of 8 .*\n {2}- 3 of 8 /);
});

t.test('values are not shortened when the output is no terminal', async (t) => {
  const socket = await startDaemon(t);
  t.match((await run(['status'], { socket })).stdout, `Identity   ${TOX_ID}   /etc`);
  t.equal((await run(['id'], { socket })).stdout, `${TOX_ID}\n`);
});

t.test('a ban by clients kick is printed with its end, and is listed among the bans', async (t) => {
  const socket = await startDaemon(t);
  const { stdout } = await run(['clients', 'kick', 'laptop', '--for', '1h'], { socket });
  t.match(
    stdout,
    /^disconnected {2}laptop [0-9A-F]{8}\nbanned {2}laptop [0-9A-F]{8} {2}until \d{4}-.*daemon restarts$/m,
  );
  t.match(
    stdout,
    /^a client that has the secret can return with another key; to prevent that: tuntoxctl secret rotate$/m,
  );
  const plain = await run(['clients', 'kick', 'laptop'], { socket });
  t.notMatch(plain.stdout, 'banned');
  const bans = await run(['bans'], { socket });
  t.match(
    bans.stdout,
    /banned by clients kick +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d or restart$/m,
  );
  t.match(bans.stdout, /wrong secrets: 30 within a minute .*:\d\d$/m, 'a saved ban outlasts a restart');
});

t.test('the QR code is white on black with a border, in every terminal', async (t) => {
  const socket = await startDaemon(t);
  const { stdout } = await run(['id', '--qr'], { socket, terminal: 80 });
  const [border = '', finder = ''] = stdout.split('\n');
  t.match(border, /97;40m█{41}/);
  t.match(finder, /97;40m██ ▄▄▄▄▄ █/);
  t.ok(stdout.endsWith(`\n${TOX_ID}\n`));
  t.ok(stdout.split('\n').length <= 24, 'the screen has room for the code and the ID');
});

t.test('a watched list is redrawn on a terminal, and fits its height', async (t) => {
  const many = Array.from({ length: 60 }, (_, index) => ({ ...connections[0]!, id: `c-${index + 1}` }));
  const socket = await startDaemon(t, {
    'connections.watch': async (_params, emit) => {
      emit({ schema: 'tuntox.connections/1', connections: many });
    },
  });
  const { stdout } = await run(['connections', '--watch'], { socket, terminal: 80 });
  t.ok(stdout.startsWith('\u001b[H\u001b[J'));
  t.ok(stdout.split('\n').length <= 24);
  t.match(stdout, /and 40 more/);
  const dumb = await run(['connections', '--watch'], { socket, terminal: 80, env: { TERM: 'dumb' } });
  t.notMatch(dumb.stdout, '\u001b', 'not cleared with TERM=dumb');
  const high = await startDaemon(t, {
    'connections.watch': async (_params, emit) => {
      emit({ schema: 'tuntox.connections/1', connections: [...longConnections] });
    },
  });
  const screen = await run(['connections', '--watch'], { socket: high, terminal: 80 });
  t.ok(screen.stdout.split('\n').length <= 24, 'also with rows of several lines');
  t.match(screen.stdout, /and 1 more/);
});

t.test('Ctrl-C ends a stream with 130', async (t) => {
  let hasEnded = false;
  const socket = await startDaemon(t, {
    'log.tail': (_params, emit, { signal }) =>
      new Promise((resolve) => {
        emit({ schema: 'tuntox.log-line/1', at: rfc3339(now()), level: 'info', message: 'here' });
        signal.addEventListener('abort', () => {
          hasEnded = true;
          resolve();
        });
      }),
  });
  const { status: exit, stderr } = await run(['log', 'tail', '-f'], {
    socket,
    onOutput: (_text, interrupt) => interrupt(),
  });
  t.equal(exit, 130);
  t.equal(stderr, '', 'no error is printed');
  for (let turn = 0; !hasEnded && turn < 500; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  t.ok(hasEnded, 'the daemon has ended the stream');
});

t.test('status --wait waits until the daemon is healthy', async (t) => {
  let looks = 0;
  const socket = await startDaemon(t, {
    status: () => {
      looks += 1;
      return looks < 3 ? status({ health: 'degraded', warnings: [bootstrapWarning] }) : status();
    },
  });
  t.equal((await run(['status', '--wait=20s'], { socket })).status, 0);
  t.equal(looks, 3);
  const ill = await startDaemon(t, { status: () => status({ health: 'degraded', warnings: [bootstrapWarning] }) });
  t.equal((await run(['status', '--wait=1s'], { socket: ill })).status, 6);
});

t.test('the help of every command fits 80 columns and has examples', async (t) => {
  const paths = [[], ...COMMANDS.map(({ path }) => path), ...COMMANDS.map(({ path }) => path.slice(0, 1))];
  for (const path of paths) {
    for (const line of helpText(path, COMMANDS).split('\n')) t.ok(columnsOf(line) <= 80, line);
  }
  for (const { path, examples } of COMMANDS) t.ok(examples.length > 0, path.join(' '));
  const { status: exit, stdout } = await run(['whitelist', 'add', '-h']);
  t.equal(exit, 0);
  t.match(stdout, /Examples:\n {2}tuntoxctl whitelist add 5A40C344/);
});

t.test('options may stand before the command', async (t) => {
  const socket = await startDaemon(t);
  const { stdout } = await run(['--client', 'laptop', '--json', 'connections'], { socket });
  t.match(stdout, /^\{"schema":"tuntox.connections\/1"/);
});

t.test('an option has the same syntax in every command, so that it may stand before the command', async (t) => {
  const meanings = new Map<string, string>();
  for (const command of COMMANDS) {
    for (const { name, short = '', value, isValueOptional = false } of command.options ?? []) {
      const meaning = `${short} ${value !== undefined && !isValueOptional}`;
      t.equal(meanings.get(name) ?? meaning, meaning, name);
      meanings.set(name, meaning);
    }
  }
});

t.test('help is a command', async (t) => {
  const { stdout } = await run(['help']);
  t.equal(stdout, (await run(['--help'])).stdout);
  for (const { path } of COMMANDS) t.match(stdout, path.join(' '));
  t.equal((await run(['help', 'secret', 'rotate'])).stdout, (await run(['secret', 'rotate', '--help'])).stdout);
});

t.test('-h is a summary of at most 30 lines, with examples', async (t) => {
  const { status: exit, stdout } = await run(['-h']);
  t.equal(exit, 0);
  t.ok(stdout.trimEnd().split('\n').length <= 30);
  for (const line of stdout.split('\n')) t.ok(line.length <= 80, line);
  t.match(stdout, /Examples:\n {2}tuntoxctl status/);
  for (const { path } of COMMANDS) t.match(stdout, new RegExp(`^( {2}|and .*)${path[0]}\\b`, 'm'));
  t.equal((await run([])).stdout, stdout, 'as without any word');
});

t.test('-- ends the options', async (t) => {
  const socket = await startDaemon(t);
  t.match((await run(['ping', '--', '--json'], { socket })).stdout, / answered in /);
});
