import t from 'tap';
import {
  MAX_RANGE,
  parseDynamicForward,
  parseLocalForward,
  parseLocalForwards,
  parseReverseForwards,
} from '../../src/config/forward-text.js';

const ssh = { host: '127.0.0.1', port: 22 };
const port = (number: number, bind: string | undefined = '127.0.0.1') => ({ kind: 'port', bind, port: number });
const unix = (path: string) => ({ kind: 'unix', path });

t.test('a forward listens on the loopback address by default', async (t) => {
  const web = { host: 'web', port: 8080 };
  for (const [text, at, target] of [
    ['2222:127.0.0.1:22', port(2222), ssh],
    ['2222@127.0.0.1@22', port(2222), ssh],
    ['*:80:web:8080', { ...port(80), bind: undefined }, web],
    [':80:web:8080', { ...port(80), bind: undefined }, web],
    ['[::1]:80:[2001:db8::1]:8080', port(80, '::1'), { host: '2001:db8::1', port: 8080 }],
    ['0:127.0.0.1:22', port(0), ssh],
    ['2222:SSH', port(2222), { host: 'ssh', port: 0 }],
    ['[::1]:2222:ssh', port(2222, '::1'), { host: 'ssh', port: 0 }],
  ] as const) {
    t.strictSame(parseLocalForward(text), { kind: 'local', at, target }, text);
  }
});

t.test('a target may have any form of OpenSSH, for names, IPv4 and IPv6', async (t) => {
  for (const host of ['db', '127.0.0.1', '::1', '2001:db8::1', 'fe80::1%eth0', '1:2:3:4:5:6:7:8']) {
    for (const [front, bind] of [
      ['2222', '127.0.0.1'],
      ['localhost:2222', 'localhost'],
      ['[localhost]:2222', 'localhost'],
      ['[::1]:2222', '::1'],
      ['*:2222', undefined],
    ] as const) {
      const expected = { kind: 'local', at: { kind: 'port', bind, port: 2222 }, target: { host, port: 22 } };
      t.strictSame(parseLocalForward(`${front}:[${host}]:22`), expected, front);
      t.strictSame(parseLocalForward(`${front}:${host}:22`), expected, front);
    }
  }
});

t.test('a number in front of an IPv6 target is the port, and an IPv6 address to bind needs brackets', async (t) => {
  t.match(parseLocalForward('22:2222:fd00::1:22'), { at: port(22), target: { host: '2222:fd00::1', port: 22 } });
  t.match(parseLocalForward(':22:fd00::1:22').at, { bind: undefined });
  t.throws(() => parseLocalForward('::1:2222:h:22'), { code: 'format' });
});

t.test('a Unix socket may be at either end, or at both', async (t) => {
  for (const [text, at, target] of [
    ['/tmp/a.sock:127.0.0.1:22', unix('/tmp/a.sock'), ssh],
    ['./a.sock:127.0.0.1:22', unix('./a.sock'), ssh],
    ['sub/a.sock:[::1]:22', unix('sub/a.sock'), { host: '::1', port: 22 }],
    ['2222:/run/b.sock', port(2222), { host: '/run/b.sock', port: 0 }],
    ['[::1]:2222:/run/b.sock', port(2222, '::1'), { host: '/run/b.sock', port: 0 }],
    ['/tmp/a.sock:/run/b.sock', unix('/tmp/a.sock'), { host: '/run/b.sock', port: 0 }],
    ['/tmp/a.sock:db', unix('/tmp/a.sock'), { host: 'db', port: 0 }],
    ['/tmp/@\\:1.sock:/run/@\\:2.sock', unix('/tmp/@:1.sock'), { host: '/run/@:2.sock', port: 0 }],
    [
      '/run/.s.PGSQL.5432:/run/postgresql/.s.PGSQL.5432',
      unix('/run/.s.PGSQL.5432'),
      { host: '/run/postgresql/.s.PGSQL.5432', port: 0 },
    ],
  ] as const) {
    t.strictSame(parseLocalForward(text), { kind: 'local', at, target }, text);
  }
});

t.test('a socket of systemd may be the place, by its name or in order', async (t) => {
  for (const [text, name, target] of [
    ['fd:127.0.0.1:22', undefined, ssh],
    ['fd:ssh', undefined, { host: 'ssh', port: 0 }],
    ['fd/web:127.0.0.1:22', 'web', ssh],
    ['fd/web.socket:/run/b.sock', 'web.socket', { host: '/run/b.sock', port: 0 }],
  ] as const) {
    t.strictSame(parseLocalForward(text), { kind: 'local', at: { kind: 'descriptor', name }, target }, text);
  }
  t.match(parseLocalForward('fd:8080:127.0.0.1:22').at, port(8080, 'fd'), 'a machine may be called so');
});

t.test('udp: in front is of the whole forward', async (t) => {
  const target = { host: '127.0.0.1', port: 53, protocol: 'udp' };
  t.strictSame(parseLocalForward('udp:53:127.0.0.1:53'), { kind: 'local', at: port(53), target });
  t.match(parseLocalForward('udp:*:5353:127.0.0.1:53'), { at: { bind: undefined, port: 5353 }, target });
  t.match(parseLocalForward('udp:5353:dns'), { at: port(5353), target: { host: 'dns', port: 0, protocol: 'udp' } });
  t.throws(() => parseLocalForward('udp:53:/run/b.sock'), { code: 'format' }, 'a stream has no datagrams');
  t.throws(() => parseLocalForward('53:udp:h:53'), { code: 'format', message: /stands in front of all/ });
  for (const place of ['/tmp/a.sock', 'fd', 'fd/dns'])
    t.throws(() => parseLocalForward(`udp:${place}:h:53`), { code: 'format', message: /begins at a port/ }, place);
});

