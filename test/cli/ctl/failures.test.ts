/** Each error has its message, its hint, and its exit status. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ownVersion } from '../../../src/base/own-files.js';
import { ControlError, type ControlErrorCode } from '../../../src/control/control-error.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { entry, KEYS, startDaemon, status } from './support/daemon.js';
import { run } from './support/run.js';

/** Runs a command, and returns its standard error without line breaks. */
async function failure(words: readonly string[], options: Parameters<typeof run>[1] = {}) {
  const { status, stdout, stderr } = await run(words, options);
  return { status, stdout, said: stderr.replaceAll(/\s+/g, ' ').trim() };
}

t.test('a daemon that is not running is 3, with how to start it', async (t) => {
  const { status, stdout, said } = await failure(['status', '--socket', '/nowhere/tuntoxd.sock']);
  t.equal(status, 3);
  t.equal(stdout, '');
  t.equal(
    said,
    'tuntoxctl: the daemon is not running: nothing listens on /nowhere/tuntoxd.sock to start it: sudo systemctl start tuntox ' +
      '(or sudo supervisorctl start tuntox); to see why it stopped: journalctl -u tuntox',
  );
});

t.test('a file that is not a socket is reported as such', async (t) => {
  const { status, said } = await failure(['status', '--socket', '/etc/passwd']);
  t.equal(status, 3);
  t.equal(said, "tuntoxctl: /etc/passwd is not a socket use --socket with the daemon's socket.path");
});

t.test('the error names the socket and where its path comes from', async (t) => {
  const byVariable = await failure(['status'], { socket: '/nowhere/tuntoxd.sock' });
  t.match(byVariable.said, /nothing listens on \/nowhere\/tuntoxd\.sock \(from TUNTOX_SOCKET\) to start it: /);
  t.notMatch(byVariable.said, /--socket/);
});

t.test('each error of the daemon has its exit status and its hint', async (t) => {
  const cases: readonly (readonly [ControlErrorCode, number, RegExp])[] = [
    ['not-found', 5, /^tuntoxctl: there is no client "laptp" did you mean "laptop"\?$/],
    ['ambiguous', 5, /did you mean/],
    ['bad-params', 2, /there is no client/],
    ['exists', 1, /did you mean/],
    ['not-saved', 1, /did you mean/],
    ['away', 1, /did you mean/],
    ['timeout', 7, /did you mean/],
    ['busy', 1, /did you mean/],
    ['failed', 1, /did you mean/],
  ];
  for (const [code, expected, message] of cases) {
    const socket = await startDaemon(t, {
      ping: () => {
        throw new ControlError(code, 'there is no client "laptp"', { hint: 'did you mean "laptop"?' });
      },
    });
    const { status, said } = await failure(['ping', 'laptp'], { socket });
    t.equal(status, expected, code);
    t.match(said, message, code);
  }
});

t.test('a secret is not asked for where no daemon runs', async (t) => {
  const { status, said } = await failure(['secret', 'set'], { socket: '/nowhere/tuntoxd.sock' });
  t.equal(status, 3);
  t.notMatch(said, /New secret|is empty/);
});

t.test('an empty secret is a usage error', async (t) => {
  const { status, said } = await failure(['secret', 'set'], { socket: await startDaemon(t, {}) });
  t.equal(status, 2);
  t.equal(said, 'tuntoxctl: the secret is empty to remove the secret: tuntoxctl secret off');
});

t.test('a generated secret that could not be saved is said not to be in force', async (t) => {
  for (const [code, told] of [
    ['not-saved', 'is not in force'],
    ['timeout', 'may not be in force'],
  ] as const) {
    const change = { changed: true, previousValidUntil: null, closedTunnels: 0, notes: [] };
    const socket = await startDaemon(t, {
      'secret.rotate': () => ({ schema: 'tuntox.secret-change/1', ...change, secret: 'canary' }),
      'secret.set': () => {
        throw new ControlError(code, 'no');
      },
    });
    t.match((await failure(['secret', 'rotate'], { socket })).said, `the secret shown above ${told}`);
  }
});

