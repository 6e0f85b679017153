import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LogFile } from '../../../src/platform/logging/log-file.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const line = (text: string): string => `${text.padEnd(9, '.')}\n`;

t.test('a full file becomes the older one, and the one before that goes', async (t) => {
  const path = join(temporaryDirectory(t), 'agent.log');
  const log = new LogFile(path, 30);
  for (const text of ['1', '2', '3', '4', '5', '6', '7']) log.write(line(text));
  t.equal(readFileSync(path, 'utf8'), line('7'));
  t.equal(readFileSync(`${path}.1`, 'utf8'), ['4', '5', '6'].map(line).join(''));
  t.equal(statSync(path).mode & 0o777, 0o600);
});

t.test('it continues the file of an earlier process', async (t) => {
  const path = join(temporaryDirectory(t), 'agent.log');
  new LogFile(path, 30).write(line('1'));
  const second = new LogFile(path, 30);
  for (const text of ['2', '3', '4']) second.write(line(text));
  t.equal(readFileSync(path, 'utf8'), line('4'));
});

t.test('where nothing can be written, the program continues', async (t) => {
  const directory = join(temporaryDirectory(t), 'gone');
  const log = new LogFile(join(directory, 'agent.log'), 30);
  log.write(line('1'));
  t.notOk(existsSync(directory));
  rmSync(directory, { force: true });
});
