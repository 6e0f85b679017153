import t from 'tap';
import { ProxyDialogue, type ProxyOutput } from '../../../src/tunnel/socks/proxy-dialogue.js';
import { ProxyUsers } from '../../../src/tunnel/socks/proxy-users.js';
import { mutations } from '../../support/fuzz.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const users = new ProxyUsers([{ name: 'user', password: 'secret' }]);

/** Says it all at once. */
function hear(bytes: Buffer, known?: ProxyUsers): ProxyOutput & { readonly rest: Buffer } {
  const dialogue = new ProxyDialogue(known);
  return { ...dialogue.push(bytes), rest: dialogue.rest };
}

/** Says it byte by byte; returns all answers. */
function hearSlowly(bytes: Buffer, known?: ProxyUsers): ProxyOutput & { readonly rest: Buffer } {
  const dialogue = new ProxyDialogue(known);
  const answers: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const { answer, result } = dialogue.push(bytes.subarray(at, at + 1));
    answers.push(answer);
    if (result !== undefined) {
      const rest = Buffer.concat([dialogue.rest, bytes.subarray(at + 1)]);
      return { answer: Buffer.concat(answers), result, rest };
    }
  }
  return { answer: Buffer.concat(answers), result: undefined, rest: dialogue.rest };
}

const socks5 = hex('05 01 00 05 01 00 03 04 686f7374 0050');
const socks4a = hex('04 01 0050 00000001 00 686f737400');
const http = Buffer.from('CONNECT host:80 HTTP/1.1\r\n\r\n');
const target = { host: 'host', port: 80 };

t.test('the first byte decides how a program speaks, and the data after its request is kept', async (t) => {
  for (const request of [socks5, socks4a, http]) {
    for (const way of [hear, hearSlowly]) {
      const { result, rest } = way(Buffer.concat([request, Buffer.from('data')]));
      t.match(result, { kind: 'connect', target });
      t.equal(rest.toString(), 'data');
    }
  }
});

t.test('the answers are those of each protocol', async (t) => {
  const answers = (request: Buffer) => {
    const { answer, result } = hear(request);
    if (result?.kind !== 'connect') throw new Error('no request');
    return [answer, result.granted, result.refused('connection-refused')].map((bytes) => bytes.toString('latin1'));
  };
  t.same(answers(socks5), [
    '\x05\x00',
    '\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00',
    '\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00',
  ]);
  t.same(answers(socks4a), ['', '\x00\x5a\x00\x00\x00\x00\x00\x00', '\x00\x5b\x00\x00\x00\x00\x00\x00']);
  t.match(answers(http), [
    /^$/,
    /^HTTP\/1.1 200 [^\n]*\r\n\r\n$/,
    /^HTTP\/1.1 502 .*\r\n\r\nhost:80: the target refused the connection: check the port/s,
  ]);
});

t.test('without users any user and password is right, and none too', async (t) => {
  const asked = hear(hex('05 01 02 01 01 61 01 62 05 01 00 03 04 686f7374 0050'));
  t.same(asked.answer, hex('05 02 01 00'));
  t.match(asked.result, { kind: 'connect', target });
  t.same(hear(hex('05 02 02 00')).answer, hex('05 00'), 'none is quicker');
  t.match(hear(hex('05 01 01')), { answer: hex('05 ff'), result: { kind: 'refused' } }, 'GSSAPI');
});