t.test('a list that cannot be exported is an error in words, with advice', async (t) => {
  const socket = await startDaemon(t, {
    'whitelist.list': () => ({ schema: 'tuntox.whitelist/1', enabled: true, entries: [] }),
  });
  t.match(await failure(['whitelist', 'export', '/nowhere/clients.json'], { socket }), {
    status: 1,
    said: 'tuntoxctl: cannot write /nowhere/clients.json: no such file or directory name another file, or - for standard output',
  });
});

t.test('a ban must be longer than 0', async (t) => {
  const socket = await startDaemon(t, { 'clients.kick': () => t.fail('the daemon was asked') as never });
  t.match(await failure(['clients', 'kick', 'laptop', '--for', '0s'], { socket }), {
    status: 2,
    said: 'tuntoxctl: --for must be longer than 0 example: --for 1h; to lift a ban: tuntoxctl bans clear',
  });
  t.match(await failure(['clients', 'kick', 'laptop', '--for', 'ever'], { socket }), {
    status: 2,
    said: /^tuntoxctl: "ever" is not a duration for --for examples: 30s/,
  });
});

t.test('an error of the daemon without a hint gets one', async (t) => {
  for (const [code, hint] of [
    ['failed', /journalctl -u tuntox/],
    ['not-saved', /nothing has changed; check the disk/],
    ['busy', /try again/],
  ] as const) {
    const socket = await startDaemon(t, {
      ping: () => {
        throw new ControlError(code, 'no');
      },
    });
    t.match((await failure(['ping', 'x'], { socket })).said, hint, code);
  }
});

t.test('standard error has no control characters and fits the terminal', async (t) => {
  const socket = await startDaemon(t, {
    ping: () => {
      throw new ControlError('not-found', `there is no client "\u001b]0;x\u0007 ${'word '.repeat(30)}"`);
    },
  });
  const { stderr } = await run(['ping', 'x'], { socket, terminal: 80 });
  t.notMatch(stderr, /[^\P{Cc}\n]/u);
  for (const line of stderr.split('\n')) t.ok(line.length <= 80, line);
});

/** A daemon with arbitrary answers. */
async function oddDaemon(t: Test, answer: (line: string) => string): Promise<string> {
  const path = join(temporaryDirectory(t), 's');
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      const line = bytes.toString();
      socket.write(`${answer(line)}\n`);
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  return path;
}

const HELLO = '{"jsonrpc":"2.0","id":0,"result":{"version":1,"daemon":"tuntoxd 9.0.0","pid":1}}';

t.test('each sign of version skew is reported as such: 1', async (t) => {
  const isHello = (line: string): boolean => line.includes('"hello"');
  const answers: readonly ((line: string) => string)[] = [
    () =>
      '{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"tuntoxd 9 speaks version 2, and tuntoxctl 1","data":{"code":"version"}}}',
    (line) =>
      isHello(line)
        ? HELLO
        : '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"there is no method","data":{"code":"unknown-method"}}}',
    (line) =>
      isHello(line)
        ? HELLO
        : '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"there is no field \\"x\\"","data":{"code":"bad-params"}}}',
    (line) => (isHello(line) ? HELLO : '{"jsonrpc":"2.0","id":1,"result":{"schema":"tuntox.id/2"}}'),
    (line) => (isHello(line) ? HELLO : 'garbage'),
    () => '{"jsonrpc":"2.0","id":0,"result":{"hello":"you"}}',
  ];
  for (const answer of answers) {
    const { status, said } = await failure(['id'], { socket: await oddDaemon(t, answer) });
    t.equal(status, 1, said);
    t.match(said, /speaks version 2|disagree about "id"|that this version|an invalid reply/);
    t.match(said, /the same version/);
  }
});

