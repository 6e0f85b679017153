/** `tuntox ssh-config`: the lines of ssh_config(5) with which plain ssh reaches the stored hosts. */
import { realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { writeResult } from '../../../base/result-output.js';
import { HOST_SUFFIX } from '../../../config/host-name.js';
import { ExitStatus } from '../exit-status.js';
import type { CommandLine } from '../flags.js';
import { ownProgram, proxyCommand } from '../proxy-command.js';

export async function runSshConfig({ flags }: CommandLine, process: NodeJS.Process): Promise<number> {
  const program = isOnPath(process) ? ['tuntox'] : ownProgram(process);
  await writeResult(
    process.stdout,
    [
      `# For ~/.ssh/config, written by "tuntox ssh-config": ssh NAME${HOST_SUFFIX}, and so scp,`,
      '# sftp, rsync and git, reach a host that "tuntox list" shows. Tox proves its',
      '# identity, so an unknown key of its sshd is accepted.',
      `Host *${HOST_SUFFIX}`,
      `    ProxyCommand ${proxyCommand(program, "'%h'", flags)}`,
      '    StrictHostKeyChecking accept-new',
      '',
    ].join('\n'),
  );
  return ExitStatus.Ok;
}

/** Whether the command `tuntox` starts this very program. */
function isOnPath({ env, argv }: NodeJS.Process): boolean {
  const own = realpathSync(argv[1] as string);
  for (const directory of (env.PATH ?? '').split(delimiter)) {
    try {
      return realpathSync(join(directory, 'tuntox')) === own;
    } catch {
      // It is not in this directory.
    }
  }
  return false;
}
