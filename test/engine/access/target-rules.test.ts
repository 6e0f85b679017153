import t from 'tap';
import { decide, describeRule } from '../../../src/engine/access/rules.js';
import { parseRules } from '../../../src/engine/access/target-rules.js';
import { parseAllowed } from '../../../src/engine/access/whitelist.js';

const file = `# services of the office
127.0.0.1:22
*:443
Intranet.example.:0   # any port
[2001:DB8::0:1]:8080

db@5432
`;

const UNMATCHED = { kind: 'unmatched' };

t.test('a rules file allows its targets and nothing else', async (t) => {
  const rules = parseRules(file, 'rules');
  const lineOf = (host: string, port: number): number | undefined => {
    const decision = decide(rules, { host, port });
    return decision.kind === 'allowed' ? decision.rule.line : undefined;
  };
  t.equal(lineOf('127.0.0.1', 22), 2);
  t.equal(lineOf('127.0.0.1', 23), undefined);
  t.equal(lineOf('anything.example', 443), 3);
  t.equal(lineOf('intranet.example', 8), 4);
  t.equal(lineOf('INTRANET.EXAMPLE.', 9), 4, 'names are compared without case and final dot');
  t.equal(lineOf('2001:db8::1', 8080), 5, 'addresses in one spelling');
  t.equal(lineOf('[2001:db8:0:0::1]', 8080), 5);
  t.equal(lineOf('db', 5432), 7);
  t.equal(lineOf('localhost', 22), undefined, 'a name is not what it resolves to');
  t.equal(lineOf('evil-intranet.example', 8), undefined);
});

t.test('proxy after one target of TCP under its address marks it, and anything else is an error', async (t) => {
  const rules = parseRules('127.0.0.1:8080 proxy # web\n[::1]:80\tproxy\n/run/x.sock proxy\n10.0.0.1:1', 'rules');
  t.same(rules.map(describeRule), ['127.0.0.1:8080 proxy', '[::1]:80 proxy', '/run/x.sock proxy', '10.0.0.1:1']);
  t.match(decide(rules, { host: '127.0.0.1', port: 8080 }), { kind: 'allowed', rule: { line: 1 } });
  for (const [bad, message] of [
    ['localhost:80 proxy', /"localhost" is not an address/],
    ['*:80 proxy', /proxy follows one target/],
    ['10.0.0.1:0 proxy', /proxy follows one target/],
    ['class:private:80 proxy', /proxy follows one target/],
    ['deny 10.0.0.1:80 proxy', /proxy follows one target/],
    ['udp:10.0.0.1:80 proxy', /proxy follows one target of TCP/],
    ['web proxy', /tuntoxctl expose web TARGET --proxy-protocol/],
    ['proxy', /a service of tuntoxd needs no rule/],
    ['10.0.0.1:80 Proxy', /is not a rule|is not a port/],
  ] as const)
    t.throws(() => parseRules(bad, 'rules'), { message }, bad);
  t.throws(() => parseAllowed('10.0.0.1:80 proxy', 1), { code: 'bad-target', message: /a word of the rules file/ });
});

t.test('an empty list of rules allows nothing', async (t) => {
  t.same(decide(parseRules('# nothing\n\n', 'rules'), { host: '127.0.0.1', port: 22 }), UNMATCHED);
});

t.test('port 0 in a request is not a wildcard', async (t) => {
  t.same(decide(parseRules('127.0.0.1:22', 'rules'), { host: '127.0.0.1', port: 0 }), UNMATCHED);
  t.same(decide(parseRules('127.0.0.1:22', 'rules'), { host: '*', port: 22 }), UNMATCHED);
});

t.test('an error names the number of a line that is not a rule', async (t) => {
  for (const bad of [
    'localhost',
    'localhost:',
    ':22',
    'a:b',
    'a:65536',
    'a:-1',
    'a:1:2',
    '[::1:22',
    'a:22 b',
    '::1:22',
    '*.example:22',
    '10.0.0.0/8:22',
    'class:inner:22',
    'class:private',
    'class:private:x',
    'class:private:1:2',
    'deny',
    'deny :22',
    'deny localhost:22',
    'deny db@5432',
    'deny [fe80::1%eth0]:22',
    '!10.0.0.1:22',
    'allow a:22',
    'udp:22',
    'udp:',
    'udp:/run/x',
    'deny udp:localhost:22',
    'deny /run/x',
    'deny udp',
    '/run/a b',
  ]) {
    const text = `# fine\nok:1\n${bad}\n`;
    t.throws(() => parseRules(text, 'rules'), { code: 'bad-rules', message: /^rules, line 3: / }, bad);
  }
});

t.test(
  'what Windows puts at the start of a file and the end of a line, and spaces around, are no matter',
  async (t) => {
    t.same(parseRules('\ufeff  a:1 \r\n\tb:2\r\n', 'rules').map(describeRule), ['a:1', 'b:2']);
  },
);

t.test('rules are shown in full', async (t) => {
  const texts = [
    '*:443',
    'db:0',
    '[2001:db8::1]:80',
    'class:public:443',
    'deny class:link-local:0',
    'deny [fd00::1]:22',
    'deny *:25',
    'udp:*:53',
    'udp:class:private:0',
    'deny udp:10.0.0.5:0',
    '/run/docker.sock',
  ];
  t.same(parseRules(texts.join('\n'), 'rules').map(describeRule), texts);
  t.same(parseRules('deny 127.1:22\nclass:public@443', 'rules').map(describeRule), [
    'deny 127.0.0.1:22',
    'class:public:443',
  ]);
});

