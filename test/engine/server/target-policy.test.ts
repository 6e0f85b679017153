import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ownFile } from '../../../src/base/own-files.js';
import { type Rule, ruleOfService } from '../../../src/engine/access/rules.js';
import { parseAllowed, type WhitelistEntry } from '../../../src/engine/access/whitelist.js';
import { TargetPolicy } from '../../../src/engine/server/target-policy.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { Target } from '../../../src/tunnel/wire/target.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { entryOf } from '../support/access.js';

const { publicKey } = generateKeyPair(new SeededRandom(7));
const servicesOf = (...names: readonly [string, number][]) => ({
  targets: new Map(names.map(([name, port]) => [name, { host: '127.0.0.1', port }])),
  withHeader: [] as Rule[],
  error: undefined as string | undefined,
});
const services = servicesOf();
const addresses = {
  of: (id: string) => ({ address: `127.64.0.${id.length}` }),
  known: () => undefined,
  ownerOf: () => undefined as string | undefined,
  error: undefined as string | undefined,
};
const of = (rulesFile: string | undefined, isAny = false) => ({
  rulesFile,
  isAny,
  mayTestSpeed: true,
  hasClientSources: false,
});
const TARGET = { host: '127.0.0.1', port: 22 };
const addressesOf = async (host: string): Promise<string[]> => (host === 'intranet' ? ['10.1.2.3', '192.0.2.1'] : []);

type Rules = 'none' | 'with it' | 'without it' | 'bad' | 'missing';
type Allow = 'no entry' | 'empty' | 'with it' | 'without it';

const RULES: Readonly<Record<Rules, string | undefined>> = {
  none: undefined,
  'with it': '10.0.0.1:1\n127.0.0.1:22\n',
  'without it': '127.0.0.1:23\n',
  bad: '127.0.0.1;\n',
  missing: undefined,
};

const entry = (...allow: string[]): WhitelistEntry =>
  entryOf(publicKey, { alias: 'laptop', allow: allow.map((text, index) => parseAllowed(text, index + 1)) });
const ENTRIES: Readonly<Record<Allow, WhitelistEntry | undefined>> = {
  'no entry': undefined,
  empty: entry(),
  'with it': entry('*:80', '127.0.0.1:22'),
  'without it': entry('127.0.0.1:80'),
};

t.test('the whole table: rules and allow list, each row with the line that decides', async (t) => {
  for (const rules of Object.keys(RULES) as Rules[])
    for (const allow of Object.keys(ENTRIES) as Allow[]) {
      const path = join(temporaryDirectory(t), 'rules');
      const text = RULES[rules];
      if (text !== undefined) writeFileSync(path, text);
      const policy = new TargetPolicy(
        { entryOf: () => ENTRIES[allow], addressesOf, services, addresses },
        of(rules === 'none' ? undefined : path),
      );
      const { isAllowed, decidedBy } = policy.explain(publicKey.hex, TARGET);
      const name = `rules ${rules}, allow ${allow}: ${decidedBy}`;
      const byRules = rules === 'none' || rules === 'with it';
      t.equal(isAllowed, byRules && allow !== 'without it', name);
      t.equal(policy.mayReach(publicKey.hex, TARGET).allowed, isAllowed, name);
      if (rules === 'bad') t.match(decidedBy, /line 1: "127.0.0.1;" is not a rule/, name);
      else if (rules === 'missing') t.match(decidedBy, /no such file/, name);
      else if (!byRules) t.equal(decidedBy, `no line of ${path} allows it, and it is no service`, name);
      else if (allow === 'without it') t.equal(decidedBy, 'the allow list of laptop has only 127.0.0.1:80', name);
      else {
        const first =
          rules === 'none' ? /^there are neither rules nor services/ : /^line 2 of .*rules: 127\.0\.0\.1:22/;
        t.match(decidedBy, first, name);
        t.equal(decidedBy.endsWith('; and 127.0.0.1:22 on the allow list of laptop'), allow === 'with it', name);
      }
    }
});

