import t from 'tap';
import { describeProxy, parseProxy, parseProxyOrNone } from '../../src/config/proxy.js';

t.test('SOCKS5 and HTTP proxies are parsed with and without credentials', async (t) => {
  const cases: [string, unknown][] = [
    ['socks5://192.0.2.1:1081', { kind: 'socks5', host: '192.0.2.1', port: 1081 }],
    ['SOCKS5H://proxy.example', { kind: 'socks5', host: 'proxy.example', port: 1080 }],
    ['socks5://[2001:db8::1]/', { kind: 'socks5', host: '2001:db8::1', port: 1080 }],
    [' http://[::1]:3128/ ', { kind: 'http', host: '::1', port: 3128 }],
    [
      'socks5://a%40b:p%3Aw@host:1',
      { kind: 'socks5', host: 'host', port: 1, credentials: { user: 'a@b', password: 'p:w' } },
    ],
    ['http://me@host:1', { kind: 'http', host: 'host', port: 1, credentials: { user: 'me', password: '' } }],
    [
      'http://me:p@s:w/d@host:1',
      { kind: 'http', host: 'host', port: 1, credentials: { user: 'me', password: 'p@s:w/d' } },
    ],
  ];
  for (const [text, proxy] of cases) t.same(parseProxy(text), proxy, text);
  t.equal(parseProxyOrNone('none'), undefined);
});

t.test('an error does not show the password', async (t) => {
  const cases: [string, RegExp][] = [
    ['socks4://canary:canary@host:1', /socks4:.. are not supported: use socks5:.*http:/],
    ['socks4a://host', /socks4a:/],
    ['https://canary@host:1', /https:.. are not supported/],
    ['socks://host:1', /socks:.. are not supported/],
    ['canary://host:1', /this kind are not supported/],
    ['canary:canary@host:1', /not the URL of a proxy: use socks5:/],
    ['', /not the URL/],
    ['http://host', /port of the HTTP proxy is missing/],
    ['http://me:canary@host', /port .* is missing/],
    ['socks5://me:canary:host:1', /no valid HOST:PORT/],
    ['socks5://me:canary@host:70000', /no valid HOST:PORT/],
    ['socks5://me:canary@', /no valid HOST:PORT/],
    ['socks5://me:canary@host:1/canary', /no valid HOST:PORT/],
    ['socks5://me:canary%zz@host', /write %25/],
    ['socks5://canary@host', /a user and a password of 1 to 255 bytes/],
    [`socks5://me:canary${'y'.repeat(250)}@host`, /255/],
    ['http://:canary@host:1', /user of an HTTP proxy/],
    ['http://a%3Ab:canary@host:1', /or contain a colon/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => parseProxy(text), { code: 'format', message }, text);
    try {
      parseProxy(text);
    } catch (error) {
      t.notMatch(String(error), 'canary');
    }
  }
});

t.test('a proxy is described without its credentials', async (t) => {
  t.equal(describeProxy(parseProxy('socks5://me:canary@[::1]:5')), 'socks5://[::1]:5');
});
