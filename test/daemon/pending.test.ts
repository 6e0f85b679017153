/** Clients that asked and were refused, and their approval through the control socket. */
import t, { type Test } from 'tap';
import { rfc3339 } from '../../src/base/clock.js';
import { keyWords } from '../../src/config/words.js';
import { pendingMethods } from '../../src/daemon/methods/pending.js';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import { ManualClock } from '../support/manual-clock.js';
import { settle, startEcho, type TestClient, TestDaemon } from './support/test-daemon.js';

const SECRET = 'a secret of some length';

const wordsOf = (client: TestClient): Promise<string> => keyWords(PublicKey.parse(client.key) as PublicKey);
const short = (client: TestClient): string => client.key.slice(0, 8).toUpperCase();

/** A client that asked and was refused. */
async function refusedClient(daemon: TestDaemon, secret?: string) {
  const client = await daemon.client();
  const server = client.connect(secret);
  await settle();
  return { client, server, words: await wordsOf(client) };
}

const pendingKeys = async (daemon: TestDaemon): Promise<string[]> =>
  (await daemon.call('clients.pending', {})).clients.map(({ client }) => client.publicKey);

/** A daemon with a whitelist of one client that never comes. */
async function startListed(t: Test, config = '') {
  const daemon = await TestDaemon.start(t, { config });
  await daemon.call('whitelist.add', { id: (await daemon.client()).id, name: 'desktop' });
  return daemon;
}

t.test('a client that is refused is listed with what its owner can compare, and without its secret', async (t) => {
  const daemon = await startListed(t);
  t.same((await daemon.call('clients.pending', {})).clients, []);
  const { client, words } = await refusedClient(daemon, SECRET);
  const list = await daemon.call('clients.pending', {});
  t.match(list.clients, [
    {
      client: { publicKey: client.key, name: null },
      words,
      requests: 1,
      reason: 'not-whitelisted',
      sentSecret: true,
      via: { kind: 'other' },
    },
  ]);
  t.notMatch(JSON.stringify(list), SECRET);
  t.equal((await daemon.call('status', {})).refusals.pending, 1);
});

t.test('an approved client is admitted at once and reaches a service', async (t) => {
  const daemon = await startListed(t);
  const { client, server, words } = await refusedClient(daemon);
  const approved = await daemon.call('clients.approve', {
    client: client.key.slice(0, 6),
    name: 'laptop',
    expiresAt: '2099-01-31T00:00:00Z',
  });
  t.match(approved, {
    client: { publicKey: client.key, name: 'laptop' },
    words,
    admitted: true,
    change: { added: [{ publicKey: client.key, name: 'laptop', expiresAt: '2099-01-31T00:00:00Z' }] },
  });
  await server.ping();
  await client.tunnel(server, await startEcho(t));
  t.same(await pendingKeys(daemon), []);
  t.match((await daemon.call('whitelist.list', {})).entries, [{ name: 'desktop' }, { name: 'laptop' }]);
});

t.test('words that two clients have approve neither', async (t) => {
  const daemon = await startListed(t);
  const { client, words } = await refusedClient(daemon);
  const publicKey = PublicKey.parse(client.key) as PublicKey;
  // Another key with the same words cannot be made here: the same one twice stands for it.
  const one = {
    publicKey,
    reason: 'closed',
    firstAt: 1,
    lastAt: 1,
    requests: 1,
    source: 'others',
    hasSentSecret: false,
  };
  const deps = { admission: { pending: [one, { ...one }] } } as unknown as Parameters<typeof pendingMethods>[0];
  const approve = pendingMethods(deps)['clients.approve'];
  const params = { client: words, confirmed: false, adopt: false, dryRun: false };
  await t.rejects(Promise.resolve(approve(params, { signal: new AbortController().signal })), {
    code: 'ambiguous',
    message: `two clients with the words "${words}" have asked to be admitted`,
  });
});

t.test('a client is named by its words, as they are spoken', async (t) => {
  const daemon = await startListed(t);
  for (const spoken of [
    (words: string) => words,
    (words: string) => words.toUpperCase().replaceAll(' ', ', '),
    (words: string) => words.replaceAll(' ', '-'),
  ]) {
    const { client, words } = await refusedClient(daemon);
    t.match(await daemon.call('clients.approve', { client: spoken(words) }), { client: { publicKey: client.key } });
  }
});

