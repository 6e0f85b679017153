import { createReadStream } from 'node:fs';
import t from 'tap';
import { CodedError } from '../../src/base/coded-error.js';
import { adviceFor, describeError, errorReport, stackOf } from '../../src/base/program-error.js';

const DEBUG = { TUNTOX_LOG_LEVEL: 'debug' };

t.test('an error is described in one line with its place, which is never in Node itself', async (t) => {
  const refused = t.throws(() => createReadStream(7 as never)) as unknown as Error;
  t.match(refused.stack, /^ {4}at .*node:/m);
  t.match(describeError(refused), /^TypeError: The "path" argument .*program-error\.test.*\)$/);
  t.match(describeError(new CodedError('code', 'it broke: mend it')), /^it broke: mend it \(at /);
  t.equal(describeError('a word'), 'a word');
});

t.test('the stack is shown when debug messages are wanted', async (t) => {
  const error = new Error('broken');
  t.equal(stackOf(error, {}), undefined);
  t.equal(errorReport(error, {}), `${describeError(error)}: ${adviceFor(error)}`);
  t.equal(errorReport(error, DEBUG), `${describeError(error)}: ${adviceFor(error)}\n${error.stack}`);
  t.equal(stackOf('a word', DEBUG), undefined);
});

t.test('a system without resources is not a bug in the program', async (t) => {
  t.match(adviceFor(new TypeError('x')), /bug in the program: please report it/);
  t.match(
    adviceFor(Object.assign(new Error('open'), { code: 'EMFILE' })),
    /no file descriptor or memory left .* raise the limit/,
  );
  const ofOs = Object.assign(new Error('A system error'), { code: 'ERR_SYSTEM_ERROR', info: { errno: -12 } });
  t.match(adviceFor(ofOs), /no file descriptor or memory left/);
});
