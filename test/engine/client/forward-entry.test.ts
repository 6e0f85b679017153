import t from 'tap';
import {
  type ForwardEntry,
  findForward,
  forwardsFormat,
  MAX_FORWARDS,
  withForward,
} from '../../../src/engine/client/forward-entry.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ToxId } from '../../../src/tox/crypto/tox-id.js';

const id = new ToxId(new PublicKey(Buffer.alloc(32, 1)), Buffer.alloc(4));
const entry = (port: number, bind: string | undefined = '127.0.0.1'): ForwardEntry => ({
  bind,
  port,
  target: { host: 'db', port: 5432 },
  server: { id, name: 'nas', secret: Buffer.from('canary') },
  addedAt: 7,
});

/** What a file with one forward has, changed. */
function stored(changes: object): Record<string, unknown> {
  const { forwards } = forwardsFormat.encode([entry(1)]) as { forwards: object[] };
  return { forwards: [{ ...forwards[0], ...changes }] };
}

t.test('forwards are read as they were written', async (t) => {
  const unnamed = { ...entry(2), bind: undefined, server: { id, name: undefined, secret: undefined } };
  const list = [entry(1), unnamed, { ...entry(3, '::1'), target: { host: 'ssh', port: 0 } }];
  const read = forwardsFormat.decode(JSON.parse(JSON.stringify(forwardsFormat.encode(list))));
  t.same(
    read.map(({ server, ...rest }) => [rest, server.id.toString(), server.name, server.secret?.toString()]),
    list.map(({ server, ...rest }) => [rest, server.id.toString(), server.name, server.secret?.toString()]),
  );
});

t.test('a damaged file is an error that names the field, and shows no secret', async (t) => {
  const server = { name: null, tox_id: id.toString(), secret: 'canary' };
  for (const [changes, message] of [
    [{ bind: 5 }, /forward 1: its "bind" is invalid/],
    [{ port: 0 }, /"port"/],
    [{ port: '8080' }, /"port"/],
    [{ target: null }, /"target"/],
    [{ target: { host: '', port: 1 } }, /"target"/],
    [{ server: { ...server, tox_id: `${id.toString().slice(0, -1)}X` } }, /"server.tox_id"/],
    [{ server: { ...server, secret: 5 } }, /"server.secret"/],
    [{ server: { ...server, secret: 'canary'.repeat(154) } }, /"server.secret"/],
    [{ server: { ...server, name: '' } }, /"server.name"/],
    [{ added_at: null }, /"added_at"/],
  ] as const) {
    t.throws(() => forwardsFormat.decode(stored(changes)), { message });
    t.throws(() => forwardsFormat.decode(stored(changes)), /^((?!canary).)*$/);
  }
  t.throws(() => forwardsFormat.decode({}), /no list/);
  const { forwards } = forwardsFormat.encode([entry(1), entry(1)]);
  t.throws(() => forwardsFormat.decode({ forwards }), /127\.0\.0\.1:1 is there twice/);
});

t.test('a port has one forward at each address, and there is a most of them', async (t) => {
  const list = withForward([entry(1)], entry(1, '::1'));
  t.throws(() => withForward(list, entry(1)), { code: 'exists' });
  const many = Array.from({ length: MAX_FORWARDS }, (_, index) => entry(index + 1));
  t.throws(() => withForward(many, entry(5000)), { code: 'full' });
});

t.test('a forward is found by its port, and by its address where there are two', async (t) => {
  const list = [entry(1), entry(2), entry(2, '::1'), { ...entry(3), bind: undefined }];
  t.equal(findForward(list, { bind: 'any', port: 1 }), list[0]);
  t.equal(findForward(list, { bind: '::1', port: 2 }), list[2]);
  t.equal(findForward(list, { bind: undefined, port: 3 }), list[3]);
  t.throws(() => findForward(list, { bind: 'any', port: 2 }), {
    code: 'ambiguous',
    message: /127\.0\.0\.1:2 and \[::1\]:2: name one/,
  });
  t.throws(() => findForward(list, { bind: '::1', port: 1 }), {
    code: 'not-found',
    message: /no forward at \[::1\]:1/,
  });
});
