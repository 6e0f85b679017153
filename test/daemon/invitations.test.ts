/** Invitations through the control socket, and the clients that redeem them. */
import t, { type Test } from 'tap';
import { rfc3339, systemClock } from '../../src/base/clock.js';
import { parseLink } from '../../src/config/link.js';
import { linkOfBytes } from '../../src/config/link-words.js';
import { WordReader } from '../../src/config/words.js';
import type { Result } from '../../src/control/protocol.js';
import { settle, startEcho, TestDaemon } from './support/test-daemon.js';

type Created = Result<'invite.create'>;

const SECRET = 'a secret of some length';
const secretOf = ({ link }: Created): string => parseLink(link?.link ?? '').secret;

/** A client that sends the secret of an invitation. */
async function comingClient(daemon: TestDaemon, created: Created) {
  const client = await daemon.client();
  const server = client.connect(secretOf(created));
  // A redemption waits for the disk.
  for (let decided = false; !decided; ) {
    await settle();
    const { clients } = await daemon.call('clients.list', {});
    const pending = (await daemon.call('clients.pending', {})).clients;
    decided = [...clients, ...pending].some((one) => one.client.publicKey === client.key);
  }
  return { client, server };
}

const list = async (daemon: TestDaemon): Promise<Result<'invite.list'>['invitations']> =>
  (await daemon.call('invite.list', {})).invitations;

t.test('the answer has a link, its words, and the commands of both programs', async (t) => {
  const daemon = await TestDaemon.start(t);
  const created = await daemon.call('invite.create', { name: 'laptop', allow: ['127.0.0.1:22'], accessMs: 3_600_000 });
  const link = parseLink(created.link?.link ?? '');
  t.equal(link.serverId.toString(), (await daemon.call('id', {})).toxId);
  t.same(link.target, { host: '127.0.0.1', port: 22 });
  const reader = await WordReader.open();
  for (const line of created.link?.words ?? []) reader.add(line);
  t.same(linkOfBytes(reader.finish()), link);
  const { join = '', words = '', original = '' } = created.link?.commands ?? {};
  t.match(join, new RegExp(`^tuntox join ${created.link?.link} [a-z][a-z0-9._-]*$`));
  t.equal(words, join.replace(created.link?.link ?? '', '-'));
  t.equal(original, `tuntox -i ${link.serverId} -s ${link.secret} -L 10022:127.0.0.1:22`);
  t.match(created.invitation, { name: 'laptop', state: 'open', uses: 1, accessMs: 3_600_000, redeemed: [], late: [] });
  t.notMatch(daemon.said.join(''), link.secret, 'the log does not have it');
  t.notMatch(JSON.stringify(await list(daemon)), link.secret);
});

t.test('a client that comes has the limits of its invitation', async (t) => {
  const daemon = await TestDaemon.start(t);
  const limits = { rate: 5000, maxTunnels: 2 };
  const { link, invitation } = await daemon.call('invite.create', { name: 'laptop', ...limits });
  t.match(invitation, limits);
  const client = await daemon.client();
  const { secret = '' } = parseLink(link?.link ?? '');
  await client.connect(secret).ping();
  t.match(await daemon.call('whitelist.list', {}), { entries: [{ name: 'laptop', ...limits }] });
});

t.test('a link is for one target only if the invitation allows exactly one', async (t) => {
  const daemon = await TestDaemon.start(t);
  const cases: [string[], string | undefined, string][] = [
    [[], undefined, '-L PORT:HOST:PORT'],
    [['*:22'], undefined, '-L PORT:HOST:PORT'],
    [['127.0.0.1:0'], undefined, '-L PORT:HOST:PORT'],
    [['class:public:22'], undefined, '-L PORT:HOST:PORT'],
    [['[::1]:22'], '::1:22', "-L '10022:[::1]:22'"],
    [['127.0.0.1:22', 'nas:8080'], undefined, '-L 10022:127.0.0.1:22 -L 8080:nas:8080'],
  ];
  for (const [allow, target, forwards] of cases) {
    const { link } = await daemon.call('invite.create', { allow });
    t.equal(link?.link.split('/')[4], target, allow.join());
    t.ok(link?.commands.original.endsWith(` ${forwards}`), forwards);
  }
});

