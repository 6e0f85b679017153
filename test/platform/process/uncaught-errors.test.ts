import { spawnSync } from 'node:child_process';
import t from 'tap';

const LAST_RESORT = new URL('../../../src/platform/process/uncaught-errors.js', import.meta.url).href;

/** How a script ends on which the last resort is put first. */
function ended(script: string, env: NodeJS.ProcessEnv = {}) {
  const prelude = `import { exitOnUncaughtError, logUncaughtErrorsTo } from '${LAST_RESORT}'; exitOnUncaughtError(process, 'tuntox');`;
  // Alive for ever, unless the fault ends it.
  const text = `${prelude} setInterval(() => {}, 1000); ${script}`;
  return spawnSync('env', ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', text], {
    encoding: 'utf8',
    env: { ...process.env, TUNTOX_LOG_LEVEL: '', ...env },
  });
}

const FAULTS = {
  'an exception in a callback': 'setImmediate(() => { throw new TypeError("one\\ntwo"); });',
  'a rejection that nobody handles': 'void Promise.reject(new TypeError("one\\ntwo"));',
  'an error that nobody listens for':
    'import { EventEmitter } from "node:events"; setImmediate(() => new EventEmitter().emit("error", new TypeError("one\\ntwo")));',
};

for (const [what, script] of Object.entries(FAULTS)) {
  t.test(`${what} ends the process with status 1 and one line that says what to do`, async (t) => {
    const { status, stderr } = ended(script);
    t.equal(status, 1);
    t.match(stderr, /^tuntox: TypeError: one two \(at .*\): this is a bug in the program: please report it .*\n$/);
  });
}

t.test('any value may be thrown', async (t) => {
  const { status, stderr } = ended('setImmediate(() => { throw "a word"; });');
  t.equal(status, 1);
  t.match(stderr, /^tuntox: a word: this is a bug in the program.*\n$/);
});

t.test('the stack is shown when debug messages are wanted', async (t) => {
  const { stderr } = ended(FAULTS['an exception in a callback'], { TUNTOX_LOG_LEVEL: 'debug' });
  t.match(stderr, /report it.*\nTypeError: one\ntwo\n {4}at /);
});

t.test('with a log, the line and the stack go there', async (t) => {
  const log = '{ error: (text) => console.log("E", text), debug: (text) => console.log("D", text) }';
  const { status, stdout, stderr } = ended(
    `logUncaughtErrorsTo(process, ${log}); ${FAULTS['an exception in a callback']}`,
  );
  t.equal(status, 1);
  t.match(stdout, /^E TypeError: one two \(at .*\nD TypeError: one\ntwo\n {4}at /);
  t.equal(stderr, '');
});

t.test('a log that throws does not keep the process alive', async (t) => {
  const log = '{ error: () => { throw new Error("no log"); }, debug: () => {} }';
  t.equal(ended(`logUncaughtErrorsTo(process, ${log}); ${FAULTS['an exception in a callback']}`).status, 1);
});
