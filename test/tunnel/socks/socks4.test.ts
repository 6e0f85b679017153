import t from 'tap';
import { decodeSocks4, encodeSocks4Reply } from '../../../src/tunnel/socks/socks4.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

t.test('SOCKS 4 names an address, and a user that is skipped', async (t) => {
  const bytes = hex('04 01 0050 42660763 46726564 00');
  t.same(decodeSocks4(bytes), { message: { command: 1, host: '66.102.7.99', port: 80 }, size: 13 });
  for (let size = 0; size < bytes.length; size += 1)
    t.equal(decodeSocks4(bytes.subarray(0, size)), 'incomplete', `${size} bytes`);
  t.match(decodeSocks4(hex('04 02 0050 00000000 00')), { message: { command: 2, host: '0.0.0.0' } });
  t.same(encodeSocks4Reply(0x5a), hex('00 5a 0000 00000000'));
});

t.test('SOCKS 4a has a name after an address 0.0.0.x', async (t) => {
  const bytes = hex('04 01 0050 00000001 46726564 00 6578616d706c652e636f6d 00 ff');
  t.same(decodeSocks4(bytes), { message: { command: 1, host: 'example.com', port: 80 }, size: 25 });
  t.equal(decodeSocks4(bytes.subarray(0, 24)), 'incomplete');
  t.match(decodeSocks4(hex('04 01 0050 00000001 00 00')), { message: { host: undefined } }, 'an empty name');
});

t.test('a user or a name of more than 255 bytes is not waited for', async (t) => {
  const head = hex('04 01 0050 00000001');
  const text = (size: number): Buffer => Buffer.alloc(size, 'a');
  t.equal(decodeSocks4(Buffer.concat([head, text(255)])), 'incomplete');
  t.equal(decodeSocks4(Buffer.concat([head, text(256)])), 'invalid');
  t.equal(decodeSocks4(Buffer.concat([head, text(256), hex('00 61 00')])), 'invalid');
  t.equal(decodeSocks4(Buffer.concat([head, hex('00'), text(255)])), 'incomplete');
  t.equal(decodeSocks4(Buffer.concat([head, hex('00'), text(256), hex('00')])), 'invalid');
});