t.test('a link whose target is too long for words has none', async (t) => {
  const daemon = await TestDaemon.start(t);
  const target = `${'a'.repeat(60)}.`.repeat(4).concat('org:22');
  const { link } = await daemon.call('invite.create', { allow: [target] });
  t.equal(parseLink(link?.link ?? '').target?.port, 22);
  t.same(link?.words, []);
});

t.test('an access that would end after the year 9999 is refused, and nothing is stored', async (t) => {
  const daemon = await TestDaemon.start(t);
  for (const accessMs of [1e15, 2 ** 53, 1e22, Number.MAX_VALUE]) {
    const refused = { code: 'bad-params', message: 'accessMs: the access is too long' };
    await t.rejects(daemon.call('invite.create', { accessMs }), refused, String(accessMs));
  }
  t.same(await list(daemon), []);
  t.match(await daemon.call('invite.create', { accessMs: 1e14 }), { invitation: { accessMs: 1e14 } });
});

t.test('a link may be for a service, which the original tuntox gets as its target', async (t) => {
  const daemon = await TestDaemon.start(t);
  const { link: early, notes } = await daemon.call('invite.create', { allow: ['ssh'] });
  t.equal(early?.link.split('/')[4], 'ssh');
  t.match(notes, [/^there is no service "ssh", .* tuntoxctl expose ssh TARGET;/]);
  await daemon.call('services.add', { name: 'ssh', target: '22' });
  const created = await daemon.call('invite.create', { allow: ['ssh'] });
  t.match(created, { notes: [], invitation: { allow: ['ssh'] } });
  t.equal(created.link?.link.split('/')[4], 'ssh');
  t.ok(created.link?.commands.original.endsWith(' -L 10022:127.0.0.1:22'));
});

t.test('a client that redeems one reaches its target only, and needs no secret from then on', async (t) => {
  const daemon = await TestDaemon.start(t);
  await daemon.call('secret.set', { secret: SECRET });
  const port = await startEcho(t);
  const created = await daemon.call('invite.create', { name: 'laptop', allow: [`127.0.0.1:${port}`] });
  const { client, server } = await comingClient(daemon, created);
  await client.tunnel(server, port);
  t.match(await daemon.call('whitelist.list', {}), {
    enabled: false,
    entries: [{ publicKey: client.key, name: 'laptop', allow: [`127.0.0.1:${port}`], invited: true }],
  });
  t.match(await list(daemon), [
    { state: 'used', redeemed: [{ client: { publicKey: client.key, name: 'laptop' }, listed: true }] },
  ]);
  t.match(await daemon.call('rules.check', { client: 'laptop', target: '127.0.0.1:1' }), { allowed: false });
  t.match((await daemon.call('clients.list', {})).clients, [{ admittedBy: 'whitelist' }]);
  t.match(daemon.said.join(''), /invitation laptop \([a-z]{5}\): redeemed by [0-9A-F]{8}, .* now as laptop/);
});

t.test('a redemption disconnects no client that has the secret', async (t) => {
  const daemon = await TestDaemon.start(t);
  await daemon.call('secret.set', { secret: SECRET });
  const other = (await daemon.client()).connect(SECRET);
  await settle();
  await comingClient(daemon, await daemon.call('invite.create', {}));
  await other.ping();
  t.equal((await daemon.call('clients.list', {})).clients.length, 2);
});

