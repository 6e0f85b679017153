import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { runInForeground } from '../../../src/platform/process/foreground-program.js';
import { Process } from '../../support/processes.js';

t.test('the status is that of the program, or names the signal that ended it', async (t) => {
  t.equal(await runInForeground(process, 'sh', ['-c', 'exit 7']), 7);
  t.equal(await runInForeground(process, 'sh', ['-c', 'kill -KILL $$']), 137);
  t.equal(await runInForeground(process, 'sh', ['-c', '[ "$1" = "a  b" ] && [ -z "$2" ]', 'sh', 'a  b', '']), 0);
});

t.test('a program that is missing or cannot be started is an error', async (t) => {
  await t.rejects(runInForeground(process, 'no-such-program', []), { code: 'missing', message: /no-such-program/ });
  await t.rejects(runInForeground(process, '/etc/passwd', []), { code: 'not-started' });
});

t.test('a program that stops itself stops this process too, and both continue together', async (t) => {
  const module = JSON.stringify(new URL('../../../src/platform/process/foreground-program.js', import.meta.url));
  const script = `import { runInForeground } from ${module};
    process.exitCode = await runInForeground(process, 'sh', ['-c', 'echo $$; kill -STOP $$; exit 5']);`;
  const running = new Process('node', process.execPath, ['--input-type=module', '-e', script]);
  t.teardown(() => running.stop('SIGKILL'));
  await running.waitFor(/^[0-9]+\n/);
  while (!/\) T/.test(readFileSync(`/proc/${running.pid}/stat`, 'latin1'))) await setImmediate();
  running.kill('SIGCONT');
  t.equal(await running.exited, 5, running.stderr);
});

t.test('signals that mean to stop are passed on, and have their old effect afterwards', async (t) => {
  const before = process.listenerCount('SIGTERM');
  const script = 'trap "exit 9" TERM; kill -TERM $PPID; while :; do sleep 0.02; done';
  t.equal(await runInForeground(process, 'sh', ['-c', script]), 9);
  t.equal(process.listenerCount('SIGTERM'), before);
});
