import t from 'tap';
import { shortKey } from '../../src/base/short-key.js';

t.test('a key is named by its first 8 digits, in upper case', async (t) => {
  t.equal(shortKey('5a40c344f9d1'), '5A40C344');
});
