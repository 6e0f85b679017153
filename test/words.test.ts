/** The check of words of `make lint` (packaging/check-words.js). */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT, temporaryDirectory } from './support/processes.js';

function check(files: Readonly<Record<string, string>>): { readonly status: number | null; readonly stderr: string } {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'src'));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
  return spawnSync(process.execPath, [join(ROOT, 'packaging/check-words.js'), directory], { encoding: 'utf8' });
}

t.test('a banned word is found in an identifier, a string and prose, with its place and what to write', async (t) => {
  const found = check({
    'src/a.ts': "class ClientDoorkeeper {}\nconst LOST_WAY = 1;\nconst text = 'the option is of use';\n",
    'src/visitor.ts': '',
    'README.md': 'The bequest.\n',
  });
  t.equal(found.status, 1);
  t.match(found.stderr, 'README.md:1: "bequest": write handover');
  t.match(found.stderr, 'src/visitor.ts: "visitor": write client');
  t.match(found.stderr, 'src/a.ts:1: "Doorkeeper": write admission');
  t.match(found.stderr, 'src/a.ts:2: "LOST WAY": write onPathLost');
  t.match(found.stderr, 'src/a.ts:3: "is of use": write is useful');
});

t.test('a word that only contains a banned one is allowed', async (t) => {
  const { status, stderr } = check({
    'src/a.ts': '// The unusual case, usually.\n',
    'README.md': 'unusual, usually\n',
  });
  t.equal(stderr, '');
  t.equal(status, 0);
});
