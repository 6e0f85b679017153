import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { friendRequestMessage } from '../../../src/engine/access/access-policy.js';
import type { Invitation } from '../../../src/engine/access/invitation.js';
import type { NewInvitation } from '../../../src/engine/access/invitations.js';
import { parseAllowed } from '../../../src/engine/access/whitelist.js';
import { type FileSystem, nodeFileSystem, type OpenFile } from '../../../src/engine/state/file-system.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { FailingFileSystem, systemError } from '../../support/failing-file-system.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { type Access, type AccessOptions, entryOf, openAccess } from '../support/access.js';

const random = new SeededRandom(13);
const newKey = (): PublicKey => generateKeyPair(random).publicKey;
const CLIENT = newKey();
const SECRET = Buffer.from('correct horse');
const WRONG = 'abcdefghijkmnpqrstuv';
const HOUR = 3_600;
const DAY = 24 * HOUR;

const unsynced = async (opened: Promise<OpenFile>): Promise<OpenFile> => ({ ...(await opened), sync: async () => {} });
/** It does not wait for the disk, which takes most of the time of a long table. */
const HASTY: FileSystem = {
  ...nodeFileSystem,
  createNew: (...args) => unsynced(nodeFileSystem.createNew(...args)),
  openToRead: (path) => unsynced(nodeFileSystem.openToRead(path)),
};

const open = (t: Test, options?: AccessOptions): Promise<Access> => openAccess(t, random, options);

/** @returns the secret of the invitation */
async function invite({ clock, control }: Access, more: Partial<NewInvitation> = {}): Promise<string> {
  const limits = { rate: undefined, maxTunnels: undefined };
  const wanted = {
    name: undefined,
    allow: [],
    ...limits,
    expiresAt: clock.unixTime() + HOUR,
    uses: 1,
    access: undefined,
  };
  return (await control.invitations.create({ ...wanted, ...more })).secret;
}

/** `by …` or the reason of the refusal. */
const ask = ({ policy, clock }: Access, publicKey: PublicKey, secret?: string): Promise<string> =>
  new Promise((resolve) => {
    const message = friendRequestMessage(secret === undefined ? undefined : Buffer.from(secret));
    policy.decide({ publicKey, message }, clock.now(), (decision) => {
      resolve(decision.isAdmitted ? `by ${decision.factors}` : decision.reason);
    });
  });

const lastInvitation = ({ control }: Access): Invitation => control.invitations.all.at(-1) as Invitation;
const idOfLast = (server: Access): string => lastInvitation(server).id;

type Row = {
  readonly invitation: 'open' | 'used' | 'expired' | 'revoked' | 'wrong';
  readonly listing: 'none' | 'listed' | 'invited' | 'expired';
  readonly isFactor: boolean;
  readonly hasSecret: boolean;
  readonly require: 'all' | 'any';
  readonly isOpen: boolean;
  readonly isBanned: boolean;
};

function* rows(): Generator<Row> {
  for (const invitation of ['open', 'used', 'expired', 'revoked', 'wrong'] as const)
    for (const listing of ['none', 'listed', 'invited', 'expired'] as const)
      for (const isFactor of [false, true])
        for (const hasSecret of [false, true])
          for (const require of ['all', 'any'] as const)
            for (const isOpen of [false, true])
              for (const isBanned of [false, true]) {
                // An entry of the owner makes the whitelist a factor.
                if (!isFactor && (listing === 'listed' || listing === 'expired')) continue;
                yield { invitation, listing, isFactor, hasSecret, require, isOpen, isBanned };
              }
}

/** Read from above: the first row that fits decides. */
function expected({ invitation, listing, isFactor, hasSecret, require, isOpen, isBanned }: Row): string {
  const table: readonly (readonly [boolean, string])[] = [
    [isBanned, 'banned'],
    [listing === 'invited', 'by whitelist'],
    [listing === 'listed' && (!hasSecret || require === 'any'), 'by whitelist'],
    [invitation === 'open', 'by whitelist'],
    [!isFactor && !hasSecret && isOpen, 'by none'],
    [invitation === 'wrong', 'wrong-secret'],
  ];
  return table.find(([fits]) => fits)?.[1] ?? `invitation-${invitation}`;
}

