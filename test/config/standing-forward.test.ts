import t from 'tap';
import { FormatError } from '../../src/config/format-error.js';
import { parseLocalPort, parseStandingForward } from '../../src/config/standing-forward.js';

const ID = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB670000000080BA';
const LINK = `tuntox://${ID}/abc23/10.0.0.5:80`;

t.test('a forward is a local port and a target, by host and port or by the name of a service', async (t) => {
  for (const [text, bind, port, target] of [
    ['8080:127.0.0.1:80', '127.0.0.1', 8080, { host: '127.0.0.1', port: 80 }],
    ['*:8080:db:80', undefined, 8080, { host: 'db', port: 80 }],
    ['[::1]:8080:[2001:db8::1]:80', '::1', 8080, { host: '2001:db8::1', port: 80 }],
    ['2222:SSH', '127.0.0.1', 2222, { host: 'ssh', port: 0 }],
    ['[::1]:2222:ssh', '::1', 2222, { host: 'ssh', port: 0 }],
    ['localhost:2222:ssh', 'localhost', 2222, { host: 'ssh', port: 0 }],
  ] as const) {
    const { serverId, secret, ...rest } = parseStandingForward(ID, 'a secret', text);
    t.equal(serverId.toString(), ID);
    t.equal(secret, 'a secret');
    t.strictSame(rest, { bind, port, target }, text);
  }
});

t.test('a link has the secret, and a target that another one replaces', async (t) => {
  const { secret, bind, port, target } = parseStandingForward(LINK, undefined, '8080');
  t.strictSame([secret, bind, port, target], ['abc23', '127.0.0.1', 8080, { host: '10.0.0.5', port: 80 }]);
  t.strictSame(parseStandingForward(LINK, undefined, '8080:a:1').target, { host: 'a', port: 1 });
  t.throws(() => parseStandingForward(LINK, 'another', '8080'), /leave the other one out/);
});

t.test('a secret that no request can carry is refused', async (t) => {
  for (const [secret, message] of [
    ['', 'the secret is empty: use another one'],
    ['€'.repeat(307), 'the secret has 921 bytes: shorten it to 920 or less'],
    ['a\0b', 'the secret contains a zero byte: use text'],
  ] as const)
    t.throws(() => parseStandingForward(ID, secret, '8080:ssh'), { constructor: FormatError, message });
});

t.test('what is no forward says how one is written', async (t) => {
  for (const [text, message] of [
    ['8080', /names no target: write it as \[BIND:\]PORT:TARGET/],
    ['8080:80', /is not \[BIND:\]PORT|names no target/],
    ['0:a:1', /not a port/],
    ['70000:ssh', /not a port/],
    ['a:b:c:d', /is not/],
    ['', /is not/],
  ] as const)
    t.throws(() => parseStandingForward(ID, undefined, text), { constructor: FormatError, message }, text);
});

t.test('a local port may have an address', async (t) => {
  t.same(parseLocalPort('8080'), { bind: 'any', port: 8080 });
  t.same(parseLocalPort('127.0.0.1:8080'), { bind: '127.0.0.1', port: 8080 });
  t.same(parseLocalPort('[::1]:8080'), { bind: '::1', port: 8080 });
  t.same(parseLocalPort('*:8080'), { bind: undefined, port: 8080 });
  for (const text of ['', ':', 'x', '8080:x', '80:8080']) t.throws(() => parseLocalPort(text), FormatError, text);
});
