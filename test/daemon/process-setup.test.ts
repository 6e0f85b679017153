import { chownSync } from 'node:fs';
import t from 'tap';
import { warnRoot } from '../../src/daemon/process-setup.js';
import { requirementsMet, root } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** @returns the warnings of a process of that user */
function warningsOf(uid: number, stateDirectory: string): string[] {
  const warnings: string[] = [];
  const log = { warn: (text: string) => warnings.push(text) } as unknown as Parameters<typeof warnRoot>[1];
  const process = { geteuid: () => uid } as unknown as NodeJS.Process;
  warnRoot(process, log, { stateDirectory } as Parameters<typeof warnRoot>[2]);
  return warnings;
}

t.test('root is warned where the state belongs to the user of the service', async (t) => {
  if (!requirementsMet(t, root('give a directory away'))) return;
  const directory = temporaryDirectory(t);
  t.same(warningsOf(0, directory), []);
  chownSync(directory, 0, 65_534);
  t.match(warningsOf(0, directory), [/^running as root, but .* is for another user.*add -U tuntox$/]);
  t.same(warningsOf(65_534, directory), []);
});
