import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ownFile, ownVersion } from '../../src/base/own-files.js';
import { ROOT } from '../support/processes.js';

t.test('files that come with the program are found from where package.json is', async (t) => {
  t.equal(ownFile('package.json'), join(ROOT, 'package.json'));
  t.ok(existsSync(ownFile('etc/tuntox/nodes.json')));
});

t.test('the version is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  t.equal(ownVersion(), version);
});
