import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { NodeKey, NodeKeyError } from '../../../src/engine/state/node-key.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { NAMES } from '../support/names.js';

const random = new SeededRandom(1);

t.test('a node stores its key over restarts, in a file that only its owner can read', async (t) => {
  const directory = join(temporaryDirectory(t), 'new');
  const first = await NodeKey.open(random, { path: directory, names: NAMES });
  await first.close();
  const second = await NodeKey.open(random, { path: directory, names: NAMES });
  t.equal(second.keyPair.publicKey.hex, first.keyPair.publicKey.hex);
  t.equal(statSync(join(directory, 'node_key')).mode & 0o777, 0o600);
  await second.close();
});

t.test('the file has the public key and the secret key', async (t) => {
  const directory = temporaryDirectory(t);
  const key = await NodeKey.open(random, { path: directory, names: NAMES });
  const bytes = readFileSync(join(directory, 'node_key'));
  t.same(bytes, Buffer.concat([key.keyPair.publicKey.bytes, key.keyPair.secretKey.bytes]));
  await key.close();
});

t.test('without a directory the key is new each time', async (t) => {
  const first = await NodeKey.open(random, undefined);
  const second = await NodeKey.open(random, undefined);
  t.not(first.keyPair.publicKey.hex, second.keyPair.publicKey.hex);
  await first.close();
  await second.close();
});

t.test('a damaged key is refused and left as it is', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'node_key');
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(63, 1), Buffer.alloc(64, 1)]) {
    writeFileSync(path, bytes);
    await t.rejects(NodeKey.open(random, { path: directory, names: NAMES }), NodeKeyError);
    t.same(readFileSync(path), bytes);
  }
});

t.test('one process at a time uses a key', async (t) => {
  const directory = temporaryDirectory(t);
  const key = await NodeKey.open(random, { path: directory, names: NAMES });
  await t.rejects(NodeKey.open(random, { path: directory, names: NAMES }), { code: 'in-use' });
  await key.close();
});
