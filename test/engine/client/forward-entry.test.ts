import t from 'tap';
import {
  type ForwardEntry,
  findForward,
  forwardName,
  forwardsFormat,
  type KeptSpec,
  MAX_FORWARDS,
  type WantedForward,
  withForward,
} from '../../../src/engine/client/forward-entry.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ToxId } from '../../../src/tox/crypto/tox-id.js';

const id = new ToxId(new PublicKey(Buffer.alloc(32, 1)), Buffer.alloc(4));
const server = { id, name: 'nas', secret: Buffer.from('canary') };
const of = (spec: KeptSpec): ForwardEntry => ({ spec, server, addedAt: 7 });
const entry = (port: number, bind: string | undefined = '127.0.0.1', host = 'db'): ForwardEntry =>
  of({ kind: 'local', at: { kind: 'port', bind, port }, target: { host, port: 5432 } });
const everywhere = (port: number): ForwardEntry =>
  of({ kind: 'local', at: { kind: 'port', bind: undefined, port }, target: { host: 'db', port: 5432 } });
const udp = (port: number): ForwardEntry =>
  of({
    kind: 'local',
    at: { kind: 'port', bind: '127.0.0.1', port },
    target: { host: 'dns', port: 0, protocol: 'udp' },
  });
const atPath: ForwardEntry = of({
  kind: 'local',
  at: { kind: 'unix', path: '/run/a.sock' },
  target: { host: '/run/b.sock', port: 0 },
});
const dynamic: ForwardEntry = of({ kind: 'dynamic', at: { kind: 'port', bind: '127.0.0.1', port: 1080 } });
const reverse = (port: number): ForwardEntry =>
  of({ kind: 'reverse', at: { kind: 'port', bind: '127.0.0.1', port }, target: { host: 'web', port: 80 } });

/** What a file with one forward has, changed. */
function stored(changes: object): Record<string, unknown> {
  const { forwards } = forwardsFormat.encode([entry(1)]) as { forwards: object[] };
  return { forwards: [{ ...forwards[0], ...changes }] };
}

t.test('forwards are read as they were written', async (t) => {
  const unnamed = { ...everywhere(2), server: { id, name: undefined, secret: undefined } };
  const users = [{ name: 'ann', password: 'a:b' }];
  const atOther = { kind: 'port', bind: '127.0.0.1', port: 1081 } as const;
  const proxies = [
    of({ kind: 'dynamic', at: atOther, users }),
    of({ kind: 'reverse', at: atOther, users }),
    of({ kind: 'reverse', at: { ...atOther, port: 1082 } }),
  ];
  const list = [entry(1), unnamed, udp(1), atPath, dynamic, ...proxies, reverse(1)];
  const read = forwardsFormat.decode(JSON.parse(JSON.stringify(forwardsFormat.encode(list))));
  t.same(
    read.map(({ server, ...rest }) => [rest, server.id.toString(), server.name, server.secret?.toString()]),
    list.map(({ server, ...rest }) => [rest, server.id.toString(), server.name, server.secret?.toString()]),
  );
});

t.test('a file of version 1 has local ports alone', async (t) => {
  const stored = {
    bind: null,
    port: 8080,
    target: { host: 'ssh', port: 0 },
    server: { name: 'nas', tox_id: id.toString(), secret: null },
    added_at: 7,
  };
  t.strictSame(forwardsFormat.decode({ forwards: [stored] })[0]?.spec, {
    kind: 'local',
    at: { kind: 'port', bind: undefined, port: 8080 },
    target: { host: 'ssh', port: 0 },
  });
});

t.test('users of -D that cannot be read are an error, and not nobody', async (t) => {
  const stored = forwardsFormat.encode([dynamic]) as { forwards: object[] };
  for (const users of [null, [], 'ann:one', [{ name: 'ann' }], [{ name: '', password: 'one' }]])
    t.throws(() => forwardsFormat.decode({ forwards: [{ ...stored.forwards[0], users }] }), {
      message: /forward 1: its "users" is invalid/,
    });
});

