import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AccessSettings } from '../../../src/engine/access/access-control.js';
import { friendRequestMessage } from '../../../src/engine/access/access-policy.js';
import type { WhitelistEntry } from '../../../src/engine/access/whitelist.js';
import { parseAllowed } from '../../../src/engine/access/whitelist.js';
import { type FileSystem, nodeFileSystem } from '../../../src/engine/state/file-system.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { FailingFileSystem, systemError } from '../../support/failing-file-system.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { type Access, type AccessOptions, entryOf, openAccess } from '../support/access.js';

const random = new SeededRandom(4);
const newKey = (): PublicKey => generateKeyPair(random).publicKey;
const CLIENT = newKey();
const SECRET = Buffer.from('correct horse');
const CLOSED: AccessSettings = { require: 'all', isOpen: false, givenSecret: undefined };
const AT_ONCE = { grace: 0, dropSessions: false };

const open = (t: Test, options?: AccessOptions): Promise<Access> => openAccess(t, random, options);

/** `later` when only a slow check can tell. */
function outcome({ policy, clock }: Access, publicKey: PublicKey, secret?: Buffer): string {
  let said = 'later';
  policy.decide({ publicKey, message: friendRequestMessage(secret) }, clock.now(), (decision) => {
    said = decision.isAdmitted ? `by ${decision.factors}` : decision.reason;
  });
  return said;
}

t.test('the whole table: secret, whitelist, expiry, ban, open, require', async (t) => {
  for (const hasSecret of [false, true])
    for (const listed of ['no list', 'not on it', 'on it', 'expired'] as const)
      for (const ban of ['none', 'kept', 'in memory'] as const)
        for (const isOpen of [false, true])
          for (const require of ['all', 'any'] as const) {
            const door = await open(t, { settings: { isOpen, require } });
            const { control, clock } = door;
            if (hasSecret) await control.setSecret(SECRET, AT_ONCE);
            if (listed === 'not on it') await control.addEntries([entryOf(newKey())]);
            if (listed === 'on it') await control.addEntries([entryOf(CLIENT)]);
            if (listed === 'expired') await control.addEntries([entryOf(CLIENT, { expiresAt: clock.unixTime() })]);
            if (ban === 'kept') await control.ban(CLIENT, 'test', undefined);
            if (ban === 'in memory') control.banInMemory(CLIENT, 'test', clock.unixTime() + 1);
            for (const said of ['nothing', 'wrong', 'right'] as const) {
              const secret = { nothing: undefined, wrong: Buffer.from('wrong'), right: SECRET }[said];
              const expected = expectedOutcome({ hasSecret, listed, ban, isOpen, require, said });
              const name = `secret ${hasSecret}, ${listed}, ban ${ban}, open ${isOpen}, ${require}, says ${said}`;
              t.equal(outcome(door, CLIENT, secret), expected, name);
            }
          }
});

interface Case {
  readonly hasSecret: boolean;
  readonly listed: 'no list' | 'not on it' | 'on it' | 'expired';
  readonly ban: 'none' | 'kept' | 'in memory';
  readonly isOpen: boolean;
  readonly require: 'all' | 'any';
  readonly said: 'nothing' | 'wrong' | 'right';
}

/** The table of docs/tuntoxd.md, written a second time and in another way: row by row, the first that fits. */
function expectedOutcome({ hasSecret, listed, ban, isOpen, require, said }: Case): string {
  const hasList = listed !== 'no list';
  const isOnList = listed === 'on it';
  const unlisted = listed === 'expired' ? 'expired' : 'not-whitelisted';
  const wrong = said === 'nothing' ? 'no-secret' : 'wrong-secret';
  const rows: readonly (readonly [boolean, string])[] = [
    [ban !== 'none', 'banned'],
    [!hasSecret && !hasList && isOpen, 'by none'],
    [!hasSecret && !hasList, 'closed'],
    [!hasSecret && isOnList, 'by whitelist'],
    [!hasSecret, unlisted],
    [!hasList, said === 'right' ? 'by secret' : wrong],
    [require === 'any' && isOnList, 'by whitelist'],
    [require === 'any', said === 'right' ? 'by secret' : wrong],
    [!isOnList, unlisted],
    [said === 'right', 'by secret and whitelist'],
  ];
  return rows.find(([fits]) => fits)?.[1] ?? wrong;
}

