import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { readCommandLine } from '../../../src/cli/tuntox/flags.js';
import { withProxyUsers } from '../../../src/cli/tuntox/proxy-users.js';
import { settingsOf } from '../../../src/cli/tuntox/settings.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

t.test('the users of the file are those of every -D, and of no other forward', async (t) => {
  const file = join(temporaryDirectory(t), 'users');
  writeFileSync(file, 'ann:one\n');
  const words = ['-i', ID, '-L', '1:a:2', '-D', '3', '-D', '4', '--socks-auth', file];
  const settings = withProxyUsers(settingsOf(readCommandLine(words), {}), silentLogger);
  const users = [{ name: 'ann', password: 'one' }];
  t.match(settings, { proxyUsersFile: undefined, forwards: [{ users: undefined }, { users }, { users }] });
});