t.test('the decision table of invitations', async (t) => {
  for (const row of rows()) {
    const { invitation, listing, isFactor, hasSecret, require, isOpen, isBanned } = row;
    const givenSecret = hasSecret ? SECRET : undefined;
    const server = await open(t, { settings: { isOpen, require, givenSecret }, files: HASTY });
    const { control, clock } = server;
    if (isFactor) await control.addEntries([entryOf(newKey())]);
    if (listing === 'listed') await control.addEntries([entryOf(CLIENT)]);
    if (listing === 'expired') await control.addEntries([entryOf(CLIENT, { expiresAt: clock.unixTime() })]);
    if (listing === 'invited') await ask(server, CLIENT, await invite(server));
    const secret = await invite(server);
    if (invitation === 'used') await ask(server, newKey(), secret);
    if (invitation === 'expired') clock.advance(HOUR * 1000);
    if (invitation === 'revoked') await control.invitations.revoke([idOfLast(server)], false);
    if (isBanned) await control.ban(CLIENT, 'test', undefined);
    t.equal(await ask(server, CLIENT, invitation === 'wrong' ? WRONG : secret), expected(row), JSON.stringify(row));
    t.equal(control.hasWhitelist, isFactor, 'an invitation does not make the whitelist a factor');
    const isAdmittedAlone = listing === 'listed' && (!hasSecret || require === 'any');
    const isRedeemed = invitation === 'open' && !isBanned && !isAdmittedAlone;
    t.equal(lastInvitation(server).redemptions.length, isRedeemed || invitation === 'used' ? 1 : 0, 'uses');
  }
});

t.test('a client that redeemed its invitation needs nothing else, also after a restart', async (t) => {
  const directory = temporaryDirectory(t);
  const server = await open(t, { directory });
  await server.control.setSecret(SECRET, { grace: 0, dropSessions: false });
  const allow = [parseAllowed('127.0.0.1:22', 1)];
  await ask(server, CLIENT, await invite(server, { name: 'laptop', allow, access: 30 * DAY }));
  const again = await open(t, { directory, clock: server.clock });
  t.equal(await ask(again, CLIENT), 'by whitelist');
  t.equal(await ask(again, newKey()), 'no-secret');
  t.match(again.control.entry(CLIENT), {
    alias: 'laptop',
    invited: true,
    expiresAt: server.clock.unixTime() + 30 * DAY,
  });
  t.same(
    again.control.entry(CLIENT)?.allow.map(({ text }) => text),
    ['127.0.0.1:22'],
  );
});

t.test('a redemption disconnects no client that was admitted by the secret', async (t) => {
  const server = await open(t);
  const { control, policy } = server;
  await control.setSecret(SECRET, { grace: 0, dropSessions: false });
  const other = newKey();
  await control.invitations.revoke([], false);
  await ask(server, CLIENT, await invite(server));
  t.equal(policy.reasonToLeave(other, 'secret', false), undefined);
  t.equal(policy.reasonToLeave(CLIENT, 'whitelist', false), undefined);
  await control.removeEntry(CLIENT);
  t.equal(policy.reasonToLeave(CLIENT, 'whitelist', false), 'not-whitelisted');
});

t.test('clients of one invitation are named with numbers, and so is one whose name is taken', async (t) => {
  const server = await open(t);
  const secret = await invite(server, { name: 'laptop', uses: 3 });
  const keys = [newKey(), newKey(), newKey()];
  for (const key of keys) await ask(server, key, secret);
  t.same(
    keys.map((key) => server.control.entry(key)?.alias),
    ['laptop', 'laptop-2', 'laptop-3'],
  );
  const long = 'a'.repeat(32);
  await server.control.addEntries([entryOf(newKey(), { alias: long })]);
  const next = newKey();
  await ask(server, next, await invite(server, { name: long }));
  t.equal(server.control.entry(next)?.alias, `${'a'.repeat(30)}-2`);
});

