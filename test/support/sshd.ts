/** An OpenSSH server of our own, with keys of its own, for the user who runs it, which must be root. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Prefix, type Process, startProgram } from './processes.js';
import { root, tool } from './requirements.js';

export const SSH_REQUIREMENTS = [
  tool('sshd', 'openssh-server'),
  tool('ssh', 'openssh-client'),
  root('run an sshd of its own'),
];

export interface Sshd {
  readonly process: Process;
  /** Options with which ssh logs in without the user's own settings and without a question. */
  readonly options: readonly string[];
}

/** Listens when this resolves; to be stopped by the caller. */
export async function startSshd(options: {
  readonly directory: string;
  readonly address: string;
  readonly port: number;
  readonly prefix?: Prefix;
}): Promise<Sshd> {
  const { directory, address, port, prefix } = options;
  const path = (name: string): string => join(directory, name);
  for (const name of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(name)]);
  const config = [
    `Port ${port}`,
    `ListenAddress ${address}`,
    `HostKey ${path('host')}`,
    `AuthorizedKeysFile ${path('user.pub')}`,
    `PidFile ${path('pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'Subsystem sftp internal-sftp',
    'MaxStartups 100',
  ];
  writeFileSync(path('config'), `${config.join('\n')}\n`);
  // Where Debian's sshd locks itself in; its service makes it.
  mkdirSync('/run/sshd', { recursive: true });
  const process = startProgram('sshd', ['/usr/sbin/sshd', '-D', '-e', '-f', path('config')], { prefix });
  await process.waitFor(/listening/);
  const settings = ['StrictHostKeyChecking=no', `UserKnownHostsFile=${path('known')}`, 'BatchMode=yes'];
  return { process, options: ['-F', 'none', '-i', path('user'), ...settings.flatMap((one) => ['-o', one])] };
}