t.test('a reload of an unreadable file changes nothing, and of a readable one counts at once', async (t) => {
  const path = join(temporaryDirectory(t), 'rules');
  writeFileSync(path, '127.0.0.1:22\n');
  const policy = new TargetPolicy({ entryOf: () => undefined, addressesOf, services, addresses }, of(path));
  writeFileSync(path, 'nonsense;\n');
  t.throws(() => policy.reload(of(path)), { code: 'bad-rules', message: /line 1/ });
  rmSync(path);
  t.throws(() => policy.reload(of(path)), { code: 'bad-rules' });
  t.equal(policy.explain('', TARGET).isAllowed, true);
  t.equal(policy.error, undefined);
  writeFileSync(path, '127.0.0.1:23\n');
  policy.reload(of(path));
  t.equal(policy.explain('', TARGET).isAllowed, false);
  policy.reload(of(undefined));
  t.equal(policy.explain('', TARGET).isAllowed, true);
  t.same([policy.file, policy.rules], [undefined, []]);
});

t.test('a file that is bad at the start allows nothing until it is mended', async (t) => {
  const path = join(temporaryDirectory(t), 'rules');
  const policy = new TargetPolicy({ entryOf: () => undefined, addressesOf, services, addresses }, of(path));
  t.match(policy.error, /no such file/);
  writeFileSync(path, '*:0\n');
  policy.reload(of(path));
  t.equal(policy.error, undefined);
  t.equal(policy.explain('', TARGET).isAllowed, true);
});

t.test('both the rules and the allow list decide about an address, and a denial in either counts', async (t) => {
  const path = join(temporaryDirectory(t), 'rules');
  const verdict = (rules: string, allow: string[], address?: string): [boolean, boolean, string] => {
    writeFileSync(path, rules);
    const policy = new TargetPolicy({ entryOf: () => entry(...allow), addressesOf, services, addresses }, of(path));
    const { isAllowed, isOpen, decidedBy } = policy.explain('', { host: 'intranet', port: 80, address });
    return [isAllowed, isOpen, decidedBy.replace(path, 'rules')];
  };
  const open = 'it depends on the address of intranet, which is not known';
  t.same(verdict('*:0', ['class:private:80']), [true, true, `line 1 of rules: *:0; and ${open}`]);
  t.same(verdict('*:0', ['class:private:80'], '10.1.2.3'), [
    true,
    false,
    'line 1 of rules: *:0; and class:private:80 on the allow list of laptop',
  ]);
  t.same(verdict('*:0', ['class:private:80'], '9.9.9.9'), [
    false,
    false,
    'the allow list of laptop has only class:private:80',
  ]);
  t.same(verdict('*:0', ['*:0', 'deny class:private:0'], '10.1.2.3'), [
    false,
    false,
    'deny class:private:0 on the allow list of laptop',
  ]);
  t.same(verdict('*:0\ndeny class:private:0', ['intranet:80'], '10.1.2.3'), [
    false,
    false,
    'line 2 of rules: deny class:private:0',
  ]);
});

t.test('a name is explained by its addresses where they decide', async (t) => {
  const path = join(temporaryDirectory(t), 'rules');
  const ask = async (rules: string, host = 'intranet'): Promise<[boolean, string]> => {
    writeFileSync(path, rules);
    const policy = new TargetPolicy({ entryOf: () => undefined, addressesOf, services, addresses }, of(path));
    const { isAllowed, decidedBy } = await policy.explainByAddress('', { host, port: 80 });
    return [isAllowed, decidedBy.replace(path, 'rules')];
  };
  t.same(await ask('intranet:80'), [true, 'line 1 of rules: intranet:80']);
  t.same(await ask('class:private:80'), [true, 'intranet is 10.1.2.3: line 1 of rules: class:private:80']);
  t.same(await ask('class:loopback:80'), [
    false,
    'intranet is 10.1.2.3: no line of rules allows it, and it is no service',
  ]);
  t.same(await ask('*:0\ndeny class:loopback:0', '127.1'), [false, 'line 2 of rules: deny class:loopback:0']);
  t.match(await ask('class:loopback:80', 'unknown'), [true, /depends on the address/]);
});

