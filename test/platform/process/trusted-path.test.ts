import { chmodSync, chownSync, lchownSync, linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { untrustedPart } from '../../../src/platform/process/trusted-path.js';
import { requirementsMet, root } from '../../support/requirements.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const NOBODY = 65534;

/** Settings as they are installed: of root's, in a directory in which its group makes files of its own. */
function settings(t: Test): { directory: string; file: string } {
  const directory = join(temporaryDirectory(t), 'tuntox');
  mkdirSync(directory);
  chownSync(directory, 0, NOBODY);
  chmodSync(directory, 0o1770);
  const file = join(directory, 'tuntox.yaml');
  writeFileSync(file, '');
  chownSync(file, 0, NOBODY);
  chmodSync(file, 0o640);
  return { directory, file };
}

t.test('the path of a file', async (t) => {
  if (!requirementsMet(t, root('own files that others do not'))) return;

  await t.test('a file of root in a sticky directory of root is trusted', async (t) => {
    const { directory, file } = settings(t);
    t.equal(untrustedPart(file), undefined);
    symlinkSync(file, join(directory, 'link'));
    t.equal(untrustedPart(join(directory, 'link')), undefined, 'by a link of root, too');
  });

  await t.test('a file of the user who trusts it is trusted, as are those of root above', async (t) => {
    const { file } = settings(t);
    chownSync(file, NOBODY, 0);
    t.equal(untrustedPart(file, NOBODY), undefined);
    t.equal(untrustedPart(file, NOBODY - 1), file);
  });

  await t.test('a file or a directory of another user is not trusted', async (t) => {
    const { directory, file } = settings(t);
    chownSync(file, NOBODY, 0);
    t.equal(untrustedPart(file), file);
    chownSync(file, 0, 0);
    chownSync(directory, NOBODY, 0);
    t.equal(untrustedPart(file), directory);
  });

  await t.test('a file that a group or all users can change is not trusted', async (t) => {
    const { directory, file } = settings(t);
    for (const mode of [0o660, 0o606]) {
      chmodSync(file, mode);
      t.equal(untrustedPart(file), file, mode.toString(8));
    }
    chmodSync(file, 0o600);
    chmodSync(directory, 0o770);
    t.equal(untrustedPart(file), directory, 'without the sticky bit');
  });

  await t.test('a link of another user, or to a file that others can change, is not trusted', async (t) => {
    const { directory, file } = settings(t);
    const [aside, link] = [join(directory, 'aside'), join(directory, 'link')];
    renameSync(file, aside);
    symlinkSync(aside, file);
    lchownSync(file, NOBODY, NOBODY);
    t.equal(untrustedPart(file), file);
    chmodSync(aside, 0o666);
    symlinkSync('aside', link);
    t.equal(untrustedPart(link), aside);
  });

  await t.test('a file of root with a second name is not trusted', async (t) => {
    const { directory, file } = settings(t);
    linkSync(file, join(directory, 'other'));
    t.equal(untrustedPart(file), file);
  });
});
