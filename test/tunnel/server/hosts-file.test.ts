import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { addressesIn, hostsFile } from '../../../src/tunnel/server/hosts-file.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const FILE = `127.0.0.1 localhost
# 192.0.2.9 nas.lan
192.0.2.1\tnas.lan  nas # the box
2001:db8::1 nas.lan
192.0.2.2 other-nas.lan
nonsense nas.lan
`;

const addressesOf = (host: string): string[] => addressesIn(FILE, host).map(({ address }) => address);

t.test('a name has the addresses of all lines that contain it', async (t) => {
  t.same(addressesOf('nas.lan'), ['192.0.2.1', '2001:db8::1']);
  t.same(addressesOf('nas'), ['192.0.2.1']);
  t.same(addressesOf('lan'), []);
  t.same(addressesOf('box'), []);
});

t.test('the file is read again for each lookup, and the case of its names does not matter', async (t) => {
  const path = join(temporaryDirectory(t), 'hosts');
  const lookup = hostsFile(path);
  const ask = (host: string) => new Promise((resolve) => lookup(host, resolve));
  t.same(await ask('nas.lan'), [], 'no file yet');
  writeFileSync(path, '192.0.2.1 NAS.lan\n');
  t.same(await ask('nas.lan'), [{ address: '192.0.2.1', family: 4 }]);
  writeFileSync(path, `192.0.2.1 nas.lan\n${'#'.repeat(1024 * 1024)}`);
  t.same(await ask('nas.lan'), [], 'a file that is too long is left to the system');
});
