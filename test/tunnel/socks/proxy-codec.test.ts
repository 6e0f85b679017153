import t from 'tap';
import { proxyHost } from '../../../src/tunnel/socks/proxy-codec.js';

const host = (text: string): string | undefined => proxyHost(Buffer.from(text));

t.test('names and literal addresses are hosts', async (t) => {
  for (const text of ['example.com', 'my_host', 'h', '127.0.0.1', '::1', 'fe80::1%eth0', 'example.com.'])
    t.equal(host(text), text);
});

t.test('names in other letters take their DNS form', async (t) => {
  t.equal(host('bücher.example'), 'xn--bcher-kva.example');
  t.equal(host('例え.テスト'), 'xn--r8jz45g.xn--zckzah');
  t.equal(proxyHost(Buffer.from([0xff, 0xfe])), undefined, 'not UTF-8');
});

t.test('other kinds of targets, and what no resolver takes, are no hosts', async (t) => {
  for (const text of [
    '',
    '.',
    'udp:h',
    '/run/x.sock',
    '?source',
    '?reverse:1',
    'a b',
    'a\0b',
    '[::1]',
    'a%62',
    'h:1',
    'a\nb',
  ])
    t.equal(host(text), undefined, JSON.stringify(text));
  t.equal(host('a'.repeat(255)), 'a'.repeat(255));
  t.equal(host('a'.repeat(256)), undefined);
});
