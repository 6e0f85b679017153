import t from 'tap';
import {
  decodeAddress,
  decodeGreeting,
  decodePassword,
  decodeRequest,
  encodeAddress,
  encodeMethod,
  encodePasswordAnswer,
  encodeReply,
} from '../../../src/tunnel/socks/socks5.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

t.test('a greeting has the methods of RFC 1928, chapter 3', async (t) => {
  t.same(decodeGreeting(hex('05 02 00 02')), { message: hex('00 02'), size: 4 });
  t.same(decodeGreeting(hex('05 00')), { message: hex(''), size: 2 });
  for (const short of ['', '05', '05 02', '05 02 00']) t.equal(decodeGreeting(hex(short)), 'incomplete', short);
  t.equal(decodeGreeting(hex('04')), 'invalid');
  t.same(encodeMethod(0xff), hex('05 ff'));
});

t.test('a user and password are those of RFC 1929, chapter 2', async (t) => {
  const bytes = hex('01 04 75736572 06 736563726574 05');
  t.same(decodePassword(bytes), { message: { name: Buffer.from('user'), password: Buffer.from('secret') }, size: 13 });
  t.same(decodePassword(hex('01 00 00')), { message: { name: hex(''), password: hex('') }, size: 3 });
  for (let size = 0; size < 13; size += 1) t.equal(decodePassword(bytes.subarray(0, size)), 'incomplete', `${size}`);
  t.equal(decodePassword(hex('05 01 61 01 62')), 'invalid');
  t.same([encodePasswordAnswer(true), encodePasswordAnswer(false)], [hex('01 00'), hex('01 01')]);
});

t.test('a request names an IPv4 address, an IPv6 address or a name (RFC 1928, chapters 4 and 5)', async (t) => {
  const decoded = (text: string) => {
    const request = decodeRequest(hex(text));
    return typeof request === 'string' ? request : { ...request.message, size: request.size };
  };
  t.same(decoded('05 01 00 01 c0000201 0050'), { command: 1, host: '192.0.2.1', port: 80, size: 10 });
  t.same(decoded('05 01 00 03 04 686f7374 01bb ff'), { command: 1, host: 'host', port: 443, size: 11 });
  t.same(decoded('05 03 00 04 20010db8000000000000000000000001 0035'), {
    ...{ command: 3, host: '2001:db8::1', port: 53, size: 22 },
  });
  t.same(
    decoded('05 01 07 01 c0000201 0050'),
    { command: 1, host: '192.0.2.1', port: 80, size: 10 },
    'the reserved byte',
  );
  for (const short of ['', '05', '05 01', '05 01 00', '05 01 00 03', '05 01 00 03 04 686f7374 01', '05 01 00 01 c0'])
    t.equal(decoded(short), 'incomplete', short);
  t.equal(decoded('05 02'), 'no-such-command', 'BIND');
  t.equal(decoded('05 01 00 02'), 'no-such-address-type');
  t.equal(decoded('04'), 'invalid');
});

t.test('addresses are encoded as they are decoded', async (t) => {
  t.same(encodeReply(5), hex('05 05 00 01 00000000 0000'));
  t.same(encodeReply(0, { host: '::1', port: 0x1234 }), hex('05 00 00 04 00000000000000000000000000000001 1234'));
  for (const place of [
    { host: '127.0.0.1', port: 1 },
    { host: '2001:db8::5', port: 65535 },
    { host: 'example.com', port: 0 },
  ]) {
    const bytes = encodeAddress(place);
    t.same(decodeAddress(bytes, 0), { message: place, size: bytes.length });
  }
});