t.test('an unknown field in a file is a usage error with a daemon of the same version: 2', async (t) => {
  const file = join(temporaryDirectory(t), 'clients.json');
  const item = { id: KEYS.ci, color: 'blue' };
  writeFileSync(file, JSON.stringify({ schema: 'tuntox.whitelist-export/1', items: [item] }));
  const hello = HELLO.replace('9.0.0', ownVersion());
  const refusal = {
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32602, message: 'there is no field "items.0.color"', data: { code: 'bad-params' } },
  };
  const socket = await oddDaemon(t, (line) => (line.includes('"hello"') ? hello : JSON.stringify(refusal)));
  t.match(await failure(['whitelist', 'import', file], { socket }), {
    status: 2,
    said: 'tuntoxctl: there is no field "items.0.color"',
  });
});

t.test('version prints its own version when the daemon is not running', async (t) => {
  const { status, stdout } = await run(['version', '--socket', '/nowhere/s']);
  t.equal(status, 0);
  t.match(stdout, /^tuntoxctl \d+\.\d+\.\d+, control protocol 1\ntuntoxd: the daemon is not running/);
  const socket = await startDaemon(t);
  t.match((await run(['version'], { socket })).stdout, /\ntuntoxd 1\.0\.0, pid 812\n$/);
});