type Services = 'no services' | 'ssh' | 'ssh and web' | 'unreadable';

const SERVICES: Readonly<Record<Services, ReturnType<typeof servicesOf>>> = {
  'no services': servicesOf(),
  ssh: servicesOf(['ssh', 22]),
  'ssh and web': servicesOf(['ssh', 22], ['web', 80]),
  unreadable: { ...servicesOf(), error: 'services.json is damaged' },
};
const SSH = { host: 'ssh', port: 0 };

t.test(
  'the whole table: services, rules file and targets.any, for a service by name, its target, and another',
  async (t) => {
    const path = join(temporaryDirectory(t), 'rules');
    const verdicts = (services: Services, rules: string | undefined, isAny: boolean, ...allow: string[]): string => {
      if (rules !== undefined) writeFileSync(path, rules);
      const deps = {
        entryOf: () => (allow.length === 0 ? undefined : entry(...allow)),
        addressesOf,
        addresses,
        services: SERVICES[services],
      };
      const policy = new TargetPolicy(deps, of(rules === undefined ? undefined : path, isAny));
      const asked = [SSH, TARGET, { host: 'web', port: 0 }, { host: '10.0.0.5', port: 80 }];
      return asked.map((target) => (policy.explain('', target).isAllowed ? '+' : '-')).join('');
    };
    const rows: [expected: string, ...Parameters<typeof verdicts>][] = [
      ['-+-+', 'no services', undefined, false],
      ['++--', 'ssh', undefined, false],
      ['+++-', 'ssh and web', undefined, false],
      ['----', 'unreadable', undefined, false],
      ['++-+', 'ssh', undefined, true],
      ['-+-+', 'unreadable', undefined, true],
      ['++-+', 'ssh', '10.0.0.5:80\n', false],
      ['++--', 'ssh', '10.0.0.9:80\n', true],
      ['----', 'ssh', 'deny class:loopback:0\n', false],
      ['---+', 'no services', '10.0.0.5:80\n', false],
      ['++--', 'ssh and web', '10.0.0.5:80\n', false, 'ssh'],
      ['++--', 'ssh and web', undefined, false, 'ssh'],
      ['--+-', 'ssh and web', undefined, false, 'web'],
      ['++--', 'ssh and web', undefined, false, '127.0.0.1:22'],
      ['----', 'ssh and web', undefined, false, 'gone'],
      ['---+', 'ssh', undefined, true, '10.0.0.5:80', 'gone'],
      ['+++-', 'ssh and web', undefined, false, '*:0'],
    ];
    for (const [expected, ...row] of rows) t.equal(verdicts(...row), expected, JSON.stringify(row));
  },
);

t.test('a service is connected to by its target, and the explanation names it', async (t) => {
  const deps = { entryOf: () => entry('ssh'), addressesOf, addresses, services: SERVICES['ssh and web'] };
  const policy = new TargetPolicy(deps, of(undefined));
  t.same(policy.mayReach('', { host: 'SSH', port: 0 }), { allowed: true, target: TARGET });
  t.same(policy.mayReach('', TARGET), { allowed: true });
  t.equal(policy.explain('', SSH).decidedBy, 'the service ssh (127.0.0.1:22); and ssh on the allow list of laptop');
  t.equal(policy.explain('', { host: 'web', port: 0 }).decidedBy, 'the allow list of laptop has only ssh');
  t.equal(policy.explain('', { host: 'nfs', port: 0 }).decidedBy, 'there is no service "nfs"');
  t.same(policy.servicesFor(''), [{ name: 'ssh', port: 22 }]);
});