t.test('the access ends within a second of its time, and the same invitation does not renew it', async (t) => {
  const server = await open(t);
  const { clock, control, policy } = server;
  const secret = await invite(server, { access: HOUR, uses: 2, expiresAt: clock.unixTime() + DAY });
  t.equal(await ask(server, CLIENT, secret), 'by whitelist');
  let reviews = 0;
  control.onChange(() => {
    reviews += 1;
  });
  clock.advance(HOUR * 1000 - 1);
  t.equal(reviews, 0);
  clock.advance(1000);
  t.ok(reviews > 0);
  t.equal(policy.reasonToLeave(CLIENT, 'whitelist', false), 'expired');
  t.equal(await ask(server, CLIENT, secret), 'expired');
  t.equal(await ask(server, CLIENT), 'expired');
  t.equal(
    await ask(server, CLIENT, await invite(server, { name: 'other', access: HOUR })),
    'by whitelist',
    'another one',
  );
});

t.test('a client that was removed does not come back by what is left of its invitation', async (t) => {
  const server = await open(t);
  const secret = await invite(server, { uses: 3 });
  await ask(server, CLIENT, secret);
  await server.control.removeEntry(CLIENT);
  t.equal(await ask(server, CLIENT, secret), 'invitation-used');
  t.equal(await ask(server, newKey(), secret), 'by whitelist', 'another client');
});

t.test('a newer invitation replaces targets and end of an invited entry, and keeps its name', async (t) => {
  const server = await open(t);
  await ask(server, CLIENT, await invite(server, { name: 'laptop', allow: [parseAllowed('a:1', 1)], access: HOUR }));
  await ask(server, CLIENT, await invite(server, { name: 'desktop', allow: [parseAllowed('b:2', 1)] }));
  t.match(server.control.entry(CLIENT), { alias: 'laptop', allow: [{ text: 'b:2' }], expiresAt: undefined });
});

t.test('an invitation leaves the name, targets and end that its owner wrote for a key', async (t) => {
  const server = await open(t);
  await server.control.setSecret(SECRET, { grace: 0, dropSessions: false });
  const allow = [parseAllowed('a:1', 1)];
  await server.control.addEntries([entryOf(CLIENT, { alias: 'nas', allow, note: 'mine' })]);
  t.equal(await ask(server, CLIENT), 'no-secret');
  t.equal(await ask(server, CLIENT, await invite(server, { name: 'laptop' })), 'by whitelist');
  t.match(server.control.entry(CLIENT), { alias: 'nas', allow, note: 'mine', invited: true });
});

t.test('of two clients that come for the last use at the same moment, one is admitted', async (t) => {
  const server = await open(t);
  const secret = await invite(server);
  const said = await Promise.all([ask(server, CLIENT, secret), ask(server, newKey(), secret)]);
  t.same(said, ['by whitelist', 'invitation-used']);
  t.equal(server.control.entries.length, 1);
});

t.test('a client that asks twice at once uses the invitation once', async (t) => {
  const server = await open(t);
  const secret = await invite(server, { uses: 2 });
  t.same(await Promise.all([ask(server, CLIENT, secret), ask(server, CLIENT, secret)]), [
    'by whitelist',
    'by whitelist',
  ]);
  t.equal(lastInvitation(server).redemptions.length, 1);
});

t.test('a redemption that the disk refuses, wherever it fails, loses nothing and can be tried again', async (t) => {
  let isDone = false;
  for (let at = 0; !isDone; at += 1) {
    const directory = temporaryDirectory(t);
    const secret = await invite(await open(t, { directory }));
    const started = new FailingFileSystem({ at: Number.POSITIVE_INFINITY, error: systemError('EIO'), isFinal: true });
    await open(t, { directory, files: started });
    const error = systemError('ENOSPC');
    const server = await open(t, {
      directory,
      files: new FailingFileSystem({ at: started.count + at, error, isFinal: false }),
    });
    const said = await ask(server, CLIENT, secret);
    isDone = said === 'by whitelist';
    if (isDone) continue;
    t.equal(said, 'not-saved');
    t.equal(lastInvitation(server).redemptions.length, 0);
    t.equal(server.control.entry(CLIENT), undefined);
    t.match(server.control.saveError, { code: 'disk-full' });
    t.equal(await ask(server, CLIENT, secret), 'by whitelist', 'tried again');
    t.equal(server.control.saveError, undefined);
  }
});

