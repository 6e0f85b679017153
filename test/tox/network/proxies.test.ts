import t from 'tap';
import type { ProxyHandshake } from '../../../src/tox/network/proxies.js';
import { type ProxyProgress, proxyHandshake } from '../../../src/tox/network/proxies.js';
import { mutations } from '../../support/fuzz.js';
import { at } from '../../support/nodes.js';

const PROXY = { host: '192.0.2.1', port: 1080 };
const LOGIN = { user: 'me', password: 'pw' };
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const IPV4_REQUEST = '05 01 00 01 cb007107 8235';
const socks = (credentials?: typeof LOGIN, to = at('203.0.113.7', 33333)): ProxyHandshake =>
  proxyHandshake({ kind: 'socks5', ...PROXY, ...(credentials && { credentials }) }, to);
const http = (credentials?: typeof LOGIN, to = at('203.0.113.7', 33333)): ProxyHandshake =>
  proxyHandshake({ kind: 'http', ...PROXY, ...(credentials && { credentials }) }, to);

/** Passes the bytes one by one, and returns the last progress other than 'wait'. */
function dribble(handshake: ProxyHandshake, bytes: Buffer): ProxyProgress {
  let last: ProxyProgress = { kind: 'wait' };
  for (const byte of bytes) {
    const progress = handshake.receive(Buffer.from([byte]));
    if (progress.kind !== 'wait') last = progress;
  }
  return last;
}

t.test('SOCKS5 without a user requests no authentication, and then the address', async (t) => {
  const handshake = socks();
  t.same(handshake.begin(), hex('05 01 00'));
  t.same(handshake.receive(hex('05 00')), { kind: 'send', bytes: hex(IPV4_REQUEST) });
  const rest = hex('aabb');
  const progress = handshake.receive(Buffer.concat([hex('05 00 00 01 00000000 0000'), rest]));
  t.same(progress, { kind: 'connected', rest });
});

t.test('SOCKS5 requests an IPv6 address with its type', async (t) => {
  const handshake = socks(undefined, at('2001:db8::1', 1));
  const progress = handshake.receive(hex('05 00'));
  t.same(progress, { kind: 'send', bytes: hex('05 01 00 04 20010db8000000000000000000000001 0001') });
  t.equal(dribble(handshake, hex(`05 00 00 04 ${'00'.repeat(16)} 0000`)).kind, 'connected');
});

t.test('SOCKS5 logs in if the proxy requires it', async (t) => {
  const handshake = socks(LOGIN);
  t.same(handshake.begin(), hex('05 02 00 02'));
  t.same(handshake.receive(hex('05 02')), { kind: 'send', bytes: hex('01 02 6d65 02 7077') });
  t.same(handshake.receive(hex('01 00')), { kind: 'send', bytes: hex(IPV4_REQUEST) });
  t.equal(dribble(handshake, hex('05 00 00 03 03 616263 0000')).kind, 'connected', 'a name in the answer');
});

t.test('a SOCKS5 failure has its reason', async (t) => {
  const reason = (...answers: string[]): string => {
    const handshake = socks(answers[0] === '05 02' ? LOGIN : undefined);
    let progress: ProxyProgress = { kind: 'wait' };
    for (const answer of answers) progress = handshake.receive(hex(answer));
    return progress.kind === 'failed' ? progress.reason : progress.kind;
  };
  t.match(reason('04 00'), /does not speak SOCKS5/);
  t.match(reason('05 ff'), /requires a user and a password/);
  t.match(reason('05 02', '01 01'), /refuses this user/);
  t.match(reason('05 00', '05 05 00 01'), /connection refused/);
  t.match(reason('05 00', '05 63 00 01'), /code 99/);
  t.match(reason('05 00', '05 00 00 09 00'), /unknown address type/);
});

t.test('SOCKS5 throws for a user of more than 255 bytes', async (t) => {
  t.throws(() => socks({ user: 'x'.repeat(256), password: 'y' }), RangeError);
  t.throws(() => socks({ user: 'x', password: '' }), RangeError);
});

t.test('HTTP CONNECT names the address twice and takes any 2xx', async (t) => {
  const handshake = http(LOGIN, at('2001:db8::1', 443));
  const lines = handshake.begin().toString().split('\r\n');
  t.same(lines, [
    'CONNECT [2001:db8::1]:443 HTTP/1.1',
    'Host: [2001:db8::1]:443',
    'Proxy-Authorization: Basic bWU6cHc=',
    '',
    '',
  ]);
  const answer = Buffer.from('HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n');
  t.same(dribble(http(), answer), { kind: 'connected', rest: Buffer.alloc(0) });
  const rest = Buffer.from('more');
  t.same(http().receive(Buffer.concat([answer, rest])), { kind: 'connected', rest });
});

t.test('an HTTP CONNECT failure has its reason', async (t) => {
  const reason = (text: string, login?: typeof LOGIN): string => {
    const progress = http(login).receive(Buffer.from(text));
    return progress.kind === 'failed' ? progress.reason : progress.kind;
  };
  t.match(reason('HTTP/1.1 407 no\r\n\r\n'), /requires a user/);
  t.match(reason('HTTP/1.1 407 no\r\n\r\n', LOGIN), /refuses this user/);
  t.match(reason('HTTP/1.1 503 no\r\n\r\n'), /status 503/);
  t.match(reason('SSH-2.0\r\n\r\n'), /does not speak HTTP/);
  t.match(reason('x'.repeat(20_000)), /does not speak HTTP/, 'however much it says');
});

t.test('hostile proxies never make it throw', async (t) => {
  const samples = ['05 00', '05 02', '01 00', '05 00 00 01 00000000 0000'].map(hex);
  samples.push(Buffer.from('HTTP/1.1 200 ok\r\n\r\n'));
  for (const bytes of mutations(1, samples, 2_000)) {
    for (const handshake of [socks(LOGIN), http()]) {
      for (let at = 0; at < 3; at += 1) {
        const progress = handshake.receive(bytes);
        if (progress.kind === 'failed' || progress.kind === 'connected') break;
      }
    }
  }
  t.pass('none threw');
});