t.test('a connection to a service is allowed only while the name stands for where it leads', async (t) => {
  const named = { withHeader: [], targets: new Map([['ssh', TARGET]]), error: undefined };
  const deps = { entryOf: () => undefined, addressesOf, addresses, services: named };
  const reached = { address: '127.0.0.1', destination: TARGET };
  for (const isAny of [false, true]) {
    const policy = new TargetPolicy(deps, of(undefined, isAny));
    for (const [target, expected] of [
      [TARGET, true],
      [{ ...TARGET, port: 23 }, false],
      [{ ...TARGET, host: 'localhost' }, false],
    ] as const) {
      named.targets = new Map([['ssh', target]]);
      const verdict = policy.mayReach('', SSH, reached);
      t.equal(verdict.allowed, expected, JSON.stringify({ target, isAny }));
      if (!verdict.allowed) t.match(verdict.reason, /^the service "ssh" is \S+ now, no longer 127.0.0.1:22$/);
    }
  }
});

const SOCKET = { host: '/run/x.sock', port: 0 };
const DNS = { host: '10.0.0.5', port: 53, protocol: 'udp' } as const;

t.test('the whole table: UDP and Unix sockets, by rules, services, targets.any and the allow list', async (t) => {
  const path = join(temporaryDirectory(t), 'rules');
  const byName = new Map<string, Target>([
    ['dns', DNS],
    ['db', SOCKET],
  ]);
  const verdicts = (hasServices: boolean, rules: string | undefined, isAny: boolean, ...allow: string[]): string => {
    if (rules !== undefined) writeFileSync(path, rules);
    const entryOf = () => (allow.length === 0 ? undefined : entry(...allow));
    const services = { targets: hasServices ? byName : new Map(), withHeader: [], error: undefined };
    const policy = new TargetPolicy({ entryOf, addressesOf, addresses, services }, of(rules && path, isAny));
    const asked = [
      ...[DNS, { host: 'dns', port: 0, protocol: 'udp' }, { host: 'dns', port: 0 }],
      ...[SOCKET, { host: 'db', port: 0 }, { host: 'db', port: 0, protocol: 'udp' }],
    ] as const;
    return asked.map((target) => (policy.explain('', target).isAllowed ? '+' : '-')).join('');
  };
  const rows: [expected: string, ...Parameters<typeof verdicts>][] = [
    ['+-----', false, undefined, false],
    ['---+--', false, undefined, false, '/run/x.sock'],
    ['------', false, undefined, false, '*:0'],
    ['+-----', false, undefined, false, 'udp:*:0'],
    ['++-++-', true, undefined, false],
    ['++-++-', true, undefined, true],
    ['++----', true, undefined, false, 'dns'],
    ['---++-', true, undefined, false, 'db'],
    ['---++-', true, undefined, false, '/run/x.sock'],
    ['++----', true, undefined, false, 'udp:class:private:53'],
    ['------', false, '*:0\n', false],
    ['+-----', false, 'udp:*:53\n', false],
    ['---+--', false, '/run/x.sock\n', false],
    ['------', false, '/run/x.sock\n', false, '*:0'],
    ['---++-', true, 'deny class:private:0\n', false],
    ['++-++-', true, '10.0.0.5:53\n', true],
  ];
  for (const [expected, ...row] of rows) t.equal(verdicts(...row), expected, JSON.stringify(row));
});

t.test('a service tells its clients which protocol it has', async (t) => {
  const targets = new Map<string, Target>([
    ['ssh', TARGET],
    ['dns', DNS],
    ['db', SOCKET],
  ]);
  const policy = new TargetPolicy(
    { entryOf: () => undefined, addressesOf, addresses, services: { targets, withHeader: [], error: undefined } },
    of(undefined),
  );
  t.same(policy.servicesFor(''), [
    { name: 'ssh', port: 22 },
    { name: 'dns', port: 53, protocol: 'udp' },
    { name: 'db', port: 0, protocol: 'unix' },
  ]);
  t.equal(policy.explain('', { host: 'dns', port: 0 }).decidedBy, 'the service "dns" is udp:10.0.0.5:53: only UDP');
  t.equal(policy.explain('', { host: 'db', port: 0 }).decidedBy, 'the service db (/run/x.sock)');
  t.match(
    policy.explain('', { ...SOCKET, host: '/run/y' }).decidedBy,
    /^it is no service, and a Unix socket needs a line/,
  );
});

