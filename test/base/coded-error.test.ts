import t from 'tap';
import { CodedError, messageOf, systemCodeOf } from '../../src/base/coded-error.js';

class LayerError extends CodedError<'broken' | 'gone'> {}

t.test('an error has its code, its cause and the name of its class', async (t) => {
  const cause = new Error('deeper');
  const error = new LayerError('broken', 'it broke', { cause });
  t.ok(error instanceof Error);
  t.equal(error.code, 'broken');
  t.equal(error.cause, cause);
  t.equal(String(error), 'LayerError: it broke');
});

t.test('any thrown value has a message', async (t) => {
  t.equal(messageOf(new Error('text')), 'text');
  t.equal(messageOf('text'), 'text');
  t.equal(messageOf(undefined), 'undefined');
});

t.test('only a system error has a system code', async (t) => {
  t.equal(systemCodeOf(Object.assign(new Error('in use'), { code: 'EADDRINUSE' })), 'EADDRINUSE');
  for (const thrown of [new Error('plain'), { code: 7 }, 'EADDRINUSE', null, undefined])
    t.equal(systemCodeOf(thrown), undefined);
});

t.test('an error of node:os with a number, of either sign, has a system code', async (t) => {
  for (const errno of [24, -24]) {
    const thrown = Object.assign(new Error('A system error'), { code: 'ERR_SYSTEM_ERROR', info: { errno } });
    t.equal(systemCodeOf(thrown), 'EMFILE');
  }
});
