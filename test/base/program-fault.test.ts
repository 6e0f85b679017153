import { createReadStream } from 'node:fs';
import t from 'tap';
import { CodedError } from '../../src/base/coded-error.js';
import { adviceFor, describeFault, faultText, stackOf } from '../../src/base/program-fault.js';

const DEBUG = { TUNTOX_LOG_LEVEL: 'debug' };

t.test('a fault is one line with its place, which is never in Node itself', async (t) => {
  const refused = t.throws(() => createReadStream(7 as never)) as unknown as Error;
  t.match(refused.stack, /^ {4}at .*node:/m);
  t.match(describeFault(refused), /^TypeError: The "path" argument .*program-fault\.test.*\)$/);
  t.match(describeFault(new CodedError('code', 'it broke: mend it')), /^it broke: mend it \(at /);
  t.equal(describeFault('a word'), 'a word');
});

t.test('the stack is for those who debug', async (t) => {
  const fault = new Error('broken');
  t.equal(stackOf(fault, {}), undefined);
  t.equal(faultText(fault, {}), `${describeFault(fault)}: ${adviceFor(fault)}`);
  t.equal(faultText(fault, DEBUG), `${describeFault(fault)}: ${adviceFor(fault)}\n${fault.stack}`);
  t.equal(stackOf('a word', DEBUG), undefined);
});

t.test('that the system has nothing more to give is no fault of the program', async (t) => {
  t.match(adviceFor(new TypeError('x')), /fault of the program, please report it/);
  t.match(
    adviceFor(Object.assign(new Error('open'), { code: 'EMFILE' })),
    /no file descriptor or memory left .* raise the limit/,
  );
  const ofOs = Object.assign(new Error('A system error'), { code: 'ERR_SYSTEM_ERROR', info: { errno: -12 } });
  t.match(adviceFor(ofOs), /no file descriptor or memory left/);
});