/** The rows of the table in docs/threat-model.md. */
function documentedRows(): string[] {
  const text = readFileSync(ownFile('docs/threat-model.md'), 'utf8');
  const table = text.slice(text.indexOf('What decides about a target')).split('\n\n')[1] ?? '';
  const rows = table.split('\n').slice(2);
  return rows.map((row) => row.split('|')[1]?.trim() ?? '');
}

t.test('each row of the documented table decides as it says', async (t) => {
  interface Case {
    readonly services?: Services;
    readonly rules?: string;
    readonly isAny?: boolean;
    readonly allow?: readonly string[];
    /** By default the service `ssh` by its name, and by its target. */
    readonly asked?: Parameters<TargetPolicy['explain']>[1];
    readonly decidedBy: RegExp;
  }
  const cases: Record<string, Case[]> = {
    'is the name of no service, or services.json cannot be read': [
      { asked: { host: 'nfs', port: 0 }, isAny: true, decidedBy: /there is no service "nfs"/ },
      { asked: SSH, services: 'unreadable', isAny: true, decidedBy: /there is no service "ssh"/ },
    ],
    'is the name of a service that got another target since the connection began': [
      { asked: { ...SSH, destination: { ...TARGET, port: 23 } }, rules: '*:0\n', decidedBy: /no longer 127.0.0.1:23/ },
    ],
    'the rules file cannot be read': [{ rules: 'bad;\n', decidedBy: /the rules cannot be used/ }],
    'a `deny` line of the rules file denies it': [
      { rules: '*:0\ndeny class:loopback:0\n', isAny: true, decidedBy: /line 2 of .*: deny class:loopback:0/ },
    ],
    'is a Unix socket, and neither a line with its path nor a service stands for it': [
      { asked: SOCKET, isAny: true, decidedBy: /^it is no service, and a Unix socket needs a line/ },
      { asked: SOCKET, rules: '*:0\n', decidedBy: /no line of .* allows it/ },
    ],
    'there is a rules file, no line of it allows the target, and it is the target of no service': [
      { asked: DNS, rules: '*:53\n', decidedBy: /no line of .* allows it, and it is no service/ },
      { asked: { ...TARGET, port: 80 }, rules: '*:22\n', decidedBy: /no line of .* allows it, and it is no service/ },
    ],
    'there is no rules file, but there are services, it is none of their targets, and `targets.any` is not set': [
      { asked: { ...TARGET, port: 80 }, decidedBy: /^it is no service/ },
    ],
    'there is no rules file, services.json cannot be read, and `targets.any` is not set': [
      { asked: TARGET, services: 'unreadable', decidedBy: /^it is no service/ },
    ],
    'the client has an `--allow` list, and a `deny` line of it denies the target': [
      { allow: ['ssh', 'deny class:loopback:0'], decidedBy: /^deny class:loopback:0 on the allow list of laptop/ },
    ],
    'the client has an `--allow` list, and it has neither a line that allows the target nor a service with this target':
      [{ services: 'ssh and web', allow: ['web', 'gone', '127.0.0.1:80'], decidedBy: /has only web, gone, / }],
    'anything else': [
      { decidedBy: /^the service ssh \(127.0.0.1:22\)$/ },
      { rules: '10.0.0.5:80\n', allow: ['ssh'], decidedBy: /^the service ssh .*; and ssh on the allow list/ },
      { asked: { ...SSH, destination: TARGET, address: '127.0.0.1' }, decidedBy: /^the service ssh/ },
      { asked: { ...TARGET, port: 80 }, isAny: true, decidedBy: /^targets.any is set/ },
      { asked: TARGET, services: 'no services', decidedBy: /^there are neither rules nor services/ },
    ],
  };
  t.same(documentedRows(), Object.keys(cases));
  const path = join(temporaryDirectory(t), 'rules');
  for (const [row, ofRow] of Object.entries(cases))
    for (const { services = 'ssh', rules, isAny = false, allow, asked, decidedBy } of ofRow) {
      if (rules !== undefined) writeFileSync(path, rules);
      const entryOf = () => (allow === undefined ? undefined : entry(...allow));
      const deps = { entryOf, addressesOf, addresses, services: SERVICES[services] };
      const policy = new TargetPolicy(deps, of(rules === undefined ? undefined : path, isAny));
      for (const target of asked === undefined ? [SSH, TARGET] : [asked]) {
        const explanation = policy.explain('', target);
        t.equal(explanation.isAllowed, row === 'anything else', `${row}: ${JSON.stringify(target)}`);
        t.match(explanation.decidedBy, decidedBy, row);
      }
    }
});

