import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { runInForeground } from '../../../src/platform/process/foreground-program.js';
import { type Process, startProgram } from '../../support/processes.js';

t.test('the status is that of the program, or names the signal that ended it', async (t) => {
  t.equal(await runInForeground(process, 'sh', ['-c', 'exit 7']), 7);
  t.equal(await runInForeground(process, 'sh', ['-c', 'kill -KILL $$']), 137);
  t.equal(await runInForeground(process, 'sh', ['-c', '[ "$1" = "a  b" ] && [ -z "$2" ]', 'sh', 'a  b', '']), 0);
});

t.test('a program that is missing or cannot be started is an error', async (t) => {
  await t.rejects(runInForeground(process, 'no-such-program', []), { code: 'missing', message: /no-such-program/ });
  await t.rejects(runInForeground(process, '/etc/passwd', []), { code: 'not-started' });
});

/** A process of its own that runs a shell script in the foreground: signals would reach the listeners of this one. */
function startInForeground(t: Test, shellScript: string): Process {
  const module = JSON.stringify(new URL('../../../src/platform/process/foreground-program.js', import.meta.url));
  const script = `import { runInForeground } from ${module};
    process.exitCode = await runInForeground(process, 'sh', ['-c', ${JSON.stringify(shellScript)}]);
    process.stdout.write(JSON.stringify(process.eventNames()));`;
  const node = ['env', '-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', script];
  const running = startProgram('node', node);
  t.teardown(() => running.stop('SIGKILL'));
  return running;
}

t.test('a program that stops itself stops this process too, and both continue together', async (t) => {
  const running = startInForeground(t, 'echo $$; kill -STOP $$; exit 5');
  await running.waitFor(/^[0-9]+\n/);
  while (!/\) T/.test(readFileSync(`/proc/${running.pid}/stat`, 'latin1'))) await setImmediate();
  running.kill('SIGCONT');
  t.equal(await running.exited, 5, running.stderr);
});

t.test('signals that mean to stop are passed on, and have their old effect afterwards', async (t) => {
  const running = startInForeground(t, 'trap "exit 9" TERM; echo ready; for turn in $(seq 500); do sleep 0.02; done');
  await running.waitFor(/ready/);
  running.kill('SIGTERM');
  t.equal(await running.exited, 9, running.stderr);
  t.notMatch(running.stdout, /SIG/);
});
