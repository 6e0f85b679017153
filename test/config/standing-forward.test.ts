import t from 'tap';
import { FormatError } from '../../src/config/format-error.js';
import { parseKeptPlace, parseStandingForward } from '../../src/config/standing-forward.js';

const ID = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB670000000080BA';
const LINK = `tuntox://${ID}/abc23/10.0.0.5:80`;

const at = (number: number, bind: string | undefined = '127.0.0.1') => ({ kind: 'port', bind, port: number });

t.test('a forward is a place and a target, by host and port, the name of a service or a path', async (t) => {
  for (const [text, place, target] of [
    ['8080:127.0.0.1:80', at(8080), { host: '127.0.0.1', port: 80 }],
    ['*:8080:db:80', { ...at(8080), bind: undefined }, { host: 'db', port: 80 }],
    ['[::1]:8080:[2001:db8::1]:80', at(8080, '::1'), { host: '2001:db8::1', port: 80 }],
    ['2222:SSH', at(2222), { host: 'ssh', port: 0 }],
    ['[::1]:2222:ssh', at(2222, '::1'), { host: 'ssh', port: 0 }],
    ['localhost:2222:ssh', at(2222, 'localhost'), { host: 'ssh', port: 0 }],
    ['/run/a.sock:/run/b.sock', { kind: 'unix', path: '/run/a.sock' }, { host: '/run/b.sock', port: 0 }],
    ['udp:53:127.0.0.1:53', at(53), { host: '127.0.0.1', port: 53, protocol: 'udp' }],
  ] as const) {
    const { serverId, secret, spec } = parseStandingForward(ID, 'a secret', text);
    t.equal(serverId.toString(), ID);
    t.equal(secret, 'a secret');
    t.strictSame(spec, { kind: 'local', at: place, target }, text);
  }
});

t.test('the other kinds are written as after -D and -R', async (t) => {
  t.strictSame(parseStandingForward(ID, undefined, '1080', 'dynamic').spec, { kind: 'dynamic', at: at(1080) });
  const target = { host: '127.0.0.1', port: 3000 };
  const { spec } = parseStandingForward(ID, undefined, '*:8080:127.0.0.1:3000', 'reverse');
  t.strictSame(spec, { kind: 'reverse', at: { ...at(8080), bind: undefined }, target });
});

t.test('a link has the secret, and a target that another one replaces', async (t) => {
  const { secret, spec } = parseStandingForward(LINK, undefined, '8080');
  t.strictSame([secret, spec], ['abc23', { kind: 'local', at: at(8080), target: { host: '10.0.0.5', port: 80 } }]);
  t.match(parseStandingForward(LINK, undefined, '/run/a.sock').spec, {
    at: { path: '/run/a.sock' },
    target: { port: 80 },
  });
  t.match(parseStandingForward(LINK, undefined, '8080:a:1').spec, { target: { host: 'a', port: 1 } });
  t.throws(() => parseStandingForward(LINK, 'another', '8080'), /leave the other one out/);
});

t.test('what would mean something else at the next start is refused', async (t) => {
  for (const [text, kind, message] of [
    ['fd:a:1', 'local', /no sockets of systemd/],
    ['fd', 'dynamic', /no sockets of systemd/],
    ['a/b.sock:c:1', 'local', /not an absolute path/],
    ['0', 'dynamic', /0 is not a port/],
    ['0:a:1', 'reverse', /0 is not a port/],
    ['1-2:a:1-2', 'local', /name one port/],
    ['1-2:a:1-2', 'reverse', /name one port/],
  ] as const) {
    t.throws(() => parseStandingForward(ID, undefined, text, kind), { constructor: FormatError, message }, text);
  }
});

t.test('what is no forward says how one is written', async (t) => {
  for (const [text, message] of [
    ['8080', /names no target: write it as \[BIND:\]PORT:TARGET/],
    ['8080:80', /names no target/],
    ['udp:53', /is not/],
    ['/run/a.sock', /names no target/],
    ['0:a:1', /not a port/],
    ['70000:ssh', /not a port/],
    ['a:b:c:d', /is not/],
    ['', /is not/],
  ] as const)
    t.throws(() => parseStandingForward(ID, undefined, text), { constructor: FormatError, message }, text);
});

t.test('a kept forward is named by its place', async (t) => {
  const named = (text: string) => parseKeptPlace(text);
  t.strictSame(named('8080'), { protocol: undefined, place: at(8080, 'any') });
  t.strictSame(named('127.0.0.1:8080'), { protocol: undefined, place: at(8080) });
  t.strictSame(named('[::1]:8080'), { protocol: undefined, place: at(8080, '::1') });
  t.strictSame(named('*:8080'), { protocol: undefined, place: { ...at(8080), bind: undefined } });
  t.strictSame(named('udp:53'), { protocol: 'udp', place: at(53, 'any') });
  t.strictSame(named('/run/a\\:b.sock'), { protocol: undefined, place: { kind: 'unix', path: '/run/a:b.sock' } });
  for (const text of ['', ':', 'x', '8080:x', '80:8080', 'a/b.sock']) t.throws(() => named(text), FormatError, text);
});

t.test('a secret that no request can carry is refused', async (t) => {
  for (const [secret, message] of [
    ['', 'the secret is empty: use another one'],
    ['€'.repeat(307), 'the secret has 921 bytes: shorten it to 920 or less'],
    ['a\0b', 'the secret contains a zero byte: use text'],
  ] as const)
    t.throws(() => parseStandingForward(ID, secret, '8080:ssh'), { constructor: FormatError, message });
});