t.test('a client has an address of its own only where targets.source says so, and keeps one that it has', (t) => {
  const known = (id: string): string | undefined => (id === 'AA' ? '127.64.0.7' : undefined);
  const deps = { entryOf: () => undefined, addressesOf, services, addresses: { ...addresses, known } };
  const policy = new TargetPolicy(deps, of(undefined));
  t.same([policy.sourceOf('AA'), policy.addressOf('AA'), policy.addressOf('B')], [undefined, '127.64.0.7', undefined]);
  policy.reload({ ...of(undefined), hasClientSources: true });
  t.same([policy.sourceOf('AA'), policy.addressOf('B')], [{ address: '127.64.0.2' }, '127.64.0.1']);
  t.end();
});

t.test('a target that asks for it gets a header however the client wrote it, and no other target does', (t) => {
  const path = join(temporaryDirectory(t), 'rules');
  writeFileSync(path, '*:0\n127.0.0.1:8080 proxy\n[2001:db8::1]:8080 proxy\n/run/a.sock proxy\n/run/b.sock\n');
  const web = { host: '10.0.0.5', port: 80 };
  const targets = new Map<string, Target>([['web', web]]);
  const withHeader = [{ ...ruleOfService('web', web), hasProxyHeader: true as const }];
  const deps = {
    entryOf: () => undefined,
    addressesOf,
    addresses,
    services: { targets, withHeader, error: undefined },
  };
  const policy = new TargetPolicy(deps, of(path));
  const clientAddress = '127.64.0.4';
  for (const [host, port, address, expected] of [
    ['127.0.0.1', 8080, '127.0.0.1', { allowed: true, clientAddress }],
    ['localhost', 8080, '127.0.0.1', { allowed: true, clientAddress }],
    ['a.example', 8080, '::ffff:127.0.0.1', { allowed: true, clientAddress }],
    ['0.0.0.0', 8080, '0.0.0.0', { allowed: true, clientAddress }],
    ['a.example', 8080, '2001:db8::1', { allowed: true, clientAddress }],
    ['10.0.0.5', 80, '10.0.0.5', { allowed: true, clientAddress }],
    ['web', 0, '10.0.0.5', { allowed: true, target: web, clientAddress }],
    ['/run/a.sock', 0, undefined, { allowed: true, clientAddress }],
    ['/run/b.sock', 0, undefined, { allowed: true }],
    ['127.0.0.1', 8081, '127.0.0.1', { allowed: true }],
    ['127.0.0.2', 8080, '127.0.0.2', { allowed: true }],
    ['::1', 8080, '::1', { allowed: true }],
    ['localhost', 8080, undefined, { allowed: true }],
  ] as const) {
    const reached = { address, destination: host === 'web' ? web : undefined };
    t.same(policy.mayReach('four', { host, port }, reached), expected, `${host}:${port} at ${address}`);
  }
  t.same(policy.rules[1], { line: 2, text: '127.0.0.1:8080 proxy' });
  const lost = { ...addresses, of: () => ({ error: 'the file is damaged' }), error: 'the file is damaged' };
  const without = new TargetPolicy({ ...deps, addresses: lost }, of(path));
  const asked = { host: '127.0.0.1', port: 8080 };
  t.same(without.mayReach('', asked, { address: '127.0.0.1' }), { allowed: false, reason: 'the file is damaged' });
  t.equal(without.addressError, 'the file is damaged');
  t.equal(
    new TargetPolicy({ ...deps, addresses: lost, services }, of(undefined)).addressError,
    undefined,
    'not needed',
  );
  t.end();
});