t.test('removing the last entry admits no client until the whitelist is dropped', async (t) => {
  const door = await open(t, { settings: { isOpen: true } });
  await door.control.setSecret(SECRET, AT_ONCE);
  await door.control.addEntries([entryOf(CLIENT)]);
  await door.control.removeEntry(CLIENT);
  t.equal(outcome(door, CLIENT, SECRET), 'not-whitelisted');
  await door.control.dropWhitelist();
  t.equal(outcome(door, CLIENT, SECRET), 'by secret');
});

t.test('everything but the secret itself is there again after a restart', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await open(t, { directory });
  await first.control.setSecret(SECRET, AT_ONCE);
  const allow = ['127.0.0.1:22', 'deny class:private:0'].map((text, index) => parseAllowed(text, index + 1));
  const listed = entryOf(CLIENT, { alias: 'laptop', allow, expiresAt: 2_000_000_000, note: 'of the owner' });
  await first.control.addEntries([listed]);
  const banned = newKey();
  await first.control.ban(banned, 'guesses', 2_000_000_000);
  const second = await open(t, { directory });
  t.same(second.control.entries, [listed]);
  t.match(second.control.bans, [{ reason: 'guesses', until: 2_000_000_000 }]);
  const message = friendRequestMessage(SECRET);
  const decision = await new Promise((resolve) => {
    second.policy.decide({ publicKey: CLIENT, message }, second.clock.now(), resolve);
  });
  t.same(decision, { isAdmitted: true, factors: 'secret and whitelist' });
  for (const name of ['whitelist.json', 'secret.json', 'bans.json']) {
    const path = join(directory, name);
    t.equal(statSync(path).mode & 0o777, 0o600, name);
    t.notMatch(readFileSync(path, 'utf8'), /correct|636f7272/);
  }
});

t.test('a change that cannot be saved changes nothing, whatever step fails', async (t) => {
  const directory = temporaryDirectory(t);
  const before = await open(t, { directory });
  await before.control.addEntries([entryOf(CLIENT)]);
  const text = readFileSync(join(directory, 'whitelist.json'), 'utf8');
  let failures = 0;
  for (let at = 0; at < 20; at += 1) {
    const files = new FailingFileSystem({ at, error: systemError('ENOSPC'), isFinal: false });
    const door = await open(t, { directory, files });
    if (door.control.errors.size > 0) continue;
    const isSaved = await door.control.removeEntry(CLIENT).then(
      () => true,
      (error: Error) => {
        t.match(error, { code: 'disk-full', message: /no space is left in/ });
        failures += 1;
        return false;
      },
    );
    t.equal(outcome(door, CLIENT), isSaved ? 'not-whitelisted' : 'by whitelist', `step ${at}`);
    writeFileSync(join(directory, 'whitelist.json'), text);
  }
  t.ok(failures >= 4, `${failures} steps failed`);
});

const LISTED = newKey().hex.toUpperCase();

/** A whitelist as somebody wrote it by hand. */
function listed(...entries: readonly object[]): string {
  const good = { alias: null, allow: [], expires_at: null, note: '', added_at: 1 };
  const written = entries.map((one) => ({ key: newKey().hex.toUpperCase(), ...good, ...one }));
  return JSON.stringify({ version: 1, is_factor: true, entries: written });
}

t.test('limits are kept, and a file of an older version has none', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'whitelist.json'), listed({ key: LISTED }));
  const { control } = await open(t, { directory });
  t.match(control.entryOf(LISTED), { rate: undefined, maxTunnels: undefined });
  await control.addEntries([entryOf(CLIENT, { rate: 5000, maxTunnels: 3 })]);
  const again = await open(t, { directory });
  t.match(again.control.entry(CLIENT), { rate: 5000, maxTunnels: 3 });
});

