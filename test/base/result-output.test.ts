/** Results that cannot be written, by the real commands: the exit status says so, and standard error says why. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import t from 'tap';
import { isNullDevice } from '../../src/base/result-output.js';
import { HANDLERS, startDaemon } from '../cli/ctl/support/daemon.js';
import { commandFile } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** ms; a guard against hanging alone. */
const GUARD = 60_000;

const CALLS: readonly (readonly [string, string])[] = [
  ['tuntox', '-h'],
  ['tuntox', '-V'],
  ['tuntoxd', '-h'],
  ['tuntoxd', '-V'],
  ['tuntoxctl', '-h'],
  ['tuntoxctl', '-V'],
  ['tuntoxctl', 'completion'],
];

t.test('a full disk ends each of the three commands with status 1 and one line', async (t) => {
  for (const [name, argument] of CALLS) {
    const words = argument === 'completion' ? [argument, 'bash'] : [argument];
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [commandFile(name), ...words], {
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    t.equal(status, 1, `${name} ${argument}`);
    t.match(String(stderr), /^tunto\w+: cannot write to standard output: disk full\n/, `${name} ${argument}`);
    t.notMatch(String(stderr), /at .*:\d+:\d+/, 'no stack');
  }
});

t.test(
  'a server or a node whose first line cannot be written ends with 1, and with 141 where nobody reads it',
  async (t) => {
    for (const words of [['--insecure-open'], ['--node']]) {
      const full = openSync('/dev/full', 'w');
      const common = [commandFile('tuntox'), ...words, '--bootstrap', 'none', '-C', temporaryDirectory(t)];
      const stopped = spawnSync(process.execPath, common, { stdio: ['ignore', full, 'pipe'], timeout: GUARD });
      closeSync(full);
      t.equal(stopped.status, 1, String(stopped.stderr));
      t.match(String(stopped.stderr), /^tuntox: cannot write to standard output: disk full$/m);
      // The reader of the pipe has ended before the command starts: `wait` has seen it.
      const script = 'mkfifo f; true <f & exec 3>f; wait; exec "$@" >&3';
      const alone = spawnSync('sh', ['-c', script, 'sh', process.execPath, ...common], {
        cwd: temporaryDirectory(t),
        timeout: GUARD,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      t.equal(alone.status, 141, String(alone.stderr));
    }
  },
);

t.test('results of the daemon that cannot be written end with status 1, and no secret takes effect', async (t) => {
  const socket = await startDaemon(t, {
    'secret.set': () => t.fail('a secret that nobody has seen is in force') as never,
  });
  for (const words of [
    ['status'],
    ['id'],
    ['secret', 'rotate', '--json'],
    ['secret', 'rotate'],
    ['whitelist', 'export', '-'],
  ]) {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = await ended([...words, '--socket', socket], full);
    closeSync(full);
    t.equal(status, 1, words.join(' '));
    t.match(stderr, /cannot write to standard output/, words.join(' '));
  }
});

t.test('a new secret is not created if its output is lost', async (t) => {
  const socket = await startDaemon(t, {
    'secret.set': () => t.fail('a secret that nobody has seen is in force') as never,
  });
  const nowhere = openSync('/dev/null', 'w');
  t.ok(isNullDevice(nowhere));
  const { status, stderr } = await ended(['secret', 'rotate', '--socket', socket], nowhere);
  closeSync(nowhere);
  t.equal(status, 1);
  t.match(
    stderr.replaceAll(/\s+/g, ' '),
    /could not be shown, so nothing has changed: standard output is closed or is \/dev\/null/,
  );
});

t.test('an invitation whose link nobody saw is revoked', async (t) => {
  const revoked: string[] = [];
  const socket = await startDaemon(t, {
    'invite.revoke': (params, call) => {
      revoked.push(params.invitation);
      return HANDLERS['invite.revoke'](params, call);
    },
  });
  for (const [device, message] of [
    ['/dev/null', /the link could not be shown, so it was revoked \([a-z]{5}\): standard output is closed or is/],
    ['/dev/full', /cannot write to standard output: disk full/],
  ] as const) {
    const output = openSync(device, 'w');
    const { status, stderr } = await ended(['invite', 'create', '--socket', socket], output);
    closeSync(output);
    t.equal(status, 1, device);
    t.match(stderr.replaceAll(/\s+/g, ' '), message);
  }
  t.equal(revoked.length, 2);
});

async function ended(words: readonly string[], output: number): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [commandFile('tuntoxctl'), ...words], { stdio: ['ignore', output, 'pipe'] });
  let stderr = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    stderr += String(bytes);
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stderr };
}
