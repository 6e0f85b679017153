import t from 'tap';
import { decodeFrame, encodeFrame, type Frame } from '../../../src/tunnel/wire/frame.js';
import {
  decodeListen,
  decodeUnlistenReason,
  encodeListen,
  encodeListening,
  encodeUnlisten,
  reverseIdOf,
  reverseTarget,
} from '../../../src/tunnel/wire/listen.js';
import { decodeForwardId } from '../../../src/tunnel/wire/request.js';

const frame = (packet: Buffer): Frame => decodeFrame(packet) as Frame;

t.test('the frames about a port have the bytes of docs/tunnel-protocol.md', async (t) => {
  const listen = encodeListen(0x01020304, { bind: 'localhost', port: 8080 });
  t.equal(listen.toString('hex'), `a26b06301f90000d01020304${Buffer.from('localhost').toString('hex')}`);
  t.equal(encodeListen(1, { bind: undefined, port: 0 }).toString('hex'), 'a26b06300000000400000001');
  t.equal(encodeListening(1, 8080).toString('hex'), 'a26b06311f90000400000001');
  t.equal(encodeUnlisten(1, 'opener', 'closed-by-owner').toString('hex'), 'a26b06320000000600000001000a');
  t.equal(encodeUnlisten(1, 'acceptor', 'not-allowed').toString('hex'), 'a26b06b200000006000000010001');
});

t.test('each decodes to what was encoded', async (t) => {
  for (const place of [
    { bind: 'localhost', port: 8080 },
    { bind: undefined, port: 0 },
    { bind: '::1', port: 65535 },
  ])
    t.same(decodeListen(frame(encodeListen(0xffffffff, place))), { forwardId: 0xffffffff, place });
  const unlisten = frame(encodeUnlisten(7, 'acceptor', 'closed-by-owner'));
  t.equal(decodeForwardId(unlisten), 7);
  t.equal(decodeUnlistenReason(unlisten), 'closed-by-owner');
  t.equal(decodeUnlistenReason(frame(encodeFrame(0x06b2, 0, Buffer.alloc(4)))), 'failed', 'a reason that is missing');
});

/** What a shell would not take as it is. */
const SHELL = ['$(id)', '`id`', 'a;id', "'", '"', 'a|id', 'a&id', '$HOME', '~', 'a>b', '\\', '{a,b}', '!1', '#'];

t.test('an address that cannot be read is refused, and a request without an id is dropped', async (t) => {
  const listen = (data: Buffer) => decodeListen(frame(encodeFrame(0x0630, 80, data)));
  const id = Buffer.from([0, 0, 0, 1]);
  for (const bind of ['a b', 'ä', '\0', 'x'.repeat(256), 'line\n', '*', ...SHELL])
    t.same(listen(Buffer.concat([id, Buffer.from(bind, 'latin1')])), { forwardId: 1, place: undefined }, bind);
  t.equal(listen(Buffer.alloc(3)), undefined);
});

t.test('a connection at a port is requested by the forward id of the port', async (t) => {
  for (const id of [0, 1, 0xffffffff]) t.equal(reverseIdOf(reverseTarget(id)), id);
  for (const host of [
    '?reverse:',
    '?reverse:01',
    '?reverse:-1',
    '?reverse:1x',
    '?reverse:12345678901',
    '?source',
    'web',
  ])
    t.equal(reverseIdOf({ host, port: 0 }), undefined, host);
  t.equal(reverseIdOf({ host: '?reverse:1', port: 80 }), undefined);
});