t.test('a range is one forward for each of its ports', async (t) => {
  t.strictSame(
    parseLocalForwards('*:8000-8002:[::1]:9000-9002'),
    [0, 1, 2].map((offset) => ({
      kind: 'local',
      at: { kind: 'port', bind: undefined, port: 8000 + offset },
      target: { host: '::1', port: 9000 + offset },
    })),
  );
  t.equal(parseLocalForwards('7-7:h:7-7').length, 1);
  t.match(parseLocalForwards('udp:1-2:h:3-4')[1], { at: port(2), target: { port: 4, protocol: 'udp' } });
  t.equal(parseLocalForwards(`1-${MAX_RANGE}:h:1-${MAX_RANGE}`).length, MAX_RANGE);
  for (const [text, message] of [
    [`1-${MAX_RANGE + 1}:h:1-${MAX_RANGE + 1}`, /more than 256 ports/],
    ['8000-8010:h:8000', /11 ports have one target: give it a range too/],
    ['8000-8010:ssh', /11 ports have one target/],
    ['8000-8010:h:8000-8011', /the first range has 11 ports, the second 12/],
    ['8000:h:8000-8001', /the first range has 1 ports, the second 2/],
    ['8010-8000:h:8000-8010', /the first port is above the last/],
    ['0-5:h:1-6', /"0" is not a port/],
  ] as const) {
    t.throws(() => parseLocalForwards(text), { code: 'format', message }, text);
  }
  t.throws(() => parseLocalForward('1-2:h:3-4'), { code: 'format', message: /name one port/ });
});

t.test('what is no forward says how one is written', async (t) => {
  for (const [text, message] of [
    ['', /is not \[bind:\]port:host:port/],
    ['2222', /is not \[bind:\]port:host:port/],
    ['/tmp/a.sock', /is not \[bind:\]port:host:port/],
    ['fd', /is not \[bind:\]port:host:port/],
    ['2222:22', /"22" is not host:port/],
    ['a:1:b:2:c', /"b:2:c" is not host:port/],
    ['2222::22', /the host is missing/],
    ['2222:h:70000', /"70000" is not a port/],
    ['70000:h:22', /"70000" is not a port/],
    ['2222:h:22:', /is not host:port/],
    ['2222:run/b.sock', /is not host:port/],
    ['[a:b]:2222:h:22', /"a:b" .*is not an address/],
    [`2222:/${'a'.repeat(107)}`, /at most 107/],
  ] as const) {
    t.throws(() => parseLocalForward(text), { code: 'format', message }, JSON.stringify(text));
  }
});

t.test('a dynamic forward is a place alone', async (t) => {
  for (const [text, at] of [
    ['1080', port(1080)],
    ['0', port(0)],
    ['localhost:1080', port(1080, 'localhost')],
    ['*@1080', { ...port(1080), bind: undefined }],
    ['[::1]:1080', port(1080, '::1')],
    ['/run/socks.sock', unix('/run/socks.sock')],
    ['fd/socks', { kind: 'descriptor', name: 'socks' }],
    ['fd', { kind: 'descriptor', name: undefined }],
  ] as const) {
    t.strictSame(parseDynamicForward(text), { kind: 'dynamic', at }, text);
  }
  for (const text of ['', 'x', '1080:', '1080:h:22', '1-2', '::1:1080'])
    t.throws(() => parseDynamicForward(text), { code: 'format' }, text);
});

t.test('a reverse forward is a port of the server and a target of this machine', async (t) => {
  t.strictSame(parseReverseForwards('8080:127.0.0.1:22'), [{ kind: 'reverse', at: port(8080), target: ssh }]);
  t.match(parseReverseForwards('*:0:h:80'), [{ at: { bind: undefined, port: 0 }, target: { host: 'h', port: 80 } }]);
  t.strictSame(parseReverseForwards('1080'), [{ kind: 'reverse', at: port(1080) }], 'each connection names its target');
  t.match(parseReverseForwards('*:1080'), [{ at: { bind: undefined, port: 1080 } }]);
  t.match(parseReverseForwards('8080:/run/b.sock'), [{ target: { host: '/run/b.sock', port: 0 } }]);
  t.equal(parseReverseForwards('1-3:h:1-3').length, 3);
  for (const [text, message] of [
    ['web', /is not \[bind:\]port:host:port.*nor \[bind:\]port/],
    ['8080:', /./],
    ['8080:80', /./],
    ['/run/a.sock', /does not begin with a port/],
    ['8080:ssh', /the name of a service/],
    ['/run/a.sock:h:80', /does not begin with a port/],
    ['fd:h:80', /does not begin with a port/],
    ['udp:53:h:53', /for TCP only/],
    ['53:udp:h:53', /for TCP only/],
  ] as const) {
    t.throws(() => parseReverseForwards(text), { code: 'format', message }, text);
  }
});
