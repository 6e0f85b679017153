import t from 'tap';
import { JsonSyntaxError, type LocatedJson, parseLocatedJson } from '../../../src/engine/network/located-json.js';
import { mutations } from '../../support/fuzz.js';

/** The value without its lines, as JSON.parse gives it. */
function plain({ value }: LocatedJson): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  return Array.isArray(value) ? (value as LocatedJson[]).map(plain) : value;
}

const SAMPLE = `{
  "nodes": [
    { "port": 33445, "name": "a \\"b\\" \\u00e9", "list": [], "none": {} },
    [-1.5e3, 0, true, false, null, ""]
  ]
}
`;

t.test('it gives the values of JSON.parse', async (t) => {
  t.same(plain(parseLocatedJson(SAMPLE)), JSON.parse(SAMPLE));
});

t.test('every value knows the line on which it begins', async (t) => {
  const nodes = (parseLocatedJson(SAMPLE).value as Map<string, LocatedJson>).get('nodes') as LocatedJson;
  const [first, second] = nodes.value as LocatedJson[];
  t.equal(nodes.line, 2);
  t.equal(first?.line, 3);
  t.equal(second?.line, 4);
});

t.test('an error names the line and what was expected', async (t) => {
  const cases: [string, number, RegExp][] = [
    ['', 1, /a value is expected, but the end of the file comes/],
    ['{\n"a": 1\n"b": 2}', 3, /"," or "}" is expected/],
    ['[\n1,\n2\n', 4, /"," or "\]" is expected, but the end/],
    ['{\n\n"a" 1}', 3, /":" is expected/],
    ['{"a":\n}', 2, /a value is expected, but "}" comes/],
    ['[1,\n]', 2, /a value/],
    ['{"a":1,\n}', 2, /a name in quotes/],
    ['\n[1.2.3]', 2, /1\.2\.3 is not JSON/],
    ['\n"never\nended"', 2, /a value/],
    ['\n"\\q"', 2, /is not JSON/],
    ['{}\n{}', 2, /the end is expected/],
    ['['.repeat(100_000), 1, /too deeply/],
  ];
  for (const [text, line, message] of cases) {
    t.throws(() => parseLocatedJson(text), { code: 'json-syntax', line, message }, JSON.stringify(text.slice(0, 20)));
  }
});

t.test('it takes exactly what JSON.parse takes, whatever comes', async (t) => {
  for (const bytes of mutations(7, [Buffer.from(SAMPLE)], 5_000)) {
    const text = bytes.toString('latin1');
    let expected: unknown;
    try {
      expected = JSON.parse(text);
    } catch {
      expected = undefined;
    }
    try {
      const found = plain(parseLocatedJson(text));
      if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected, text);
    } catch (error) {
      if (!(error instanceof JsonSyntaxError) || expected !== undefined) t.fail(`${error} for ${text}`);
    }
  }
});
