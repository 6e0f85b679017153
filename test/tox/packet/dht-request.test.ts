import t from 'tap';
import {
  decodeDhtRequest,
  decodeDhtRequestPlain,
  decodeNatPing,
  encodeDhtRequest,
  encodeDhtRequestPlain,
  encodeNatPing,
  MAX_DHT_REQUEST_DATA_SIZE,
} from '../../../src/tox/packet/dht-request.js';
import { mutations } from '../../support/fuzz.js';
import { keyOf } from '../../support/nodes.js';

const REQUEST = {
  receiver: keyOf('aa'),
  sender: keyOf('bb'),
  nonce: Buffer.alloc(24, 0xcc),
  sealed: Buffer.alloc(26, 0xdd),
};

t.test('a DHT request is receiver, sender, nonce and box, in this order', async (t) => {
  const packet = encodeDhtRequest(REQUEST);
  const rest = '00'.repeat(31);
  t.equal(packet.toString('hex'), `20aa${rest}bb${rest}${'cc'.repeat(24)}${'dd'.repeat(26)}`);
  const decoded = decodeDhtRequest(packet);
  t.equal(decoded?.receiver.hex, REQUEST.receiver.hex);
  t.equal(decoded?.sender.hex, REQUEST.sender.hex);
  t.same(decoded?.nonce, REQUEST.nonce);
  t.same(decoded?.sealed, REQUEST.sealed);
});

t.test('a DHT request has 106 to 1040 bytes', async (t) => {
  const ofSize = (size: number): Buffer => Buffer.alloc(size, 0x20);
  t.equal(decodeDhtRequest(ofSize(105)), undefined);
  t.not(decodeDhtRequest(ofSize(106)), undefined);
  t.not(decodeDhtRequest(ofSize(1040)), undefined);
  t.equal(decodeDhtRequest(ofSize(1041)), undefined);
});

t.test('the plain content is a kind and data, of as many bytes as c-toxcore sends', async (t) => {
  const plain = encodeDhtRequestPlain({ kind: 0x9c, data: Buffer.from([1, 2]) });
  t.equal(plain.toString('hex'), '9c0102');
  t.same(decodeDhtRequestPlain(plain), { kind: 0x9c, data: Buffer.from([1, 2]) });
  t.equal(decodeDhtRequestPlain(Buffer.alloc(0)), undefined);
  t.equal(MAX_DHT_REQUEST_DATA_SIZE, 1024 - 106);
  t.throws(() => encodeDhtRequestPlain({ kind: 1, data: Buffer.alloc(MAX_DHT_REQUEST_DATA_SIZE + 1) }), RangeError);
});

t.test('a NAT ping is its type and the id', async (t) => {
  t.equal(encodeNatPing({ type: 'request', id: 5n }).toString('hex'), '000000000000000005');
  t.equal(encodeNatPing({ type: 'response', id: 5n }).toString('hex'), '010000000000000005');
  t.same(decodeNatPing(Buffer.from('010000000000000005', 'hex')), { type: 'response', id: 5n });
  t.equal(decodeNatPing(Buffer.from('020000000000000005', 'hex')), undefined, 'an unknown type');
  t.equal(decodeNatPing(Buffer.alloc(8)), undefined, 'too short');
  t.equal(decodeNatPing(Buffer.alloc(10)), undefined, 'too long');
});

t.test('hostile bytes never throw, and what is accepted encodes to the same bytes', async (t) => {
  const samples = [encodeDhtRequest(REQUEST), encodeNatPing({ type: 'request', id: 7n })];
  let accepted = 0;
  for (const bytes of mutations(2, samples, 3000)) {
    const request = decodeDhtRequest(bytes);
    if (request !== undefined) {
      accepted += 1;
      if (!encodeDhtRequest(request).equals(bytes)) t.fail('DHT request');
    }
    const ping = decodeNatPing(bytes);
    if (ping !== undefined && !encodeNatPing(ping).equals(bytes)) t.fail('NAT ping');
  }
  t.ok(accepted > 50, 'some mutations stayed valid');
});