t.test('a second client is refused with a reason of its own, and its owner sees it', async (t) => {
  const daemon = await TestDaemon.start(t);
  const created = await daemon.call('invite.create', { name: 'laptop' });
  await comingClient(daemon, created);
  const { client } = await comingClient(daemon, created);
  t.match(await list(daemon), [{ late: [{ client: { publicKey: client.key }, state: 'used' }] }]);
  t.match((await daemon.call('status', {})).refusals.last24Hours, { 'invitation-used': 1 });
  t.match((await daemon.call('clients.pending', {})).clients, [{ reason: 'invitation-used', sentSecret: true }]);
  t.match(daemon.said.join(''), /refused, its invitation has admitted as many clients as it may: laptop \([a-z]{5}\)/);
});

t.test('revoking says which clients it removes, and a dry run changes nothing', async (t) => {
  const daemon = await TestDaemon.start(t);
  const created = await daemon.call('invite.create', { name: 'laptop', uses: 2 });
  const { client, server } = await comingClient(daemon, created);
  await client.tunnel(server, await startEcho(t));
  const kept = await daemon.call('invite.revoke', { invitation: 'laptop', dryRun: true });
  t.match(kept, { removed: [], closedTunnels: 0, notes: [/^the client that came keeps its access; to end it: /] });
  const dry = await daemon.call('invite.revoke', { invitation: 'laptop', removeClients: true, dryRun: true });
  t.match(dry, { removed: [{ publicKey: client.key, name: 'laptop' }], closedTunnels: 1 });
  t.match(await list(daemon), [{ state: 'open' }]);
  const revoked = await daemon.call('invite.revoke', { invitation: created.invitation.id, removeClients: true });
  t.match(revoked, { removed: [{ name: 'laptop' }], closedTunnels: 1, notes: ['disconnected: laptop'] });
  t.match(await list(daemon), [{ state: 'revoked', redeemed: [{ listed: false }] }]);
  t.same((await daemon.call('whitelist.list', {})).entries, []);
  t.match(await daemon.call('invite.revoke', { invitation: 'laptop' }), {
    notes: ['the link was not valid any more: it was revoked before'],
  });
});

t.test('an invitation is named by its name or its ID, and a wrong name gets a suggestion', async (t) => {
  const daemon = await TestDaemon.start(t);
  const one = await daemon.call('invite.create', { name: 'laptop' });
  await comingClient(daemon, one);
  const two = await daemon.call('invite.create', { name: 'laptop' });
  t.same(two.notes, ['the name "laptop" is taken: a new client will be called laptop-2']);
  t.match(await daemon.call('invite.revoke', { invitation: 'laptop', dryRun: true }), {
    invitation: { id: two.invitation.id },
  });
  await daemon.call('invite.create', { name: 'laptop' });
  await t.rejects(daemon.call('invite.revoke', { invitation: 'laptop' }), {
    code: 'ambiguous',
    message: 'there are 2 open invitations for "laptop"',
    hint: /^name one of them by its ID: [a-z]{5}, [a-z]{5}$/,
  });
  await t.rejects(daemon.call('invite.revoke', { invitation: 'laptpo' }), {
    code: 'not-found',
    message: 'there is no invitation "laptpo"',
    hint: 'did you mean "laptop"?',
  });
});

t.test('wrong parameters are refused with what is right', async (t) => {
  const daemon = await TestDaemon.start(t);
  const cases: [object, RegExp][] = [
    [{ expiresAt: rfc3339(systemClock.unixTime() - 1) }, /is in the past/],
    [{ allow: ['nonsense;'] }, /is not a rule/],
    [{ uses: 0 }, /uses/],
    [{ uses: 101 }, /uses/],
    [{ accessMs: 0 }, /accessMs/],
    [{ name: '1' }, /a name begins with a letter/],
  ];
  for (const [params, message] of cases) {
    await t.rejects(daemon.call('invite.create', params), { code: 'bad-params', message });
  }
  t.same(await list(daemon), []);
});

t.test('an open daemon says that clients need no invitation', async (t) => {
  const daemon = await TestDaemon.start(t, { config: 'access:\n  open: true\n' });
  t.match((await daemon.call('invite.create', {})).notes, [/\(access\.open\)$/]);
});

