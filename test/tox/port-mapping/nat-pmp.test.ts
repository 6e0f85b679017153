import t from 'tap';
import {
  ADDRESS_REQUEST,
  decodeAddressAnswer,
  decodePortAnswer,
  encodePortRequest,
} from '../../../src/tox/port-mapping/nat-pmp.js';
import { mutations } from '../../support/fuzz.js';

const PORT = { protocol: 'tcp', port: 7000 } as const;
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const ADDRESS_ANSWER = '00800000000000010b010001';
const PORT_ANSWER = '00820000000000011b581b59000004b0';

t.test('requests are laid out as in RFC 6886', async (t) => {
  t.equal(ADDRESS_REQUEST.toString('hex'), '0000');
  t.equal(encodePortRequest(PORT, 7001, 1200).toString('hex'), '000200001b581b59000004b0');
  t.equal(encodePortRequest({ protocol: 'udp', port: 7000 }, 0, 0).toString('hex'), '000100001b58000000000000');
});

t.test('answers hold the external address and port', async (t) => {
  t.match(decodeAddressAnswer(bytes(ADDRESS_ANSWER)), { key: '11.1.0.1:0' });
  t.same(decodePortAnswer(bytes(PORT_ANSWER), PORT), { kind: 'mapped', externalPort: 7001, lifetime: 1200 });
});

t.test('a refusal has its reason', async (t) => {
  const refused = { kind: 'refused', reason: 'not authorized' };
  t.same(decodeAddressAnswer(bytes('0080000200000001')), refused);
  t.same(decodePortAnswer(bytes('0082000200000001'), PORT), refused);
});

t.test('what answers another request is no answer', async (t) => {
  t.equal(decodePortAnswer(bytes(PORT_ANSWER), { protocol: 'udp', port: 7000 }), undefined);
  t.equal(decodePortAnswer(bytes(PORT_ANSWER), { protocol: 'tcp', port: 7001 }), undefined);
  t.equal(decodePortAnswer(bytes(ADDRESS_ANSWER), PORT), undefined);
  t.equal(decodeAddressAnswer(bytes(PORT_ANSWER)), undefined);
});

t.test('hostile bytes never throw', async (t) => {
  for (const packet of mutations(3, [bytes(ADDRESS_ANSWER), bytes(PORT_ANSWER)], 2_000)) {
    const port = decodePortAnswer(packet, PORT);
    if (port?.kind === 'mapped' && packet.length !== 16) t.fail(packet.toString('hex'));
    decodeAddressAnswer(packet);
  }
});
