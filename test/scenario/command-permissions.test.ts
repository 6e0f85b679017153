/** Without the permission for something, the command prints one line that says what to do. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startTuntox } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { asOrdinaryUser, runsAsOrdinaryUser } from './support/ordinary-user.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const NOWHERE = ['--bootstrap', `127.0.0.1:9:${ID.slice(0, 64)}`];
const SERVER = ['--insecure-open', ...NOWHERE];

/** A directory that the ordinary user can get into, and write in. */
function directoryOf(t: Test): string {
  const path = join(temporaryDirectory(t), 'inner');
  mkdirSync(path);
  chmodSync(join(path, '..'), 0o755);
  chmodSync(path, 0o777);
  return path;
}

async function refuses(t: Test, args: readonly string[], message: RegExp): Promise<void> {
  const command = startTuntox(args, { prefix: asOrdinaryUser });
  t.equal(await command.exited, 1, command.stderr);
  t.equal(command.stdout, '');
  t.match(command.stderr.replace(/^warning: .*\n/gm, ''), new RegExp(`^tuntox: ${message.source}\\n$`));
}

t.test('as an ordinary user', async (t) => {
  if (!requirementsMet(t, runsAsOrdinaryUser)) return;

  await t.test('a directory that is not writable', async (t) => {
    const directory = directoryOf(t);
    chmodSync(directory, 0o555);
    await refuses(
      t,
      ['-C', directory, ...SERVER],
      /cannot write in .*inner \(permission denied\): make it writable .*-C/,
    );
    await refuses(
      t,
      ['-C', join(directory, 'new'), ...SERVER],
      /cannot write in .*new \(permission denied\): make it .*-C/,
    );
    await refuses(
      t,
      ['-I', join(directory, 'id'), ...SERVER],
      /cannot write the Tox ID to .* \(permission denied\): name .*-I/,
    );
  });

  await t.test('a tox_save that is not readable, and stays as it is', async (t) => {
    const directory = directoryOf(t);
    const file = join(directory, 'tox_save');
    writeFileSync(file, 'precious');
    chmodSync(file, 0);
    await refuses(
      t,
      ['-C', directory, ...SERVER],
      /cannot read .*tox_save \(permission denied\): make it readable .*-C/,
    );
    chmodSync(file, 0o600);
    t.equal(readFileSync(file, 'latin1'), 'precious');
  });

  await t.test('files of the owner that are not readable', async (t) => {
    const directory = directoryOf(t);
    for (const flag of ['-f', '-b', '--secret-file']) {
      const file = join(directory, `file${flag}`);
      writeFileSync(file, 'canary');
      chmodSync(file, 0);
      await refuses(
        t,
        [flag, file, ...SERVER],
        /cannot read .*file-.*: this user may not read it: .*run .*chmod .*file-.*/,
      );
    }
  });

  await t.test('a privileged port', async (t) => {
    const first = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1'));
    if (!requirementsMet(t, { isMet: first > 1, reason: 'here every user may listen on every port', isOptional: true }))
      return;
    await refuses(
      t,
      ['-q', '-i', ID, '-L', '1:127.0.0.1:22', ...NOWHERE],
      /this user may not listen on port 1: choose a port above 1023, or give the program CAP_NET_BIND_SERVICE .*/,
    );
    await refuses(t, ['-u', '1:1', ...SERVER], /.*\b1\b.*/);
  });
});
