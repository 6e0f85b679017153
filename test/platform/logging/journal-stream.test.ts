import { closeSync, fstatSync, openSync } from 'node:fs';
import t from 'tap';
import { isReadByJournal } from '../../../src/platform/logging/journal-stream.js';

t.test('journald reads a stream whose device and inode are those that systemd named', async (t) => {
  const fd = openSync('/dev/null', 'w');
  const { dev, ino } = fstatSync(fd);
  t.equal(isReadByJournal(`${dev}:${ino}`, fd), true);
  for (const other of [undefined, '', `${dev}`, `${dev}:${ino + 1}`, `${dev + 1}:${ino}`, 'nonsense']) {
    t.equal(isReadByJournal(other, fd), false, String(other));
  }
  closeSync(fd);
  t.equal(isReadByJournal(`${dev}:${ino}`, fd), false);
});
