import t from 'tap';
import {
  listenPermissionText,
  mayListen,
  parseListenPermission,
  permissionFor,
} from '../../../src/engine/access/listen-permission.js';

t.test('a port without an address is one of localhost, and the text of a permission is parsed to the same', (t) => {
  const texts = ['8080', '0', '*:8080', ':8080', 'LAN.example.:80', '192.0.2.1:8080', '[::1]:8080', '127.1:80'];
  t.same(
    texts.map((text) => listenPermissionText(parseListenPermission(text))),
    [
      'localhost:8080',
      'localhost:0',
      '*:8080',
      '*:8080',
      'lan.example:80',
      '192.0.2.1:8080',
      '[::1]:8080',
      '127.0.0.1:80',
    ],
  );
  for (const text of texts) {
    const permission = parseListenPermission(text);
    t.same(parseListenPermission(listenPermissionText(permission)), permission, text);
  }
  t.end();
});

t.test('what is no permission is refused with an example', (t) => {
  for (const text of [
    '',
    'web',
    '::1:80',
    '1:2:3',
    '80:localhost',
    '70000',
    '-1',
    '[::1]',
    '/run/x.sock',
    '$(id):80',
    "a'b:80",
  ])
    t.throws(() => parseListenPermission(text), { name: 'FormatError' }, text);
  t.throws(() => parseListenPermission('localhost'), { message: /is not \[BIND:]PORT, as in 8080/ });
  t.end();
});

t.test('the decision table: what a client may have opened', (t) => {
  const rows: [allowed: string, wanted: string, isAllowed: boolean][] = [
    // Without an entry nothing.
    ['', 'localhost:8080', false],
    // The port.
    ['8080', 'localhost:8080', true],
    ['8080', 'localhost:8081', false],
    ['8080', 'localhost:0', false],
    ['0', 'localhost:0', true],
    ['0', 'localhost:1024', true],
    ['0', 'localhost:1023', false],
    ['0 80', 'localhost:80', true],
    ['80', 'localhost:80', true],
    // Localhost, however it is written.
    ['8080', '127.0.0.1:8080', true],
    ['8080', '[::1]:8080', true],
    // With ::1 alone a client would take the place of a service on 127.0.0.1, so the port has to be named.
    ['0', '127.0.0.1:8080', true],
    ['0', '[::1]:8080', false],
    ['0', '[::1]:0', false],
    ['[::1]:0', '[::1]:8080', true],
    ['8080', 'LOCALHOST.:8080', true],
    ['8080', '0x7f000001:8080', true],
    ['8080', '127.0.0.2:8080', false],
    ['8080', '192.0.2.1:8080', false],
    ['8080', '0.0.0.0:8080', false],
    ['8080', '[::]:8080', false],
    ['8080', '0:8080', false],
    ['8080', '*:8080', false],
    // One address.
    ['192.0.2.1:8080', '192.0.2.1:8080', true],
    ['192.0.2.1:8080', 'localhost:8080', false],
    ['192.0.2.1:8080', '*:8080', false],
    ['127.0.0.1:8080', 'localhost:8080', false],
    ['0.0.0.0:8080', '0.0.0.0:8080', true],
    ['0.0.0.0:8080', '127.0.0.1:8080', false],
    // A name, which is not looked up.
    ['lan.example:8080', 'lan.example:8080', true],
    ['lan.example:8080', 'localhost:8080', false],
    // All addresses; but no name of the client's choice.
    ['*:8080', '*:8080', true],
    ['*:8080', 'localhost:8080', true],
    ['*:8080', '192.0.2.1:8080', true],
    ['*:8080', '[::]:8080', true],
    ['*:8080', 'evil.example:8080', false],
    ['*:8080', '*:8081', false],
    ['*:0', '*:0', true],
    ['*:0', '*:443', false],
    // One of several.
    ['192.0.2.1:80 8080', 'localhost:8080', true],
  ];
  for (const [allowed, wanted, isAllowed] of rows) {
    const permissions = allowed.split(' ').filter(Boolean).map(parseListenPermission);
    const [, host = '', port] = /^(.*):([0-9]+)$/.exec(wanted) ?? [];
    const bind = host === '*' ? undefined : host.replace(/^\[|]$/g, '');
    t.equal(mayListen(permissions, { bind, port: Number(port) }), isAllowed, `${allowed || 'nothing'}: ${wanted}`);
  }
  t.end();
});

t.test('what the owner is told to type permits what was refused, and a shell takes it as it is', (t) => {
  const rows: [bind: string | undefined, port: number, text: string][] = [
    ['localhost', 8080, '8080'],
    ['127.0.0.1', 0, '0'],
    ['::1', 8080, '8080'],
    ['::1', 0, "'[::1]:0'"],
    [undefined, 80, "'*:80'"],
    ['192.0.2.1', 80, '192.0.2.1:80'],
  ];
  for (const [bind, port, text] of rows) {
    t.equal(permissionFor({ bind, port }), text);
    t.ok(mayListen([parseListenPermission(text.replaceAll("'", ''))], { bind, port }), text);
  }
  t.end();
});