t.test('an unreadable file admits no client, stays as it is, and the error says what to do', async (t) => {
  for (const [name, content, said] of [
    ['whitelist.json', '{"version":1', /whitelist\.json is damaged .*restore it from a backup/],
    ['whitelist.json', '{"version":1,"is_factor":true,"entries":[{"key":"00"}]}', /entry 1: its "key" is invalid/],
    ['whitelist.json', listed({ alias: 'my\u001b[2Jlaptop' }), /entry 1: its "alias" is invalid/],
    ['whitelist.json', listed({ expires_at: -1 }), /entry 1: its "expires_at" is invalid/],
    ['whitelist.json', listed({ rate: 0.5 }), /entry 1: its "rate" is invalid/],
    ['whitelist.json', listed({ max_tunnels: '5' }), /entry 1: its "max_tunnels" is invalid/],
    ['whitelist.json', listed({ alias: 'one' }, { alias: 'one' }), /two entries have the same alias/],
    ['whitelist.json', listed({ key: LISTED }, { key: LISTED }), /a key is listed twice/],
    ['secret.json', 'root:$6$salt', /secret\.json is damaged \(it is not JSON\): restore/],
    ['secret.json', '[]', /secret\.json is damaged \(it is not an object\)/],
    ['bans.json', '{"version":2,"bans":[]}', /has a newer version \(2\): use the tuntoxd that wrote it/],
  ] as const) {
    const directory = temporaryDirectory(t);
    const before = await open(t, { directory });
    await before.control.addEntries([entryOf(CLIENT)]);
    writeFileSync(join(directory, name), content);
    const door = await open(t, { directory, settings: { isOpen: true } });
    t.match([...door.control.errors.values()], [said]);
    t.equal(outcome(door, CLIENT, SECRET), 'banned', `${name} ${content}`);
    t.notOk(door.policy.isOpen);
    t.equal(readFileSync(join(directory, name), 'utf8'), content);
    if (name === 'whitelist.json') await t.rejects(door.control.addEntries([entryOf(newKey())]), said);
  }
});

t.test('a client is banned and unbanned on a full disk, which stays an error', async (t) => {
  const directory = temporaryDirectory(t);
  await (await open(t, { directory })).control.addEntries([entryOf(CLIENT)]);
  const files: FileSystem = {
    ...nodeFileSystem,
    createNew: async () => {
      throw systemError('ENOSPC');
    },
  };
  const door = await open(t, { directory, files });
  await t.rejects(door.control.removeEntry(CLIENT), { code: 'disk-full' });
  t.equal(outcome(door, CLIENT), 'by whitelist');
  door.control.banInMemory(CLIENT, 'for an hour', door.clock.unixTime() + 3_600);
  t.equal(outcome(door, CLIENT), 'banned');
  await door.control.unban(CLIENT);
  t.equal(outcome(door, CLIENT), 'by whitelist');
  t.match(door.control.saveError, { code: 'disk-full' }, 'nothing has been saved since');
});

t.test('an old secret stays valid for its grace period, and not a second longer', async (t) => {
  const door = await open(t);
  await door.control.setSecret(SECRET, AT_ONCE);
  t.equal(outcome(door, newKey(), SECRET), 'by secret');
  await door.control.setSecret(Buffer.from('new'), { grace: 60, dropSessions: false });
  t.equal(outcome(door, newKey(), SECRET), 'by secret');
  t.equal(outcome(door, newKey(), Buffer.from('new')), 'by secret');
  door.clock.advance(60_000);
  t.equal(outcome(door, newKey(), SECRET), 'wrong-secret');
  t.equal(outcome(door, newKey(), Buffer.from('new')), 'by secret');
  await door.control.setSecret(Buffer.from('newest'), AT_ONCE);
  t.equal(outcome(door, newKey(), Buffer.from('new')), 'wrong-secret', 'without grace');
});

t.test('a connected client is disconnected by removal, expiry, a ban, or a dropped secret', async (t) => {
  const door = await open(t);
  const { control, policy, clock } = door;
  let changes = 0;
  control.onChange(() => {
    changes += 1;
  });
  await control.addEntries([entryOf(CLIENT, { expiresAt: clock.unixTime() + 5 })]);
  t.equal(policy.reasonToLeave(CLIENT, 'whitelist', false), undefined);
  const before = changes;
  clock.advance(5_000);
  t.equal(changes, before + 1, 'told when the entry expires');
  t.equal(policy.reasonToLeave(CLIENT, 'whitelist', false), 'expired');
  await control.changeEntry(CLIENT, () => entryOf(CLIENT));
  t.equal(policy.reasonToLeave(CLIENT, 'whitelist', false), undefined);
  await control.setSecret(SECRET, AT_ONCE);
  t.equal(
    policy.reasonToLeave(CLIENT, 'whitelist', false),
    undefined,
    'a first secret ends no session of those on the list',
  );
  t.equal(policy.reasonToLeave(newKey(), 'none', false), 'not-whitelisted', 'but of those who came by an open door');
  t.equal(policy.reasonToLeave(CLIENT, 'secret and whitelist', true), 'secret-changed', 'a dropped secret');
  await control.ban(CLIENT, 'enough', undefined);
  t.equal(policy.reasonToLeave(CLIENT, 'secret and whitelist', false), 'banned');
  await control.unban(CLIENT);
  t.equal(policy.reasonToLeave(CLIENT, 'secret and whitelist', false), undefined);
  const told = changes;
  control.banInMemory(CLIENT, 'for a while', clock.unixTime() + 60);
  t.equal(changes, told + 1, 'reported when it is disconnected');
  t.equal(policy.reasonToLeave(CLIENT, 'secret and whitelist', false), 'banned');
  await control.unban(undefined);
  t.equal(policy.reasonToLeave(CLIENT, 'secret and whitelist', false), undefined);
  await control.removeEntry(CLIENT);
  t.equal(policy.reasonToLeave(CLIENT, 'secret and whitelist', false), 'not-whitelisted', 'removed');
});

