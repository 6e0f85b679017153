import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { groupIdOf } from '../../../src/platform/process/group-id.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

t.test('a group is found by its whole name, in the file or by the C library', async (t) => {
  const file = join(temporaryDirectory(t), 'group');
  writeFileSync(file, 'tuntoxer:x:7:\ntuntox:x:812:a,b\nodd:x:many:\n');
  t.equal(groupIdOf('tuntox', { isThorough: false, file }), 812);
  t.equal(groupIdOf('odd', { isThorough: false, file }), undefined);
  t.equal(groupIdOf('root', { isThorough: false, file }), undefined);
  t.equal(groupIdOf('root', { isThorough: true, file }), 0);
  t.equal(groupIdOf('no-such-group', { isThorough: true, file: `${file}.missing` }), undefined);
});
