import { createReadStream } from 'node:fs';
import t from 'tap';
import { CodedError } from '../../src/base/coded-error.js';
import { describeFault, faultText, REPORT_IT, stackOf } from '../../src/base/program-fault.js';

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
  t.equal(faultText(fault, {}), `${describeFault(fault)}: ${REPORT_IT}`);
  t.equal(faultText(fault, DEBUG), `${describeFault(fault)}: ${REPORT_IT}\n${fault.stack}`);
  t.equal(stackOf('a word', DEBUG), undefined);
});
