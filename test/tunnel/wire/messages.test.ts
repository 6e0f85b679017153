/** The contents of frames: hello, request and its answers, reasons. */
import t from 'tap';
import { decodeFrame, type Frame } from '../../../src/tunnel/wire/frame.js';
import { decodeHello, encodeHello, MIN_INITIAL_WINDOW, VERSION } from '../../../src/tunnel/wire/hello.js';
import { decodeReason, describeReason, encodeReason } from '../../../src/tunnel/wire/reasons.js';
import {
  decodeDenyReason,
  decodeForwardId,
  decodeRequest,
  encodeAck,
  encodeDeny,
  encodeRequest,
} from '../../../src/tunnel/wire/request.js';
import { SeededRandom } from '../../support/seeded-random.js';

const hello = { kind: 'hello', version: VERSION, initialWindow: 65536 } as const;

t.test('a hello has the bytes of docs/tunnel-protocol.md', async (t) => {
  t.equal(encodeHello(hello).toString('hex'), '74756e746f782b2b0102010400010000');
  t.equal(encodeHello({ ...hello, kind: 'answer' }).toString('hex'), '74756e746f782b2b0202010400010000');
});

t.test('a hello decodes to what was encoded, also with records of a later version', async (t) => {
  t.same(decodeHello(encodeHello(hello)), hello);
  t.same(decodeHello(Buffer.concat([encodeHello(hello), Buffer.from([99, 2, 1, 2])])), hello);
});

t.test('an answer carries services, and those that are none are left out', async (t) => {
  const services = [
    { name: 'ssh', port: 22 },
    { name: 'web.2', port: 65535 },
  ];
  const answer = { ...hello, kind: 'answer', services, hasMore: true } as const;
  const bytes = encodeHello(answer);
  t.equal(bytes.subarray(16).toString('hex'), `02050016${'737368'}0207ffff${'7765622e32'}0300`);
  t.same(decodeHello(bytes), answer);
  const none = ['020100', '02020016', '02040016', '0204000061', '020400161b5b', '0204001620'].map((hex) =>
    Buffer.from(hex, 'hex'),
  );
  for (const record of none.filter((one) => one.length === 2 + (one[1] as number))) {
    t.same(decodeHello(Buffer.concat([encodeHello(hello), record])), hello, record.toString('hex'));
  }
});

t.test('a service with a UDP target, and one that is a Unix socket, have records of their own', async (t) => {
  const services = [
    { name: 'dns', port: 53, protocol: 'udp' },
    { name: 'db', port: 0, protocol: 'unix' },
  ] as const;
  const answer = { ...hello, kind: 'answer', services } as const;
  const bytes = encodeHello(answer);
  t.equal(bytes.subarray(16).toString('hex'), '04050035646e730504000064' + '62');
  t.same(decodeHello(bytes), answer);
  for (const record of ['040400006462', '050400016462'])
    t.same(decodeHello(Buffer.concat([encodeHello(hello), Buffer.from(record, 'hex')])), hello, record);
});

t.test('other data is an ordinary ping', async (t) => {
  const bytes = encodeHello(hello);
  for (let length = 0; length < bytes.length; length += 1) t.equal(decodeHello(bytes.subarray(0, length)), undefined);
  t.equal(decodeHello(Buffer.from('Hello')), undefined);
  t.equal(decodeHello(encodeHello({ ...hello, version: 0 })), undefined);
  t.equal(decodeHello(encodeHello({ ...hello, initialWindow: MIN_INITIAL_WINDOW - 1 })), undefined);
  const kind3 = Buffer.from(bytes);
  kind3[8] = 3;
  t.equal(decodeHello(kind3), undefined);
});

t.test('a request has the bytes that upstream sends', async (t) => {
  const packet = encodeRequest(0x01020304, { host: '127.0.0.1', port: 22 });
  t.equal(packet.toString('hex'), `a26b06020016000d01020304${Buffer.from('127.0.0.1').toString('hex')}`);
  t.same(decodeRequest(decodeFrame(packet) as Frame), {
    forwardId: 0x01020304,
    target: { host: '127.0.0.1', port: 22 },
  });
});

t.test('a request for UDP has a prefix before its host, and one for a Unix socket its path', async (t) => {
  for (const [target, hex] of [
    [
      { host: '10.0.0.5', port: 53, protocol: 'udp' },
      `0035${'0010'}00000001${Buffer.from('udp:10.0.0.5').toString('hex')}`,
    ],
    [{ host: 'dns', port: 0, protocol: 'udp' }, `0000${'000b'}00000001${Buffer.from('udp:dns').toString('hex')}`],
    [{ host: '/run/x', port: 0 }, `0000${'000a'}00000001${Buffer.from('/run/x').toString('hex')}`],
  ] as const) {
    const packet = encodeRequest(1, target);
    t.equal(packet.toString('hex'), `a26b0602${hex}`);
    t.same(decodeRequest(decodeFrame(packet) as Frame), { forwardId: 1, target });
  }
});

t.test('a request without a forward id is dropped, and one with a bad host can be answered', async (t) => {
  const frame = (data: Buffer): Frame => ({ type: 0x0602, id: 80, data });
  t.equal(decodeRequest(frame(Buffer.from([1, 2, 3]))), undefined);
  for (const host of ['', '[]', 'udp:', 'udp:[]', 'a\0b', 'a b', 'ä', 'x'.repeat(256)]) {
    const request = decodeRequest(frame(Buffer.concat([Buffer.from([0, 0, 0, 5]), Buffer.from(host)])));
    t.same(request, { forwardId: 5, target: undefined }, JSON.stringify(host.slice(0, 5)));
  }
});

t.test('an ack has the bytes that upstream reads, and both answers carry the forward id', async (t) => {
  const ack = encodeAck(0xbeef, 0xfedcba98);
  t.equal(ack.toString('hex'), 'a26b0610beef0004fedcba98');
  t.equal(decodeForwardId(decodeFrame(ack) as Frame), 0xfedcba98);
  const deny = decodeFrame(encodeDeny(7, 'name-not-found')) as Frame;
  t.equal(decodeForwardId(deny), 7);
  t.equal(decodeDenyReason(deny), 'name-not-found');
  t.equal(decodeForwardId({ type: 0x0610, id: 1, data: Buffer.alloc(3) }), undefined);
});

t.test('a missing reason, or one of a later version, is read as `failed`', async (t) => {
  t.equal(decodeReason(encodeReason('timeout')), 'timeout');
  t.equal(decodeReason(Buffer.alloc(0)), 'failed');
  t.equal(decodeReason(encodeReason('shutting-down')), 'peer-shutting-down', 'read as the other side’s reason');
  t.equal(decodeReason(Buffer.from([0xff, 0xff])), 'failed');
  t.equal(decodeReason(encodeReason('connection-lost')), 'failed', 'a reason that only this side can find is not sent');
  t.match(describeReason('connection-refused'), /refused/);
});

t.test('random bytes never throw', async (t) => {
  const random = new SeededRandom(3);
  for (let round = 0; round < 2000; round += 1) {
    const data = random.bytes(random.below(40));
    const mutated = encodeHello({ ...hello, services: [{ name: 'ssh', port: 22 }], hasMore: true });
    mutated[random.below(mutated.length)] = random.below(256);
    decodeHello(data);
    decodeHello(mutated);
    decodeRequest({ type: 0x0602, id: 1, data });
    decodeDenyReason({ type: 0x0604, id: 1, data });
  }
  t.pass();
});