t.test('with users only their passwords are right, in each protocol that has passwords', async (t) => {
  const password = (text: string): Buffer =>
    Buffer.concat([
      hex('05 02 00 02 01 04'),
      Buffer.from(`user${String.fromCharCode(text.length)}${text}`),
      hex('05 01 00 01 7f000001 0050'),
    ]);
  t.match(hear(password('secret'), users).result, { kind: 'connect', target: { host: '127.0.0.1', port: 80 } });
  t.match(hear(password('wrong'), users), {
    answer: hex('05 02 01 01'),
    result: { kind: 'refused', why: 'its user or password is wrong' },
  });
  t.match(hear(socks5, users), { answer: hex('05 ff'), result: { why: 'it gives no user and password' } });
  t.match(hear(socks4a, users), { answer: hex('00 5b 0000 00000000'), result: { why: /SOCKS 4 does not have/ } });
  const basic = (text: string): Buffer => {
    const value = Buffer.from(text).toString('base64');
    return Buffer.from(`CONNECT host:80 HTTP/1.1\r\nProxy-Authorization: Basic ${value}\r\n\r\n`);
  };
  t.match(hear(basic('user:secret'), users).result, { kind: 'connect', target });
  t.match(hear(basic('user:wrong'), users).answer.toString(), /^HTTP\/1.1 407 /);
  t.match(hear(http, users).answer.toString(), /^HTTP\/1.1 407 /);
});

t.test('a page of the web cannot reach a target: its request has one answer, and its body is never read', async (t) => {
  const request = Buffer.concat([Buffer.from('POST / HTTP/1.1\r\nContent-Length: 14\r\n\r\n'), socks5]);
  const { answer, result } = hear(request);
  t.match(answer.toString(), /^HTTP\/1.1 405 .*\r\nAllow: CONNECT\r\n.*\r\n\r\nThis port is a proxy [^\n]*\n$/s);
  t.match(result, { kind: 'refused', why: 'it sent an HTTP request that is not CONNECT' });
});

t.test('a program that speaks something else gets no answer', async (t) => {
  t.match(hear(hex('16 03 01')), { answer: hex(''), result: { why: /speaks TLS: write http:\/\// } });
  t.match(hear(hex('00 01 00 00')), { answer: hex(''), result: { why: 'it speaks neither SOCKS nor HTTP' } });
});

t.test('requests that cannot be fulfilled have an answer that says so', async (t) => {
  const greeting = '05 01 00';
  for (const [request, code] of [
    ['05 02 00 01 7f000001 0050', '07'],
    ['05 01 00 09 7f000001 0050', '08'],
    ['05 01 00 03 01 2f 0050', '04'],
    ['05 01 00 03 00 0050', '04'],
    ['05 01 00 01 7f000001 0000', '01'],
    ['04 01', '01'],
  ] as const) {
    const { answer, result } = hear(hex(greeting + request));
    t.equal(result?.kind, 'refused');
    t.same(answer, hex(`05 00 05 ${code} 00 01 00000000 0000`), request);
  }
  for (const request of ['04 02 0050 7f000001 00', '04 01 0000 7f000001 00', '04 01 0050 00000001 00 2f00'])
    t.match(hear(hex(request)), { answer: hex('00 5b 0000 00000000'), result: { kind: 'refused' } }, request);
  t.match(hear(Buffer.from('CONNECT h:0 HTTP/1.1\r\n\r\n')).answer.toString(), /^HTTP\/1.1 400 /);
});

t.test('a request for UDP is answered with the address for its datagrams', async (t) => {
  const { result } = hear(hex('05 01 00 05 03 00 01 00000000 0000'));
  if (result?.kind !== 'associate') throw new Error('no association');
  t.same(result.granted({ host: '127.0.0.1', port: 258 }), hex('05 00 00 01 7f000001 0102'));
  t.same(result.refused('too-many-tunnels'), hex('05 01 00 01 00000000 0000'));
});

t.test('hostile bytes never throw, at once and byte by byte alike, and little of them is kept', async (t) => {
  const password = hex('05 01 02 01 04 75736572 06 736563726574 05 01 00 04 00000000000000000000000000000001 0050');
  for (const bytes of mutations(7, [socks5, socks4a, http, password], 20_000)) {
    for (const known of [undefined, users]) {
      const [once, slowly] = [hear(bytes, known), hearSlowly(bytes, known)];
      if (JSON.stringify(once) !== JSON.stringify(slowly)) t.same(once, slowly, bytes.toString('hex'));
      if (once.result === undefined && once.rest.length > 8_192) t.fail(`keeps ${once.rest.length} bytes`);
    }
  }
});
