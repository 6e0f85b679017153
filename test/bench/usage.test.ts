import t from 'tap';
import { family, processorSeconds } from '../../bench/support/usage.js';
import { startProgram } from '../support/processes.js';

t.test('the family of a process is itself and all its descendants', async (t) => {
  const shell = startProgram('sh', [
    'sh',
    '-c',
    'sleep 1000 & echo $!; sh -c "echo \\$\\$; read line; exit" ; kill $!',
  ]);
  t.teardown(() => shell.stop());
  const [, sleep, inner] = await shell.waitFor(/^(\d+)\n(\d+)\n/);
  const pids = family(shell).map(({ pid }) => pid);
  t.equal(pids[0], shell.pid);
  t.same(pids.slice(1).sort(), [Number(sleep), Number(inner)].sort());
  t.ok(
    family(shell)
      .map(processorSeconds)
      .every((seconds) => seconds >= 0 && seconds < 60),
  );
  shell.child.stdin.end('\n');
  await shell.exited;
});