t.test('a server that is killed during a redemption has redeemed all of it or nothing', async (t) => {
  const seen = new Set<string>();
  for (let at = 0; at < 12; at += 1) {
    const directory = temporaryDirectory(t);
    const secret = await invite(await open(t, { directory }));
    const started = new FailingFileSystem({ at: Number.POSITIVE_INFINITY, error: systemError('EIO'), isFinal: true });
    await open(t, { directory, files: started });
    const disaster = { at: started.count + at, error: systemError('EIO'), isFinal: true };
    await ask(await open(t, { directory, files: new FailingFileSystem(disaster) }), CLIENT, secret);
    const again = await open(t, { directory });
    const isListed = again.control.entry(CLIENT) !== undefined;
    t.equal(lastInvitation(again).redemptions.length, isListed ? 1 : 0);
    t.equal(await ask(again, CLIENT, secret), 'by whitelist');
    seen.add(String(isListed));
  }
  t.same([...seen].sort(), ['false', 'true']);
});

t.test('revoking ends the link; the clients that came stay, unless they are removed too', async (t) => {
  const server = await open(t);
  const { control } = server;
  const secret = await invite(server, { uses: 5 });
  await ask(server, CLIENT, secret);
  await control.invitations.revoke([idOfLast(server)], false);
  t.equal(await ask(server, newKey(), secret), 'invitation-revoked');
  t.equal(await ask(server, CLIENT), 'by whitelist');
  await control.addEntries([entryOf(newKey(), { alias: 'by-hand' })]);
  await control.invitations.revoke([idOfLast(server)], true);
  t.same(
    control.entries.map(({ alias }) => alias),
    ['by-hand'],
  );
  t.equal(await ask(server, CLIENT, secret), 'invitation-used');
});

t.test('a clock that is set back to before an invitation was made does not prolong it', async (t) => {
  const server = await open(t);
  const secret = await invite(server);
  server.clock.unixTime = () => 1_800_000_000 - DAY;
  t.equal(await ask(server, CLIENT, secret), 'invitation-expired');
});

t.test('clients that come too late are noted with their time, once each, also over a restart', async (t) => {
  const directory = temporaryDirectory(t);
  const server = await open(t, { directory });
  const { clock } = server;
  const secret = await invite(server);
  await ask(server, newKey(), secret);
  for (let request = 0; request < 3; request += 1) await ask(server, CLIENT, secret);
  const at = clock.unixTime();
  t.match(lastInvitation(server).late, [{ publicKey: CLIENT, at, state: 'used' }], 'at once');
  clock.advance(10_000);
  // Changes wait for each other.
  await server.control.addEntries([entryOf(newKey())]);
  const again = await open(t, { directory, clock });
  t.match(lastInvitation(again).late, [{ publicKey: CLIENT, at, state: 'used' }]);
  for (let client = 0; client < 100; client += 1) await ask(again, newKey(), secret);
  t.equal(lastInvitation(again).late.length, 8, 'the latest ones');
});

t.test('guesses at an invitation are limited as those at a secret', async (t) => {
  for (const hasSecret of [false, true]) {
    const server = await open(t);
    if (hasSecret) await server.control.setSecret(SECRET, { grace: 0, dropSessions: false, isGenerated: true });
    const secret = await invite(server);
    const wrong = Array.from({ length: 6 }, (_, at) => `${WRONG.slice(0, -1)}${at + 2}`);
    const said: string[] = [];
    for (const guess of wrong) said.push(await ask(server, CLIENT, guess));
    t.same(said, [...Array(5).fill('wrong-secret'), 'too-many-guesses']);
    t.same(
      server.guesses.map(([, count]) => count),
      [1, 2, 3, 4, 5],
      'each counts once',
    );
    t.equal(await ask(server, CLIENT, secret), 'too-many-guesses');
    t.equal(await ask(server, newKey(), secret), 'by whitelist', 'another client is not kept out');
  }
});

