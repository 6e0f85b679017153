import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { AccessControl } from '../../../src/engine/access/access-control.js';
import { AccessPolicy, friendRequestMessage } from '../../../src/engine/access/access-policy.js';
import { nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { NAMES } from '../support/names.js';

const random = new SeededRandom(11);
const newKey = (): PublicKey => generateKeyPair(random).publicKey;
const CHOSEN = Buffer.from('correct horse');
const SETTINGS = { require: 'all', isOpen: false, givenSecret: undefined } as const;
const AT_ONCE = { grace: 0, dropSessions: false };

/** A run of the daemon. */
async function run(t: Test, directory: string) {
  const clock = new ManualClock();
  const deps = { clock, random, log: silentLogger, files: nodeFileSystem };
  const control = await AccessControl.open(deps, { path: directory, names: NAMES }, SETTINGS);
  t.teardown(() => control.close());
  const policy = new AccessPolicy(control);
  const ask = (publicKey: PublicKey, secret: Buffer): Promise<string> =>
    new Promise((resolve) => {
      policy.decide({ publicKey, message: friendRequestMessage(secret) }, clock.now(), (decision) => {
        resolve(decision.isAdmitted ? 'admitted' : decision.reason);
      });
    });
  /** So many a second, each under a key of its own. */
  const guess = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      void ask(newKey(), Buffer.from(`guess ${index}`));
      clock.advance(1_000 / count);
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, control, ask, guess };
}

async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('a new key with the right secret is admitted at the first try during 400 guesses a second', async (t) => {
  const { control, ask, guess } = await run(t, temporaryDirectory(t));
  await control.setSecret(CHOSEN, AT_ONCE);
  for (let second = 0; second < 5; second += 1) {
    await guess(400);
    t.equal(await ask(newKey(), CHOSEN), 'admitted');
  }
});

t.test('a generated secret is admitted at the first try after a restart too', async (t) => {
  const directory = temporaryDirectory(t);
  const made = random.bytes(20);
  await (await run(t, directory)).control.setSecret(Buffer.from(made.toString('hex')), {
    ...AT_ONCE,
    isGenerated: true,
  });
  const { ask, guess } = await run(t, directory);
  await guess(400);
  t.equal(await ask(newKey(), Buffer.from(made.toString('hex'))), 'admitted');
});

t.test('after a restart a key that had the chosen secret is admitted at once, and then every other one', async (t) => {
  const directory = temporaryDirectory(t);
  const known = newKey();
  const first = await run(t, directory);
  await first.control.setSecret(CHOSEN, AT_ONCE);
  t.equal(await first.ask(known, CHOSEN), 'admitted');
  first.clock.advance(10_000);
  await until(() => {
    try {
      return readFileSync(join(directory, 'proven.json'), 'utf8').includes(known.hex.toUpperCase());
    } catch {
      return false;
    }
  });
  const second = await run(t, directory);
  await second.guess(400);
  t.equal(await second.ask(newKey(), CHOSEN), 'too-many-guesses', 'a stranger has to wait');
  t.equal(await second.ask(known, CHOSEN), 'admitted');
  t.equal(await second.ask(newKey(), CHOSEN), 'admitted');
});

t.test('keys that had another secret are treated as strangers', async (t) => {
  const { control, ask } = await run(t, temporaryDirectory(t));
  const key = newKey();
  await control.setSecret(CHOSEN, AT_ONCE);
  await ask(key, CHOSEN);
  t.ok(control.hasProven(key));
  await control.setSecret(Buffer.from('another one'), { ...AT_ONCE, grace: 60 });
  t.notOk(control.hasProven(key));
  t.equal(await ask(key, CHOSEN), 'admitted', 'by the one before');
  t.notOk(control.hasProven(key));
});

t.test('an unreadable file of proven keys refuses no client', async (t) => {
  const directory = temporaryDirectory(t);
  await (await run(t, directory)).control.setSecret(CHOSEN, AT_ONCE);
  await nodeFileSystem.createNew(join(directory, 'proven.json'), 0o600).then((file) => file.close());
  const { control, ask } = await run(t, directory);
  t.equal(control.errors.size, 0);
  t.equal(await ask(newKey(), CHOSEN), 'admitted');
});

t.test(
  'another secret in the file that the settings name ends the sessions of the one before; the same one ends none',
  async (t) => {
    const { control } = await run(t, temporaryDirectory(t));
    const use = (givenSecret: string | undefined): number => {
      const secret = givenSecret === undefined ? undefined : Buffer.from(givenSecret);
      control.applySettings({ ...SETTINGS, givenSecret: secret });
      return control.secretGeneration;
    };
    t.equal(use('first'), 0, 'there was none before');
    t.equal(use('first'), 0);
    t.equal(use('second'), 1);
    await control.setSecret(CHOSEN, AT_ONCE);
    t.equal(use(undefined), 2, 'the kept one counts');
    t.equal(use('correct horse'), 2, 'the same one');
    t.equal(use('third'), 3);
  },
);
