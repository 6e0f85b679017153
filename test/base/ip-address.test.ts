import * as net from 'node:net';
import t from 'tap';
import { canonicalIPv6, isIP, isIPv6 } from '../../src/base/ip-address.js';
import { SeededRandom } from '../support/seeded-random.js';

const TEXTS = [
  ...[
    '::',
    '::1',
    '1::',
    'fe80::1',
    'FE80::1%eth0',
    'fe80::1%1',
    'fe80::1%',
    '::1%a_b',
    '2001:db8:0:0:0:0:0:1',
    '::ffff:192.0.2.1',
  ],
  ...[
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    ':',
    ':1',
    '1:',
    ':::',
    '::1.2.3',
    '::1.2.3.400',
    '12345::',
  ],
  ...[
    '127.0.0.1',
    '127.0.0.1:22',
    'localhost',
    'abc',
    '',
    '::1\0',
    '::1\n',
    ' ::1',
    '[::1]',
    '1:2:3:4:5:6:1.2.3.4',
    '::00001',
    '::g',
  ],
];

t.test('an address is one for us as it is for Node', (t) => {
  const random = new SeededRandom(1);
  const changed = TEXTS.flatMap((text) =>
    Array.from({ length: 200 }, () => {
      const at = random.below(text.length + 1);
      return text.slice(0, at) + '0af:.%'.charAt(random.below(7)) + text.slice(at + random.below(2));
    }),
  );
  for (const text of [...TEXTS, ...changed]) {
    if (isIP(text) !== net.isIP(text)) t.fail(JSON.stringify(text));
    if (isIPv6(text) !== net.isIPv6(text)) t.fail(JSON.stringify(text));
  }
  t.ok(changed.some((text) => isIPv6(text)));
  t.end();
});

t.test('the canonical text is short and lower case, and keeps the scope', (t) => {
  t.equal(canonicalIPv6('2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
  t.equal(canonicalIPv6('FE80::1%eth0'), 'fe80::1%eth0');
  t.equal(canonicalIPv6('192.0.2.1'), undefined);
  t.end();
});