t.test('a daemon that stops during a request is reported: 1', async (t) => {
  const path = join(temporaryDirectory(t), 's');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(`${HELLO}\n`);
      socket.once('data', () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  const { status, said } = await failure(['id'], { socket: path });
  t.equal(status, 1);
  t.match(said, /the daemon closed the connection to see its state: systemctl status tuntox/);
});

t.test('status --wait survives a restart of the daemon', async (t) => {
  const path = join(temporaryDirectory(t), 's');
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const isLast = connections > 2;
    socket.on('error', () => {});
    // The first connection ends before hello, the second one after it.
    if (connections === 1) socket.destroy();
    socket.once('data', () => {
      socket.write(`${HELLO}\n`);
      socket.once('data', () => {
        if (isLast) socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, result: status() })}\n`);
        else socket.destroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  t.equal((await run(['status', '--wait=30s'], { socket: path })).status, 0);
  t.equal(connections, 3);
});

t.test('a usage error suggests what was probably meant: 2', async (t) => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['whitlist'], 'there is no command "whitlist" did you mean "whitelist"?'],
    [['xyzzy'], 'there is no command "xyzzy" to list the commands: tuntoxctl --help'],
    [['whitelist', 'ad', 'X'], 'there is no command "whitelist ad" did you mean "whitelist add"?'],
    [['whitelist', 'rm', 'x'], 'there is no command "whitelist rm" did you mean "whitelist remove"?'],
    [['connections', 'ls'], 'there is no command "connections ls" did you mean "connections list"?'],
    [['clients', 'frobnicate'], 'there is no command "clients frobnicate" verbs of clients: list, show, kick'],
    [['rm'], 'did you mean "whitelist remove" or "services remove" or "forward remove"?'],
    [['clients', 'approve'], 'clients approve needs an argument: CLIENT example: tuntoxctl clients approve 9F3A11C2'],
    [['clients', 'aprove', 'X'], 'did you mean "clients approve"?'],
    [['stat'], 'did you mean "status"?'],
    [['reload'], 'did you mean "config reload"?'],
    [['logs'], 'did you mean "log tail"?'],
    [['unban'], 'did you mean "bans clear"?'],
    [['identity'], 'did you mean "id"?'],
    [['white'], 'did you mean "whitelist"?'],
    [['co'], 'did you mean "connections" or "config" or "completion"?'],
    [['config'], 'config needs a verb: check, show, reload for details: tuntoxctl config --help'],
    [
      ['whitelist', 'add'],
      'whitelist add needs an argument: ID example: tuntoxctl whitelist add 5A40C344…C4054 --name laptop',
    ],
    [['whitelist', 'add', 'X', '--nmae', 'y'], 'whitelist add has no option --nmae did you mean "--name"?'],
    [['whitelist', 'add', 'X', '--name'], '--name needs a value: --name NAME'],
    [
      ['whitelist', 'add', 'X', '--name', '--yes'],
      '--name needs a value: --name NAME a value that begins with "-" is written --name=--yes',
    ],
    [['whitelist', 'add', 'X', '--name', 'a', '--name', 'b'], '--name is given twice remove one of them'],
    [['whitelist', 'add', 'X', '--yes=no'], '--yes takes no value remove "=no"'],
    [
      ['whitelist', 'add', 'X', '--expires', 'soon'],
      '"soon" is not a duration for --expires examples: 12h, 30d, 2027-01-31',
    ],
    [['whitelist', 'add', 'X', '--expires', '2027-02-30'], '"2027-02-30" is not a valid date'],
    [['whitelist', 'add', 'X', '--expires', '2001-01-01'], '"2001-01-01" is in the past'],
    [['whitelist', 'add', 'X', '--expires', '99999999d'], '"99999999d" is too far in the future use a shorter time'],
    [['whitelist', 'add', 'X', '--rate', 'fast'], '"fast" is not a rate for --rate bytes a second: 500K, 5M, 1.5G'],
    [['whitelist', 'add', 'X', '--rate', '0'], '"0" is too slow for --rate use 1K or more'],
    [['whitelist', 'edit', 'X', '--rate', '999999999999G'], '"999999999999G" is too fast for --rate'],
    [
      ['invite', 'create', '--max-tunnels', '0'],
      '"0" is not a number of tunnels for --max-tunnels use a number from 1',
    ],
    [['clients', 'approve', 'X', '--max-tunnels', '2000'], '"2000" is not a number of tunnels for --max-tunnels'],
    [['whitelist', 'edit', 'X'], 'whitelist edit needs something to change'],
    [['status', '--dry-run'], 'status changes nothing, so it has no --dry-run remove --dry-run'],
    [['status', 'now'], 'unexpected argument "now" for details: tuntoxctl status --help'],
    [['status', '--wait=x'], '"x" is not a duration for --wait'],
    [['connections', 'close'], 'name either a connection or a client'],
    [['connections', 'close', 'laptop'], '"laptop" is not a connection'],
    [['connections', '--interval', '2s'], '--interval needs --watch'],
    [['connections', '--watch', '--interval', '1h'], '--interval must be between 200ms and 1m'],
    [['secret', 'rotate', '--grace', '1h', '--drop-sessions'], '--grace and --drop-sessions cannot be used together'],
    [['rules', 'check', '--client', 'x'], 'rules check needs --target'],
    [['log', 'level', 'loud'], 'unknown log level "loud" use one of: error, warn, info, debug, trace'],
    [['log', 'tail', '-n', 'many'], '"many" is not a number for --lines'],
    [['completion', 'tcsh'], 'unknown shell "tcsh" use one of: bash, zsh, fish'],
    [['--nowhere'], 'there is no option --nowhere to list the commands: tuntoxctl --help'],
    [['--sokcet', '/x', 'status'], 'there is no option --sokcet did you mean "--socket"?'],
    [['--sokcet=/x'], 'there is no option --sokcet did you mean "--socket"?'],
    [['--socket'], '--socket needs a value: --socket PATH'],
    [['--user=me'], '--user takes no value remove "=me"'],
    [['--json'], 'no command is given to list the commands: tuntoxctl --help'],
  ];
  for (const [words, message] of cases) {
    const { status, stdout, said } = await failure(words, { socket: '/nowhere/s' });
    t.equal(status, 2, words.join(' '));
    t.equal(stdout, '');
    const text = words.includes('--json') ? said : said.replace('tuntoxctl: ', '');
    t.ok(text.includes(words.includes('--json') ? 'no command is given' : message), `${words.join(' ')}: ${said}`);
  }
});

t.test('a bad whitelist file is refused with the line of the mistake', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'clients');
  const socket = await startDaemon(t);
  for (const [text, message] of [
    ['', 'names no client'],
    [`${KEYS.ci} ci\nnot-an-id\n`, 'clients:2: "not-an-id" is neither a Tox ID nor a public key'],
    [`${KEYS.ci} ci and more\n`, 'clients:1: unexpected "and"'],
    ['{', 'is not valid JSON'],
    ['{"schema":"x"}', 'is not a whitelist export'],
    [Buffer.from(`\ufeff${KEYS.ci}`, 'utf16le'), 'is in UTF-16'],
  ] as const) {
    writeFileSync(file, text);
    const { status, said } = await failure(['whitelist', 'import', file], { socket });
    t.equal(status, 2, said);
    t.match(said, message);
  }
  t.match(await failure(['whitelist', 'import', join(directory, 'none')], { socket }), {
    status: 1,
    said: /cannot read/,
  });
  t.match(await failure(['whitelist', 'export', file], { socket }), {
    status: 1,
    said: /already exists choose another name/,
  });
});

t.test('export writes what import reads', async (t) => {
  const seen: unknown[] = [];
  const LIMITS = { rate: 5000, maxTunnels: 3 };
  const kept = [
    entry({ note: 'x', ...LIMITS }),
    entry({ publicKey: KEYS.ci, name: null, allow: [], expiresAt: null, invited: true }),
  ];
  const socket = await startDaemon(t, {
    'whitelist.list': () => ({ schema: 'tuntox.whitelist/1', enabled: true, entries: kept }),
    'whitelist.import': ({ items }) => {
      seen.push(...items);
      return { schema: 'tuntox.whitelist-change/1', added: [], changed: [], removed: [], closedTunnels: 0, notes: [] };
    },
  });
  const file = join(temporaryDirectory(t), 'list.json');
  t.match((await run(['whitelist', 'export', file], { socket })).stdout, /wrote 2 clients to/);
  t.equal((await run(['whitelist', 'import', file], { socket })).status, 0);
  t.same(seen, [
    {
      id: KEYS.laptop,
      name: 'laptop',
      allow: ['127.0.0.1:22'],
      ...LIMITS,
      expiresAt: kept[0]?.expiresAt,
      note: 'x',
      invited: false,
    },
    { id: KEYS.ci, invited: true },
  ]);
  writeFileSync(file, JSON.stringify({ schema: 'tuntox.whitelist-export/1', items: [{ id: KEYS.ci }] }));
  t.equal((await run(['whitelist', 'import', file], { socket })).status, 0);
  t.same(seen.slice(2), [{ id: KEYS.ci, invited: false }], 'the first version is read, too');
});

const asking = (t: Test): Promise<string> =>
  startDaemon(t, {
    'whitelist.add': ({ confirmed }) => {
      if (!confirmed) {
        throw new ControlError('needs-confirmation', '2 clients used only the secret: they would be disconnected', {
          hint: '--adopt adds them',
        });
      }
      return {
        schema: 'tuntox.whitelist-change/1',
        added: [entry()],
        changed: [],
        removed: [],
        closedTunnels: 0,
        notes: [],
      };
    },
  });

t.test('a request that needs confirmation asks on a terminal', async (t) => {
  const socket = await asking(t);
  const yes = await run(['whitelist', 'add', KEYS.laptop], { socket, terminal: 80, input: 'yes\n' });
  t.equal(yes.status, 0, yes.stderr);
  t.match(yes.stderr, /they would be disconnected\n--adopt adds them\nContinue\? \[y\/N\] /);
  t.match(yes.stdout, /^added {2}laptop/);
  const no = await run(['whitelist', 'add', KEYS.laptop], { socket, terminal: 80, input: '\n' });
  t.equal(no.status, 1);
  t.match(no.stderr, /cancelled: nothing has changed/);
});

t.test('a request that needs confirmation fails without a terminal and names --yes: 1', async (t) => {
  const socket = await asking(t);
  const { status, said } = await failure(['whitelist', 'add', KEYS.laptop], { socket, input: 'yes\n' });
  t.equal(status, 1);
  t.match(said, /they would be disconnected to do it anyway, add --yes; --adopt adds them$/);
  t.equal((await run(['whitelist', 'add', KEYS.laptop, '--yes'], { socket })).status, 0);
});
