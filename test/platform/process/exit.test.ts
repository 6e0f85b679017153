/** A command exits even if nothing reads its last output. */
import t from 'tap';
import { exitWith } from '../../../src/platform/process/exit.js';

t.test('a command exits with its status, after 2 s even if its output is stuck', async (t) => {
  const ended: number[] = [];
  const later: [() => void, number][] = [];
  const process: Parameters<typeof exitWith>[0] = { exit: (status) => ended.push(status) };
  exitWith(process, 3, (delay, work) => void later.push([work, delay]));
  t.equal(process.exitCode, 3, 'a process with nothing to wait for ends by itself');
  t.strictSame(ended, []);
  t.equal(later[0]?.[1], 2_000);
  later[0]?.[0]();
  t.strictSame(ended, [3]);
});
