import t from 'tap';
import {
  parseNode,
  parsePort,
  parsePortRange,
  parsePublicKey,
  parseRetries,
  parseServiceTarget,
  parseTarget,
  parseTargetOrService,
  parseTimeout,
  parseToxId,
} from '../../src/config/formats.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const KEY = ID.slice(0, 64);

t.test('a port is a number from 1 to 65535', async (t) => {
  t.equal(parsePort('1'), 1);
  t.equal(parsePort('65535'), 65535);
  for (const text of ['0', '65536', '-1', '', ' 22', '22x', '0x16', '1e3', '123456']) {
    t.throws(() => parsePort(text), { code: 'format', message: /from 1 to 65535/ }, text);
  }
});

t.test('a range of ports has a first and a last, in this order', async (t) => {
  t.same(parsePortRange('33445:33545'), { first: 33445, last: 33545 });
  t.same(parsePortRange('7@7'), { first: 7, last: 7 });
  t.throws(() => parsePortRange('33445'), { message: /the first and the last/ });
  t.throws(() => parsePortRange('1:2:3'), { message: /the first and the last/ });
  t.throws(() => parsePortRange('2:1'), { message: /swap/ });
  t.throws(() => parsePortRange('0:1'), { message: /from 1 to 65535/ });
});

t.test('a Tox ID is read in either case', async (t) => {
  t.equal(parseToxId(ID).toString(), ID);
  t.equal(parseToxId(ID.toLowerCase()).toString(), ID);
});

t.test('a Tox ID is read with what copying adds to it', async (t) => {
  const copies = [
    `${ID}\r`,
    ` ${ID} `,
    `${ID}\u00a0`,
    `\u200b${ID}\ufeff`,
    `tox:${ID}`,
    `TOX:${ID.slice(0, 38)} ${ID.slice(38)}`,
  ];
  for (const copy of copies) t.equal(parseToxId(copy).toString(), ID, JSON.stringify(copy));
  t.throws(() => parseToxId(`${ID.slice(1)}\r `), { message: /this one has 75/ }, 'blanks are no digits');
});

t.test('an invalid Tox ID is refused with the reason', async (t) => {
  t.throws(() => parseToxId(ID.slice(1)), { message: /76 hex digits, this one has 75/ });
  t.throws(() => parseToxId(`${ID.slice(0, 40)}O${ID.slice(41)}`), { message: /character 41 of this one is "O"/ });
  t.throws(() => parseToxId(`0${ID.slice(1)}`), { message: /checksum/ });
  // The top bit of the key set, and the checksum put right for it.
  const bytes = Buffer.from(ID, 'hex');
  bytes[31] = (bytes[31] as number) ^ 0x80;
  bytes[37] = (bytes[37] as number) ^ 0x80;
  t.throws(() => parseToxId(bytes.toString('hex')), { message: /public key/ });
});

t.test('a target is a host and a port', async (t) => {
  t.same(parseTarget('127.0.0.1:22'), { host: '127.0.0.1', port: 22 });
  t.same(parseTarget('db.example@5432'), { host: 'db.example', port: 5432 });
  t.same(parseTarget('[fe80::1%eth0]:22'), { host: 'fe80::1%eth0', port: 22 });
  t.same(parseTarget('bücher.example:80'), { host: 'xn--bcher-kva.example', port: 80 }, 'as DNS has it');
  for (const text of [
    '',
    '22',
    'host',
    'host:',
    ':22',
    'a:b:c',
    '[::1:22',
    '::1',
    '2001:db8::1',
    '[]:22',
    '[a:b]:22',
    'a b:22',
    'a\n:22',
  ]) {
    t.throws(() => parseTarget(text), { code: 'format' }, JSON.stringify(text));
  }
  t.throws(() => parseTarget(`${'a'.repeat(254)}:22`), { message: /253/ });
});