/** Its calendar can be set. */
class SetClock extends ManualClock {
  /** s */
  ahead = 0;

  override unixTime(): number {
    return super.unixTime() + this.ahead;
  }
}

t.test('an entry expires within a second, also where the machine slept or its clock was set', async (t) => {
  const clock = new SetClock();
  const { control } = await open(t, { clock });
  let changes = 0;
  control.onChange(() => {
    changes += 1;
  });
  const told = (): number => {
    const count = changes;
    changes = 0;
    return count;
  };
  // Not at the beginning of a second.
  clock.advance(900);
  await control.addEntries([entryOf(CLIENT, { expiresAt: clock.unixTime() + 100 * 86_400 })]);
  told();
  clock.advance(60_000);
  t.equal(told(), 0);
  clock.ahead = 100 * 86_400;
  clock.advance(999);
  t.equal(told(), 1, 'it slept for a hundred days');
  clock.ahead = 0;
  clock.advance(999);
  t.equal(told(), 1, 'set back, it counts again');
  clock.ahead = 100 * 86_400;
  clock.advance(999);
  t.equal(told(), 1, 'and ends again');
  await control.changeEntry(CLIENT, (old) => ({ ...old, expiresAt: undefined }));
  control.close();
  t.equal(clock.pending, 0);
});

t.test('a wrong secret is right at once when the secret is changed to it', async (t) => {
  const door = await open(t);
  const { control } = door;
  await control.setSecret(SECRET, AT_ONCE);
  t.equal(outcome(door, CLIENT, Buffer.from('later')), 'wrong-secret');
  await control.setSecret(Buffer.from('later'), { grace: 60, dropSessions: false });
  t.equal(outcome(door, CLIENT, Buffer.from('later')), 'by secret');
});

t.test('a change of an entry applies to its present state, and a removed entry does not come back', async (t) => {
  const { control } = await open(t);
  await control.addEntries([entryOf(CLIENT)]);
  await Promise.all([
    control.changeEntry(CLIENT, (old) => ({ ...old, note: 'of one' })),
    control.changeEntry(CLIENT, (old) => ({ ...old, alias: 'of-another' })),
  ]);
  t.match(control.entry(CLIENT), { note: 'of one', alias: 'of-another' });
  const removed = control.removeEntry(CLIENT);
  await t.rejects(
    control.changeEntry(CLIENT, (old) => old),
    { code: 'not-listed' },
  );
  await removed;
  t.equal(control.listing(CLIENT), 'none');
});

t.test('a secret of the settings replaces the stored one', async (t) => {
  const directory = temporaryDirectory(t);
  const door = await open(t, { directory, settings: { givenSecret: Buffer.from('given') } });
  await door.control.setSecret(SECRET, AT_ONCE);
  t.equal(outcome(door, newKey(), Buffer.from('given')), 'by secret');
  t.equal(outcome(door, newKey(), SECRET), 'wrong-secret');
  door.control.applySettings(CLOSED);
  t.equal(outcome(door, newKey(), SECRET), 'by secret', 'and gives it back');
});

t.test('aliases and keys on the whitelist are unique', async (t) => {
  const { control } = await open(t);
  await control.addEntries([entryOf(CLIENT, { alias: 'laptop' })]);
  await t.rejects(control.addEntries([entryOf(CLIENT)]), { code: 'exists' });
  await t.rejects(control.addEntries([entryOf(newKey()), entryOf(newKey(), { alias: 'laptop' })]), {
    code: 'alias-taken',
  });
  t.equal(control.entries.length, 1, 'all or nothing');
});

t.test('the whitelist takes ten thousand entries, thousands of them at once', async (t) => {
  const { control } = await open(t);
  const named = (from: number): WhitelistEntry[] =>
    Array.from({ length: 5_000 }, (_, at) => entryOf(new PublicKey(random.bytes(32)), { alias: `n${from + at}` }));
  await control.addEntries(named(0));
  await control.addEntries(named(5_000));
  t.equal(control.entries.length, 10_000);
  await t.rejects(control.addEntries([entryOf(newKey())]), { code: 'full' });
});
