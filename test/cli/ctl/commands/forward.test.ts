import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ParamsIn } from '../../../../src/control/protocol.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';
import { HANDLERS, startDaemon } from '../support/daemon.js';
import { run } from '../support/run.js';

const TOX_ID = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB670000000080BA';
const LINK = `tuntox://${TOX_ID}/abc23/127.0.0.1:22`;

type Asked = ParamsIn<'forwards.add'>;

/** Runs `forward add`, and returns what the daemon was asked. */
async function add(t: Test, words: readonly string[], options: { input?: string; home?: string } = {}) {
  let asked: Asked | undefined;
  const socket = await startDaemon(t, {
    'forwards.add': (params, call) => {
      asked = params;
      return HANDLERS['forwards.add'](params, call);
    },
  });
  const env = { HOME: options.home ?? temporaryDirectory(t) };
  const ran = await run(['forward', 'add', ...words], { socket, env, input: options.input ?? '' });
  return { ...ran, asked };
}

/** A home with one stored host. */
function homeWith(t: Test, name: string): string {
  const home = temporaryDirectory(t);
  const directory = join(home, '.config/tuntox');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const host = { name, tox_id: TOX_ID, pinned_key: TOX_ID.slice(0, 64), secret: 'canary', added_at: 1 };
  writeFileSync(join(directory, 'hosts.json'), JSON.stringify({ version: 1, hosts: [host] }), { mode: 0o600 });
  return home;
}

t.test('a stored host is sent with its name, its Tox ID and its secret', async (t) => {
  const { asked, status, stdout } = await add(t, ['nas', '8080:127.0.0.1:80'], { home: homeWith(t, 'nas') });
  t.equal(status, 0);
  t.match(asked, { server: TOX_ID, name: 'nas', secret: 'canary', forward: '8080:127.0.0.1:80' });
  t.notMatch(stdout, /canary/);
});

t.test('a name that no host has is 5, with the nearest one', async (t) => {
  const { asked, status, stderr } = await add(t, ['nsa', '8080:a:1'], { home: homeWith(t, 'nas') });
  t.equal(status, 5);
  t.match(stderr, /there is no host "nsa": did you mean "nas"/);
  t.equal(asked, undefined);
});

t.test('a link is an argument or comes from standard input', async (t) => {
  t.match((await add(t, [LINK, '8080'])).asked, { server: LINK, forward: '8080' });
  t.match((await add(t, ['-', '8080'], { input: `${LINK}\n` })).asked, { server: LINK });
});

t.test('-D may have a file of users, which nothing else has', async (t) => {
  const file = join(temporaryDirectory(t), 'users');
  writeFileSync(file, 'ann:one\n', { mode: 0o600 });
  t.match((await add(t, [TOX_ID, '1080', '-D', '--socks-auth', file])).asked, { kind: 'dynamic', users: 'ann:one\n' });
  t.equal((await add(t, [TOX_ID, '1080', '-D'])).asked?.users, undefined);
  const { status, stderr } = await add(t, [TOX_ID, '1:a:1', '--socks-auth', file]);
  t.equal(status, 2);
  t.match(stderr, /--socks-auth is only for -D/);
});

t.test('a Tox ID may have its secret in a file, which nothing else has', async (t) => {
  const file = join(temporaryDirectory(t), 'secret');
  writeFileSync(file, 'from a file\n', { mode: 0o600 });
  t.match((await add(t, [TOX_ID, '1:a:1', '--secret-file', file])).asked, { server: TOX_ID, secret: 'from a file' });
  t.match((await add(t, [TOX_ID, '1:a:1', '--secret-file', '-'], { input: 'x\n' })).asked, { secret: 'x' });
  t.equal((await add(t, [TOX_ID, '1:a:1'])).asked?.secret, undefined);
  const { status, stderr } = await add(t, [LINK, '8080', '--secret-file', file]);
  t.equal(status, 2);
  t.match(stderr, /--secret-file is only for a Tox ID/);
});

t.test('-D and -R are kinds of forwards, and not both', async (t) => {
  t.match((await add(t, [TOX_ID, '-D', '1080'])).asked, { kind: 'dynamic', forward: '1080' });
  t.match((await add(t, [TOX_ID, '-R', '8080:127.0.0.1:80'])).asked, { kind: 'reverse', forward: '8080:127.0.0.1:80' });
  t.match((await add(t, [TOX_ID, '2222:ssh'])).asked, { kind: 'local' });
  const both = await add(t, [TOX_ID, '-D', '-R', '1080']);
  t.equal(both.status, 2);
  t.match(both.stderr, /-D and -R are two kinds of forwards/);
});

t.test('a forward is listed by the words that remove it', async (t) => {
  const socket = await startDaemon(t);
  const { stdout } = await run(['forward', 'list'], { socket, terminal: 200 });
  for (const line of [
    /^\s*\*:2222 +ssh /m,
    /^\s*udp:127\.0\.0\.1:53 +udp:127\.0\.0\.1:53 /m,
    /^\s*\/run\/user\/1000\/db\.sock +\/run\/postgresql\/\.s\.PGSQL\.5432 /m,
    /^\s*-D 127\.0\.0\.1:1080 +any /m,
    /^\s*-R 127\.0\.0\.1:8080 +127\.0\.0\.1:3000 /m,
  ])
    t.match(stdout, line);
  const narrow = await run(['forward', 'list'], { socket, terminal: 80, env: { NO_COLOR: '1' } });
  for (const line of narrow.stdout.split('\n')) t.ok(line.length <= 80, line);
});

t.test('a forward of the server is removed by -R, and by its host where several have the place', async (t) => {
  let asked: ParamsIn<'forwards.remove'> | undefined;
  const socket = await startDaemon(t, {
    'forwards.remove': (params, call) => {
      asked = params;
      return HANDLERS['forwards.remove'](params, call);
    },
  });
  t.equal((await run(['forward', 'remove', '-R', '8080', '--server', 'nas'], { socket })).status, 0);
  t.match(asked, { forward: '8080', reverse: true, server: 'nas' });
  await run(['forward', 'remove', '/run/a.sock'], { socket });
  t.match(asked, { forward: '/run/a.sock', reverse: false });
});