t.test('a target may have any form of OpenSSH, for names, IPv4 and IPv6', async (t) => {
  for (const host of ['db', '127.0.0.1', '::1', '2001:db8::1', 'fe80::1%eth0', '1:2:3:4:5:6:7:8']) {
    t.same(parseTarget(`${host}:22`), { host, port: 22 }, '%h:%p');
    t.same(parseTarget(`[${host}]:22`), { host, port: 22 }, '[%h]:%p');
  }
});

t.test('a bootstrap node has a host, a port and a key', async (t) => {
  const node = parseNode(`[2001:db8::1]:33445:${KEY}`);
  t.equal(node.host, '2001:db8::1');
  t.equal(node.port, 33445);
  t.equal(node.publicKey.hex, KEY);
  t.throws(() => parseNode('192.0.2.1:33445'), { message: /host:port:key/ });
  t.throws(() => parseNode(`192.0.2.1:0:${KEY}`), { message: /not a port/ });
});

t.test('a public key has 64 hex digits', async (t) => {
  t.equal(parsePublicKey(KEY.toLowerCase()).hex, KEY);
  t.throws(() => parsePublicKey(KEY.slice(2)), { message: /this one has 62/ });
  t.throws(() => parsePublicKey('nonsense'), { message: /"nonsense" is not a public key/ });
});

t.test('a duration without a unit is in seconds', async (t) => {
  const cases: [string, number][] = [
    ['30', 30_000],
    ['30s', 30_000],
    ['500ms', 500],
    ['2m', 120_000],
    ['1.5h', 5_400_000],
    ['1h30m', 5_400_000],
    ['0', 0],
    ['24h', 86_400_000],
  ];
  for (const [text, duration] of cases) t.equal(parseTimeout(text), duration, text);
  for (const text of ['', 's', '-1', '1 s', '1y', '0x1', '1e3', 'Infinity']) {
    t.throws(() => parseTimeout(text), { code: 'format', message: /is not a duration/ }, text);
  }
  t.throws(() => parseTimeout('24.1h'), { code: 'format', message: /too long/ }, 'timers could not');
});

t.test('a count is 0 or more', async (t) => {
  t.equal(parseRetries('0'), 0);
  t.equal(parseRetries('12'), 12);
  for (const text of ['', '-1', '1.5', 'x', '1'.repeat(10)])
    t.throws(() => parseRetries(text), { code: 'format' }, text);
});

t.test('a target is a host and port or a service, with udp: for UDP, or the path of a Unix socket', async (t) => {
  for (const [text, target] of [
    ['127.0.0.1:22', { host: '127.0.0.1', port: 22 }],
    ['ssh', { host: 'ssh', port: 0 }],
    ['udp:127.0.0.1:53', { host: '127.0.0.1', port: 53, protocol: 'udp' }],
    ['udp:[::1]:53', { host: '::1', port: 53, protocol: 'udp' }],
    ['udp:DNS', { host: 'dns', port: 0, protocol: 'udp' }],
    ['/run/X.sock', { host: '/run/X.sock', port: 0 }],
    ['[udp]:53', { host: 'udp', port: 53 }],
  ] as const)
    t.same(parseTargetOrService(text), target, text);
  for (const text of [
    'udp:53',
    'udp:',
    'udp:/run/x',
    'udp:udp:dns',
    '/run/a b',
    '/run/ü',
    `/${'x'.repeat(107)}`,
    './x',
  ])
    t.throws(() => parseTargetOrService(text), { code: 'format' }, text);
});

t.test('the target of a service may be a port of this machine alone, also with udp:', async (t) => {
  t.same(parseServiceTarget('22'), { host: '127.0.0.1', port: 22 });
  t.same(parseServiceTarget('udp:53'), { host: '127.0.0.1', port: 53, protocol: 'udp' });
  t.same(parseServiceTarget('udp:10.0.0.5:53'), { host: '10.0.0.5', port: 53, protocol: 'udp' });
  t.same(parseServiceTarget('/run/x.sock'), { host: '/run/x.sock', port: 0 });
  for (const text of ['udp:/run/x', 'unix:/run/x.sock', 'run/x.sock', './x.sock'])
    t.throws(() => parseServiceTarget(text), { code: 'format', message: /its path alone, as in \/run\/db.sock/ }, text);
});
