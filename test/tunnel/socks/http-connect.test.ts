import t from 'tap';
import { decodeConnect, encodeHttpFailure } from '../../../src/tunnel/socks/http-connect.js';

const decode = (text: string) => decodeConnect(Buffer.from(text));

t.test('CONNECT names a host and a port, and what follows its header is data', async (t) => {
  const request = 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nUser-Agent: x\r\n\r\n';
  t.same(decode(`${request}data`), {
    message: { host: 'example.com', port: 443, credentials: undefined },
    size: request.length,
  });
  t.match(decode('CONNECT [2001:db8::1]:80 HTTP/1.1\r\n\r\n'), { message: { host: '2001:db8::1', port: 80 } });
  t.match(decode('CONNECT 192.0.2.1:80 HTTP/1.0\n\n'), { message: { host: '192.0.2.1', port: 80 } }, 'bare newlines');
  t.match(decode('CONNECT bücher.example:80 HTTP/1.1\r\n\r\n'), { message: { host: 'xn--bcher-kva.example' } });
  for (let size = 0; size < request.length; size += 1)
    t.equal(decode(request.slice(0, size)), 'incomplete', `${size} bytes`);
});

t.test('other methods are known by the first bytes that differ', async (t) => {
  for (const text of [
    'G',
    'GET / HTTP/1.1\r\n',
    'POST http://h/ HTTP/1.1\r\n\r\n',
    'connect h:1 HTTP/1.1\r\n\r\n',
    'COPY ',
  ])
    t.equal(decode(text), 'other-method', text);
});

t.test('a request that names no host and port is invalid', async (t) => {
  for (const authority of [
    '',
    'h',
    'h:',
    ':80',
    'h:99999',
    'h:80/',
    'udp:h:80',
    '/run/x.sock:80',
    '?source:80',
    '[h]:80',
  ])
    t.equal(decode(`CONNECT ${authority} HTTP/1.1\r\n\r\n`), 'invalid', authority);
  t.equal(decode('CONNECT h:80 HTTP/2.0\r\n\r\n'), 'invalid');
  t.equal(decode('CONNECT  h:80 HTTP/1.1\r\n\r\n'), 'invalid');
  t.equal(decode('CONNECT h:80\r\n\r\n'), 'invalid');
});

t.test('a header of 8 KiB that does not end is too large', async (t) => {
  const start = 'CONNECT h:80 HTTP/1.1\r\nX: ';
  t.equal(decode(start + 'a'.repeat(8_191 - start.length)), 'incomplete');
  t.equal(decode(start + 'a'.repeat(8_192 - start.length)), 'too-large');
  t.match(decode(`${start}${'a'.repeat(8_188 - start.length)}\r\n\r\n`), { size: 8_192 });
});

t.test('Proxy-Authorization has a user and a password, which may have colons', async (t) => {
  const basic = (text: string): string => Buffer.from(text).toString('base64');
  const request = (field: string) => decode(`CONNECT h:80 HTTP/1.1\r\nHost: h\r\n${field}\r\n\r\n`);
  t.match(request(`Proxy-Authorization: Basic ${basic('user:a:b')}`), {
    message: { credentials: { name: Buffer.from('user'), password: Buffer.from('a:b') } },
  });
  t.match(request(`proxy-authorization:basic ${basic('ü:')}`), {
    message: { credentials: { name: Buffer.from('ü') } },
  });
  for (const field of ['Proxy-Authorization: Bearer x', `Proxy-Authorization: Basic ${basic('x')}`, 'Authorization: x'])
    t.match(request(field), { message: { credentials: undefined } }, field);
});

t.test('a failure has a body of one line', async (t) => {
  t.equal(
    encodeHttpFailure(405, 'Only CONNECT.').toString(),
    'HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n' +
      'Connection: close\r\n\r\nOnly CONNECT.\n',
  );
  t.match(encodeHttpFailure(407, 'x').toString(), /\r\nProxy-Authenticate: Basic realm="tuntox"/);
});
