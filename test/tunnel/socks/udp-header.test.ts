import t from 'tap';
import { decodeProxyDatagram, encodeProxyDatagram } from '../../../src/tunnel/socks/udp-header.js';
import { mutations } from '../../support/fuzz.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

t.test('a datagram has its destination in front (RFC 1928, chapter 7)', async (t) => {
  for (const [packet, host, port] of [
    ['0000 00 01 c0000201 0035 abcd', '192.0.2.1', 53],
    ['0000 00 04 20010db8000000000000000000000001 0035 abcd', '2001:db8::1', 53],
    ['0000 00 03 04 686f7374 01bb abcd', 'host', 443],
  ] as const) {
    const datagram = { host, port, bytes: hex('abcd') };
    t.same(decodeProxyDatagram(hex(packet)), datagram);
    t.same(encodeProxyDatagram(datagram), hex(packet));
  }
  t.same(decodeProxyDatagram(hex('0000 00 01 c0000201 0035'))?.bytes, hex(''), 'an empty one');
});

t.test('fragments, and datagrams for no host and port, are dropped', async (t) => {
  for (const packet of [
    '0000 01 01 c0000201 0035 abcd',
    '0000 80 01 c0000201 0035 abcd',
    '0000 00 01 c0000201 0000 abcd',
    '0000 00 03 01 2f 0035 abcd',
    '0000 00 02 c0000201 0035',
    '0000 00 01 c00002',
    '0000 00',
    '',
  ])
    t.equal(decodeProxyDatagram(hex(packet)), undefined, packet);
});

t.test('hostile datagrams never throw', async (t) => {
  const samples = [hex('0000 00 03 04 686f7374 01bb abcd'), hex('0000 00 01 c0000201 0035 abcd')];
  for (const bytes of mutations(9, samples, 20_000)) {
    const datagram = decodeProxyDatagram(bytes);
    if (datagram !== undefined && datagram.bytes.length > bytes.length) t.fail(bytes.toString('hex'));
  }
});
