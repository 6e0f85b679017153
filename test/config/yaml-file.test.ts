import t from 'tap';
import { readYaml } from '../../src/config/yaml-file.js';

const read = (text: string) => readYaml(text, (key) => ['log', 'network'].includes(key));

t.test('keys are joined with their groups, and keys and list entries have their lines', async (t) => {
  const { entries, errors } = read(
    '# first\nuser: me\nlog:\n\n  level: debug\nnetwork:\n  bootstrap:\n    - a\n\n    - b\n',
  );
  t.same(errors, []);
  t.same(entries, [
    { key: 'user', value: 'me', line: 2, itemLines: [] },
    { key: 'log.level', value: 'debug', line: 5, itemLines: [] },
    { key: 'network.bootstrap', value: ['a', 'b'], line: 7, itemLines: [8, 10] },
  ]);
});

t.test('an empty file, a file of comments and an empty group have no settings', async (t) => {
  for (const text of ['', '\n', '# nothing\n', 'log:\n', 'log: {}\n', '---\n']) {
    t.same(read(text), { entries: [], errors: [] }, JSON.stringify(text));
  }
});

t.test('values keep the types that YAML 1.2 gives them', async (t) => {
  const values = read('a: off\nb: false\nc: 22:33\nd: 33445\ne:\nf: "0"\n').entries.map(({ value }) => value);
  t.same(values, ['off', false, '22:33', 33445, null, '0']);
});

t.test('an error has its line', async (t) => {
  const cases: [string, number, RegExp][] = [
    ['a: 1\nb: [1\n', 3, /./],
    ['user: a\n\nuser: b\n', 3, /unique/],
    ['log:\n  level: debug\nlog.level: info\n', 3, /"log\.level" is already in line 2/],
    ['a: 1\nlog: debug\n', 2, /"log" must contain keys with values/],
    ['just words\n', 1, /the file must contain keys with values/],
    ['- a\n', 1, /the file must contain keys with values/],
    ['a: &x secret\nb: *x\n', 2, /alias/],
    ['a: &x [*x]\n', 1, /alias/],
    ['a: 1\n---\nb: 1\n', 2, /documents/],
  ];
  for (const [text, line, message] of cases) {
    const { errors } = read(text);
    t.ok(errors.length > 0, text);
    t.equal(errors[0]?.line, line, text);
    t.match(errors[0]?.message, message);
  }
});

t.test('no text makes the reader throw, and names of object members are ordinary keys', async (t) => {
  for (const text of ['\0', '\t', '? [a, b]\n: c\n', '{', '!!js/function x', '%YAML 9.9\n---\na: b', '"\\u{110000}"']) {
    t.doesNotThrow(() => read(text), JSON.stringify(text));
  }
  t.equal(read('__proto__: {a: 1}\nconstructor: 1\n').entries.length, 2);
  t.equal(({} as { a?: unknown }).a, undefined);
});