t.test('a damaged file is an error that names the field, and shows no secret', async (t) => {
  const stranger = { name: null, tox_id: id.toString(), secret: 'canary' };
  for (const [changes, message] of [
    [{ bind: 5 }, /forward 1: its "bind" is invalid/],
    [{ port: 0 }, /"port"/],
    [{ port: '8080' }, /"port"/],
    [{ target: null }, /"target"/],
    [{ target: { host: '', port: 1 } }, /"target"/],
    [{ server: { ...stranger, tox_id: `${id.toString().slice(0, -1)}X` } }, /"server.tox_id"/],
    [{ server: { ...stranger, secret: 5 } }, /"server.secret"/],
    [{ server: { ...stranger, secret: 'canary'.repeat(154) } }, /"server.secret"/],
    [{ server: { ...stranger, name: '' } }, /"server.name"/],
    [{ added_at: null }, /"added_at"/],
    [{ kind: 'x' }, /"kind"/],
    [{ path: 'a.sock' }, /"path"/],
    [{ target: { host: 'a', port: 1, protocol: 'tcp' } }, /"target"/],
  ] as const) {
    t.throws(() => forwardsFormat.decode(stored(changes)), { message });
    t.throws(() => forwardsFormat.decode(stored(changes)), /^((?!canary).)*$/);
  }
  t.throws(() => forwardsFormat.decode({}), /no list/);
  const { forwards } = forwardsFormat.encode([entry(1), entry(1)]);
  t.throws(() => forwardsFormat.decode({ forwards }), /127\.0\.0\.1:1 is there twice/);
});

t.test('a place has one forward, and there is a most of them', async (t) => {
  const all = [entry(1, '::1'), udp(1), reverse(1), dynamic, atPath].reduce(withForward, [
    entry(1),
  ] as readonly ForwardEntry[]);
  t.equal(all.length, 6, 'the same port by UDP, and at the server, is another one');
  for (const one of all) t.throws(() => withForward(all, one), { code: 'exists' }, forwardName(one));
  t.throws(
    () => withForward(all, of({ kind: 'dynamic', at: entry(1).spec.at })),
    { code: 'exists' },
    'of another kind',
  );
  const other = { ...server, id: new ToxId(new PublicKey(Buffer.alloc(32, 2)), Buffer.alloc(4)) };
  t.equal(withForward(all, { ...reverse(1), server: other }).length, 7, 'at another server');
  const many = Array.from({ length: MAX_FORWARDS }, (_, index) => entry(index + 1));
  t.throws(() => withForward(many, entry(5000)), { code: 'full' });
});

const wanted = (port: number, bind: string | undefined = 'any', more: Partial<WantedForward> = {}): WantedForward => ({
  isReverse: false,
  place: { kind: 'port', bind, port },
  protocol: undefined,
  server: undefined,
  ...more,
});

t.test('a forward is found by its place, and by its address or protocol where there are two', async (t) => {
  const list = [entry(1), entry(2), entry(2, '::1'), everywhere(3), udp(1), atPath, reverse(4)];
  t.equal(findForward(list.slice(0, 1), wanted(1)), list[0]);
  t.equal(findForward(list, wanted(2, '::1')), list[2]);
  t.equal(findForward(list, { ...wanted(3), place: { kind: 'port', bind: undefined, port: 3 } }), list[3]);
  t.equal(findForward(list, wanted(1, 'any', { protocol: 'udp' })), list[4]);
  t.equal(findForward(list, { ...wanted(0), place: { kind: 'unix', path: '/run/a.sock' } }), atPath);
  t.equal(findForward(list, wanted(4, 'any', { isReverse: true })), list[6]);
  t.equal(findForward(list, wanted(4, 'any', { isReverse: true, server: 'nas' })), list[6]);
  t.throws(() => findForward(list, wanted(4)), { code: 'not-found', message: /no forward at port 4/ });
  t.throws(() => findForward(list, wanted(4, 'any', { isReverse: true, server: 'web' })), { code: 'not-found' });
  t.throws(() => findForward(list, wanted(2)), {
    code: 'ambiguous',
    message: /127\.0\.0\.1:2 \(nas\) and \[::1\]:2 \(nas\): name one/,
  });
  t.throws(() => findForward(list, wanted(1, '::1')), { code: 'not-found', message: /no forward at \[::1\]:1/ });
});