t.test('a secret that can be of no invitation is nothing to invitations', async (t) => {
  const server = await open(t);
  await invite(server);
  await server.control.addEntries([entryOf(newKey())]);
  for (const text of ['wrong horse', WRONG.toUpperCase(), `${WRONG}a`]) {
    t.equal(await ask(server, CLIENT, text), 'not-whitelisted');
  }
  t.same(server.guesses, []);
});

t.test('a server with an invitation, or a client that came by one, is not closed', async (t) => {
  const server = await open(t);
  t.equal(server.policy.isClosed, true);
  const secret = await invite(server, { access: HOUR });
  t.equal(server.policy.isClosed, false);
  await ask(server, CLIENT, secret);
  t.equal(server.policy.isClosed, false);
  server.clock.advance(HOUR * 1000);
  t.equal(server.policy.isClosed, true);
  t.equal(await ask(server, newKey()), 'closed');
});

t.test('turning the whitelist off keeps the clients that came by an invitation', async (t) => {
  const server = await open(t);
  await ask(server, CLIENT, await invite(server));
  const listed = newKey();
  await server.control.addEntries([entryOf(listed)]);
  await server.control.dropWhitelist();
  t.equal(await ask(server, CLIENT), 'by whitelist');
  t.equal(await ask(server, listed), 'closed');
});

t.test('64 invitations can be open; ended ones are forgotten after a week', async (t) => {
  const server = await open(t);
  for (let number = 0; number < 64; number += 1) await invite(server);
  await t.rejects(invite(server), { code: 'full', message: 'there are 64 open invitations already' });
  server.clock.advance(HOUR * 1000);
  await invite(server);
  t.equal(server.control.invitations.all.length, 65);
  server.clock.advance(8 * DAY * 1000);
  await invite(server);
  t.equal(server.control.invitations.all.length, 1);
});

t.test('a full whitelist takes no client by an invitation', async (t) => {
  const server = await open(t, { files: HASTY });
  const keys = Array.from({ length: 10_000 }, (_, number) => {
    const bytes = Buffer.alloc(32);
    bytes.writeUInt32BE(number);
    return new PublicKey(bytes);
  });
  await server.control.addEntries(keys.map((key) => entryOf(key)));
  t.equal(await ask(server, CLIENT, await invite(server)), 'not-saved');
  t.equal(lastInvitation(server).redemptions.length, 0);
});

t.test('the secret of an invitation is not on the disk', async (t) => {
  const directory = temporaryDirectory(t);
  const secret = await invite(await open(t, { directory }));
  t.notMatch(readFileSync(join(directory, 'whitelist.json'), 'utf8'), secret);
});

t.test('a file of an older version is read, and a damaged one admits no client', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'whitelist.json');
  const old = { key: CLIENT.hex, alias: 'laptop', allow: [], expires_at: null, note: '', added_at: 1 };
  const text = (more: object): string => JSON.stringify({ version: 1, is_factor: true, entries: [old], ...more });
  writeFileSync(path, text({}));
  t.match((await open(t, { directory })).control.entry(CLIENT), { alias: 'laptop', invited: false });
  const cases: [object, RegExp][] = [
    [{ invitations: {} }, /is damaged \(its "invitations" is not a list\)/],
    [{ invitations: [{ id: 'a' }] }, /is damaged \(invitation 1: its "name" is invalid\)/],
    [{ entries: [{ ...old, invited: 1 }] }, /is damaged \(entry 1: its "invited" is invalid\)/],
  ];
  for (const [more, message] of cases) {
    writeFileSync(path, text(more));
    const server = await open(t, { directory });
    t.match([...server.control.errors.values()], [message]);
    t.equal(await ask(server, CLIENT), 'banned');
  }
});
