import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Syslog } from '../../../src/platform/logging/syslog.js';
import { failCall } from '../../support/failing-calls.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** A `logger` that does what the script says; `$0.said` is beside it. */
function logger(t: Test, script: string): { command: string[]; said: () => string } {
  const path = join(temporaryDirectory(t), 'logger');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return { command: [path], said: () => (existsSync(`${path}.said`) ? readFileSync(`${path}.said`, 'utf8') : '') };
}

/** ms of the clock: the pause before a restart, and how long the end waits for `logger`. */
const PAUSE = 1_000;
const END_TIMEOUT = 2_000;

/** Its clock stands still: no `logger` is too slow for it. */
function start(command: string[]): { syslog: Syslog; clock: ManualClock; fallback: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  const clock = new ManualClock();
  const syslog = new Syslog({ clock, fallback: stream, pid: 42 }, { tag: 'test', command });
  return { syslog, clock, fallback: () => text };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(20);
}

async function end(syslog: Syslog): Promise<void> {
  syslog.end();
  await finished(syslog);
}

t.test('logger gets all lines with their priorities, including the last one', async (t) => {
  const { command, said } = logger(t, 'cat > $0.said');
  const { syslog, fallback } = start(command);
  syslog.write('<6>first\n');
  syslog.write('<3>last\n');
  await end(syslog);
  t.equal(said(), '<6>first\n<3>last\n');
  t.equal(fallback(), '');
});

t.test('without a working logger, all lines go to standard error after one warning', async (t) => {
  for (const command of [['/nonexistent/logger'], logger(t, 'echo "no socket" >&2; exit 1').command]) {
    const { syslog, fallback } = start(command);
    syslog.write('<3>early\n');
    await until(() => fallback().includes('early'));
    syslog.write('<6>later\n');
    await end(syslog);
    t.match(fallback(), /^warning: syslog does not work, so this goes to standard error: .*\nerror: early\nlater\n$/);
  }
});

t.test('a logger that exits is restarted', async (t) => {
  const { command, said } = logger(t, 'if [ -e $0.once ]; then cat >> $0.said; else touch $0.once; exit 1; fi');
  const { syslog, clock, fallback } = start(command);
  await until(() => fallback().includes('warning'));
  clock.advance(PAUSE);
  syslog.write('<6>again\n');
  await until(() => said() === '<6>again\n');
  await end(syslog);
});

t.test('a logger that does not read blocks nothing, and what waits for it is bounded', async (t) => {
  const { syslog, clock } = start(logger(t, 'exec sleep 60').command);
  const line = `<6>${'x'.repeat(1_000)}\n`;
  for (let index = 0; index < 5_000; index += 1) syslog.write(line);
  t.equal(syslog.writableLength, 0);
  const ended = end(syslog);
  clock.advance(END_TIMEOUT);
  await ended;
  t.pass('and the end comes');
});

for (const code of ['EMFILE', 'ENOMEM']) {
  t.test(`while no process can be started (${code}), lines go to standard error`, async (t) => {
    const { command, said } = logger(t, 'cat > $0.said');
    failCall('child_process.spawn', code);
    const { syslog, clock, fallback } = start(command);
    syslog.write('<3>early\n');
    await until(() => fallback().includes('syslog') && fallback().includes('early'));
    t.match(fallback(), new RegExp(`syslog does not work, .*${code}\n`));
    t.match(fallback(), /^error: early$/m);
    clock.advance(PAUSE);
    syslog.write('<6>later\n');
    await until(() => said() === '<6>later\n');
    await end(syslog);
  });
}