t.test('words that are too few, misheard or those of nobody approve nobody', async (t) => {
  const daemon = await startListed(t);
  const { words } = await refusedClient(daemon);
  const [first = '', ...others] = words.split(' ');
  for (const [client, error] of [
    [
      `${first} ${others[0]}`,
      { code: 'bad-params', message: /a key has 6 words, and these are 2: compare and type all/ },
    ],
    [
      `aple ${others.join(' ')}`,
      { code: 'bad-params', message: /"aple" is not one of the words: did you mean "able"/ },
    ],
    [`zoo ${others.join(' ')}`, { code: 'not-found', message: /no client with the words "zoo / }],
    ['laptop', { code: 'not-found', message: 'no client "laptop" has asked to be admitted', hint: /clients pending/ }],
    ['abc', { code: 'not-found', hint: /at least 6 digits are needed; .*clients pending/ }],
    ['desktop', { code: 'exists', message: /^desktop is not waiting: it is on the whitelist/ }],
    ['A'.repeat(64), { code: 'not-found', hint: new RegExp(`tuntoxctl whitelist add ${'A'.repeat(64)}`) }],
  ] as const) {
    await t.rejects(daemon.call('clients.approve', { client }), error, client);
  }
  t.equal((await pendingKeys(daemon)).length, 1);
});

t.test('the first approval opens a closed daemon, and its status says who asked', async (t) => {
  const daemon = await TestDaemon.start(t);
  daemon.goOnline();
  const { client, server } = await refusedClient(daemon);
  t.match(await daemon.call('clients.pending', {}), { clients: [{ reason: 'closed' }] });
  const { warnings } = await daemon.call('status', {});
  t.match(warnings, [{ code: 'closed', hint: /tuntoxctl clients pending/ }]);
  t.match(await daemon.call('clients.approve', { client: client.key }), {
    admitted: true,
    change: { notes: [/from now on only clients on the whitelist are admitted/] },
  });
  await server.ping();
});

t.test('an approval that would disconnect clients asks first, and a dry run changes nothing', async (t) => {
  const daemon = await TestDaemon.start(t);
  await daemon.call('secret.set', { secret: SECRET });
  const admitted = await daemon.client();
  await admitted.connect(SECRET).ping();
  const { client } = await refusedClient(daemon);
  const params = { client: client.key };
  await t.rejects(daemon.call('clients.approve', params), {
    code: 'needs-confirmation',
    message: new RegExp(`it would disconnect ${short(admitted)}`),
    hint: /--adopt/,
  });
  const dry = await daemon.call('clients.approve', { ...params, dryRun: true });
  t.match(dry, { admitted: false, change: { added: [{ publicKey: client.key }], notes: [/would disconnect/] } });
  t.match(await daemon.call('whitelist.list', {}), { enabled: false });
  const approved = await daemon.call('clients.approve', { ...params, adopt: true });
  t.match(approved.change.added, [{ publicKey: client.key }, { publicKey: admitted.key }]);
});

t.test('a client that sent no secret where one is needed too has to send it, and the answer says so', async (t) => {
  const daemon = await startListed(t);
  await daemon.call('secret.set', { secret: SECRET, confirmed: true });
  const { client } = await refusedClient(daemon);
  const approved = await daemon.call('clients.approve', { client: client.key, name: 'laptop' });
  t.equal(approved.admitted, false);
  t.match(approved.change.notes.join('\n'), /laptop sent no secret, so it is not admitted yet: give it the secret/);
  t.same(await pendingKeys(daemon), [client.key], 'it still waits');
  await t.rejects(daemon.call('clients.approve', { client: 'laptop' }), {
    code: 'exists',
    message: /laptop is already on the whitelist, but sent no secret, and clients need both/,
  });
});

t.test('a client that sent the secret too is admitted once it is approved', async (t) => {
  const daemon = await startListed(t);
  await daemon.call('secret.set', { secret: SECRET, confirmed: true });
  const { client, server } = await refusedClient(daemon, SECRET);
  await daemon.call('clients.approve', { client: client.key });
  await server.ping();
  t.same(await pendingKeys(daemon), []);
});

t.test('a banned client stays banned, and the answer says how to lift the ban', async (t) => {
  const daemon = await startListed(t);
  const { client } = await refusedClient(daemon);
  await daemon.call('clients.kick', { client: client.key, banForMs: 3_600_000 });
  const approved = await daemon.call('clients.approve', { client: client.key });
  t.equal(approved.admitted, false);
  t.match(approved.change.notes.join('\n'), new RegExp(`is banned; .*tuntoxctl bans clear ${short(client)}`));
  await t.rejects(daemon.call('clients.approve', { client: client.key }), {
    message: /already on the whitelist, but banned/,
    hint: /bans clear/,
  });
  await daemon.call('bans.clear', { client: client.key });
  t.match(await daemon.call('clients.list', {}), { clients: [{ client: { publicKey: client.key } }] }, 'it had asked');
});

t.test('a client whose access has expired is pending, and renewing its entry admits it', async (t) => {
  const clock = new ManualClock();
  const daemon = await TestDaemon.start(t, { clock });
  const client = await daemon.client();
  const expiresAt = rfc3339(clock.unixTime() + 3_600);
  await daemon.call('whitelist.add', { id: client.id, name: 'laptop', expiresAt });
  clock.advance(2 * 3_600_000);
  client.connect();
  await settle();
  t.match(await daemon.call('clients.pending', {}), { clients: [{ client: { name: 'laptop' }, reason: 'expired' }] });
  await t.rejects(daemon.call('clients.approve', { client: 'laptop' }), {
    code: 'exists',
    message: 'laptop is already on the whitelist, but its access has expired',
    hint: 'to renew it: tuntoxctl whitelist edit laptop --expires 30d',
  });
  await daemon.call('whitelist.edit', { client: 'laptop', expiresAt: null });
  t.match(await daemon.call('clients.list', {}), { clients: [{ client: { name: 'laptop' } }] });
});