t.test('a dry run makes no invitation and shows no link', async (t) => {
  const daemon = await TestDaemon.start(t);
  t.match(await daemon.call('invite.create', { name: 'laptop', dryRun: true }), {
    invitation: { name: 'laptop', state: 'open' },
    link: null,
  });
  t.same(await list(daemon), []);
});

t.test('on a full disk no invitation is made, and a client that comes is refused until there is room', async (t) => {
  const daemon = await TestDaemon.start(t);
  const created = await daemon.call('invite.create', { uses: 2 });
  daemon.disk.fault = 'ENOSPC';
  await t.rejects(daemon.call('invite.create', {}), { code: 'not-saved' });
  const { client, server } = await comingClient(daemon, created);
  t.match((await daemon.call('clients.pending', {})).clients, [{ reason: 'not-saved' }]);
  t.ok((await daemon.call('status', {})).warnings.some(({ code }) => code === 'not-saved'));
  daemon.disk.fault = undefined;
  // Any change lets the daemon try again at once; otherwise the client's next request does.
  await daemon.call('invite.create', {});
  await settle();
  await client.tunnel(server, await startEcho(t));
  t.match(await list(daemon), [{ redeemed: [{ client: { publicKey: client.key } }] }, {}]);
});

t.test('a client that is removed is told of as long as its link is open for others', async (t) => {
  const daemon = await TestDaemon.start(t);
  const created = await daemon.call('invite.create', { name: 'laptop', uses: 2 });
  await comingClient(daemon, created);
  const { notes } = await daemon.call('whitelist.remove', { client: 'laptop' });
  t.same(notes, [
    `the link by which it came is still open for others: tuntoxctl invite revoke ${created.invitation.id}`,
  ]);
});

t.test('a client that is removed does not come back by the link that it keeps, which has a use left', async (t) => {
  const daemon = await TestDaemon.start(t);
  const created = await daemon.call('invite.create', { name: 'laptop', uses: 2 });
  const { client, server } = await comingClient(daemon, created);
  await daemon.call('whitelist.remove', { client: 'laptop' });
  server.leave();
  client.connect(secretOf(created));
  for (let waiting = 0; waiting === 0; ) {
    await settle();
    waiting = (await daemon.call('clients.pending', {})).clients.length;
  }
  t.match((await daemon.call('clients.pending', {})).clients, [{ reason: 'invitation-used' }]);
  t.match(await list(daemon), [{ redeemed: [{ client: { publicKey: client.key } }] }]);
});

t.test('whitelist off keeps the clients with an invitation, and says so', async (t) => {
  const daemon = await TestDaemon.start(t);
  const { client } = await comingClient(daemon, await daemon.call('invite.create', { name: 'laptop' }));
  await daemon.call('whitelist.add', { id: (await daemon.client()).id, name: 'desktop' });
  const { removed, notes } = await daemon.call('whitelist.off', { confirmed: true });
  t.match(removed, [{ name: 'desktop' }]);
  t.equal(removed.length, 1);
  t.match(notes, ['1 client with an invitation: no change', /^there is no secret either/]);
  t.match((await daemon.call('clients.list', {})).clients, [{ client: { publicKey: client.key } }]);
});

t.test('a first secret asks nothing where all clients came by invitations', async (t) => {
  const daemon = await TestDaemon.start(t);
  const { server } = await comingClient(daemon, await daemon.call('invite.create', {}));
  t.match(await daemon.call('secret.set', { secret: SECRET }), { changed: true, closedTunnels: 0 });
  await server.ping();
});

async function warningsOf(t: Test, prepare: (daemon: TestDaemon) => Promise<unknown>): Promise<string[]> {
  const daemon = await TestDaemon.start(t);
  await prepare(daemon);
  return (await daemon.call('status', {})).warnings.map(({ code }) => code).filter((code) => code === 'closed');
}

t.test('a daemon with an open invitation is not closed', async (t) => {
  t.same(await warningsOf(t, async () => {}), ['closed']);
  t.same(await warningsOf(t, (daemon) => daemon.call('invite.create', {})), []);
});
