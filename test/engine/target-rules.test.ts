import t from 'tap';
import { parseRules } from '../../src/engine/target-rules.js';
import { decide } from '../../src/tunnel/rules.js';

const file = `# services of the office
127.0.0.1:22
*:443
Intranet.example.:0   # any port
[2001:DB8::0:1]:8080

db@5432
`;

t.test('a rules file allows what stands in it and nothing else', async (t) => {
  const rules = parseRules(file, 'rules');
  const lineOf = (host: string, port: number): number | undefined => decide(rules, { host, port })?.line;
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

t.test('no rules allow nothing', async (t) => {
  t.equal(decide(parseRules('# nothing\n\n', 'rules'), { host: '127.0.0.1', port: 22 }), undefined);
});

t.test('port 0 of a request is no wildcard', async (t) => {
  t.equal(decide(parseRules('127.0.0.1:22', 'rules'), { host: '127.0.0.1', port: 0 }), undefined);
  t.equal(decide(parseRules('127.0.0.1:22', 'rules'), { host: '*', port: 22 }), undefined);
});

t.test('a line that is no rule is named by its number', async (t) => {
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
  ]) {
    const text = `# fine\nok:1\n${bad}\n`;
    t.throws(() => parseRules(text, 'rules'), { code: 'bad-rules', message: /^rules, line 3: / }, bad);
  }
});

t.test(
  'what Windows puts at the start of a file and the end of a line, and spaces around, are no matter',
  async (t) => {
    t.match(parseRules('\ufeff  a:1 \r\n\tb:2\r\n', 'rules'), [
      { host: 'a', port: 1 },
      { host: 'b', port: 2, line: 2 },
    ]);
  },
);