/** Every way to write this machine that a resolver takes; the name has that address. */
const LOOPBACK: [host: string, address: string][] = [
  ['localhost', '127.0.0.1'],
  ['rebound.example', '127.0.0.1'],
  ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1'].map((host): [string, string] => [
    host,
    '127.0.0.1',
  ]),
  ['0', '0.0.0.0'],
  ['0.0.0.0', '0.0.0.0'],
  ['::', '::'],
  ['[::]', '::'],
  ['::1', '::1'],
  ['::1%lo', '::1%lo'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
];

t.test('a denied class is denied in every spelling, whatever else allows it', async (t) => {
  const rules = parseRules('*:0\nlocalhost:0\n127.0.0.1:0\ndeny class:loopback:0', 'rules');
  for (const [host, address] of LOOPBACK) {
    t.match(decide(rules, { host, port: 22 }, address), { kind: 'denied', rule: { line: 4 } }, host);
  }
  t.match(decide(rules, { host: 'www.example', port: 22 }, '192.0.2.1'), { kind: 'allowed', rule: { line: 1 } });
});

t.test('an allowed class allows no other address in any spelling', async (t) => {
  const rules = parseRules('class:public:0', 'rules');
  for (const [host, address] of LOOPBACK) t.same(decide(rules, { host, port: 22 }, address), UNMATCHED, host);
  t.match(decide(rules, { host: 'www.example', port: 22 }, '9.9.9.9'), { kind: 'allowed' });
  for (const [host, address] of [
    ['metadata', '169.254.169.254'],
    ['nas', '192.168.1.2'],
  ] as const)
    t.same(decide(rules, { host, port: 80 }, address), UNMATCHED, host);
});

t.test('a denied address is denied to a client that asks for its name', async (t) => {
  const rules = parseRules('*:0\ndeny 10.0.0.5:22\ndeny [fe80::1]:0', 'rules');
  t.match(decide(rules, { host: 'db', port: 22 }, '10.0.0.5'), { kind: 'denied', rule: { line: 2 } });
  t.match(decide(rules, { host: 'db', port: 80 }, '10.0.0.5'), { kind: 'allowed' });
  t.match(decide(rules, { host: 'router', port: 80 }, 'fe80::1%eth0'), { kind: 'denied', rule: { line: 3 } });
});

t.test('a denied address is denied by every other address that leads to it', async (t) => {
  const kindOf = (denied: string, host: string): string =>
    decide(parseRules(`*:0\ndeny ${denied}:22`, 'rules'), { host, port: 22 }).kind;
  for (const host of ['::ffff:10.0.0.5', '64:ff9b::a00:5', '64:ff9b::10.0.0.5', '::ffff:0:10.0.0.5', '2002:a00:5::1'])
    t.equal(kindOf('10.0.0.5', host), 'denied', host);
  for (const host of ['0', '0.0.0.0', '64:ff9b::']) t.equal(kindOf('127.0.0.1', host), 'denied', host);
  t.equal(kindOf('[::1]', '::'), 'denied');
  t.equal(kindOf('[64:ff9b::a00:5]', '10.0.0.5'), 'allowed');
});

t.test('before its name is resolved a target is open where the address decides, and only there', async (t) => {
  const kindOf = (text: string, host = 'db'): string => decide(parseRules(text, 'rules'), { host, port: 22 }).kind;
  const rows: [string, string][] = [
    ['*:22', 'allowed'],
    ['db:22', 'allowed'],
    ['other:22', 'unmatched'],
    ['10.0.0.5:22', 'unmatched'],
    ['class:private:22', 'open'],
    ['class:private:80', 'unmatched'],
    ['db:22\ndeny class:private:0', 'open'],
    ['db:22\ndeny class:private:80', 'allowed'],
    ['other:22\ndeny class:private:0', 'unmatched'],
    ['db:22\ndeny *:22', 'denied'],
    ['db:22\ndeny 10.0.0.5:0', 'open'],
  ];
  for (const [text, kind] of rows) t.equal(kindOf(text), kind, text);
  t.equal(kindOf('class:private:22', '10.1'), 'allowed', 'an address needs no resolving');
});

t.test('a rule allows TCP or UDP, a denial without udp: is about both, and none is about a Unix socket', async (t) => {
  const target = { host: '10.0.0.5', port: 53 };
  const verdicts = (text: string): string => {
    const rules = parseRules(text, 'rules');
    const asked = [target, { ...target, protocol: 'udp' } as const, { host: '/run/x', port: 0 }];
    return asked.map((one) => (decide(rules, one).kind === 'allowed' ? '+' : '-')).join('');
  };
  for (const [text, expected] of [
    ['*:0', '+--'],
    ['udp:*:0', '-+-'],
    ['10.0.0.5:53\nudp:10.0.0.5:53', '++-'],
    ['udp:class:private:53', '-+-'],
    ['*:0\nudp:*:0\ndeny class:private:0', '---'],
    ['*:0\nudp:*:0\ndeny udp:class:private:0', '+--'],
    ['*:0\nudp:*:0\ndeny udp:*:54', '++-'],
    ['/run/x', '--+'],
    ['/run/X\n/run/x/\n/run//x', '---'],
    ['*:0\ndeny *:0\n/run/x', '--+'],
  ] as const)
    t.equal(verdicts(text), expected, text);
});
