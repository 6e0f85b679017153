import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const program = fileURLToPath(new URL('report.js', import.meta.url));

function report(tapOutput: string): { readonly status: number | null; readonly text: string; readonly last: string } {
  const { status, stdout } = spawnSync(process.execPath, [program], { input: tapOutput, encoding: 'utf8' });
  return { status, text: stdout, last: stdout.trimEnd().split('\n').at(-1) ?? '' };
}

const PASSING = `# Subtest: dist/test/a.test.js
    # Subtest: a \\# in its name
        ok 1 - one
        ok 2 - two
        1..2
    ok 1 - a \\# in its name # time=1ms

    # Subtest: outer
        # Subtest: inner
            ok 1 - deep
            1..1
        ok 1 - inner # time=1ms
        1..1
    ok 2 - outer # time=1ms
    1..2
ok 1 - dist/test/a.test.js # time=3ms
`;

t.test('counts tests with a name, not assertions', async (t) => {
  const { status, text, last } = report(`TAP version 14\n1..1\n${PASSING}`);
  t.equal(last, '2 passed, 0 failed');
  t.equal(status, 0);
  t.match(text, 'ok   test/a.test.js: 2 passed');
});

t.test('names what was left out, with its reason, and does not count it', async (t) => {
  const { status, text, last } = report(`${PASSING}# Subtest: dist/test/b.test.js
    # Subtest: needs a tool
        ok 1 - gcc is missing # SKIP gcc is missing
        1..1
    ok 1 - needs a tool # time=1ms
    ok 2 - needs another # SKIP make is missing
    1..2
ok 2 - dist/test/b.test.js # time=3ms
`);
  t.equal(last, '2 passed, 0 failed');
  t.equal(status, 0);
  t.match(
    text,
    'Left out:\n- gcc is missing\n    test/b.test.js > needs a tool\n- make is missing\n    test/b.test.js > needs another',
  );
});

t.test('shows a failure once, with its details, however deep it is', async (t) => {
  const { status, text, last } = report(`${PASSING}# Subtest: dist/test/c.test.js
    # Subtest: outer
        # Subtest: inner
            not ok 1 - one is two
              ---
              diff: |
                -2
                +1
              ok 7 - this is detail, not a result
              ...
            ok 2 - fine
            1..2
        not ok 1 - inner # time=1ms
          ---
          at: elsewhere
          ...
        1..1
    not ok 1 - outer # time=1ms
    1..1
not ok 2 - dist/test/c.test.js # time=3ms
`);
  t.equal(last, '2 passed, 1 failed');
  t.equal(status, 1);
  t.match(text, '> inner\n  > one is two\n    diff: |\n      -2\n      +1\n    ok 7');
  t.notMatch(text, 'elsewhere');
});

t.test('a file that crashed, timed out or was cut off has failed', async (t) => {
  const crashed = 'not ok 2 - dist/test/d.test.js # time=3ms\n  ---\n  exitCode: 139\n  ...\n';
  t.equal(report(PASSING + crashed).last, '2 passed, 1 failed');
  t.match(report(PASSING + crashed).text, 'exitCode: 139');
  const hung = report(`${PASSING}not ok 2 - timeout!\n  ---\n  expired: dist/test/f.test.js\n  ...\n`);
  t.equal(hung.last, '2 passed, 1 failed');
  t.match(hung.text, 'FAIL test/f.test.js: 0 passed, 1 failed');
  const cutOff =
    '# Subtest: dist/test/e.test.js\n    # Subtest: hangs\n        ok 1 - begins\nnot ok 2 - dist/test/e.test.js\n';
  t.equal(report(PASSING + cutOff).last, '2 passed, 1 failed');
  t.equal(report(`${PASSING}Bail out!\n`).last, '2 passed, 1 failed');
});

t.test('nothing run is no success', async (t) => {
  const { status, last } = report('TAP version 14\n1..0 # no tests found\n');
  t.equal(status, 1);
  t.equal(last, '0 passed, 0 failed');
});
