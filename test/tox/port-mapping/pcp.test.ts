import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { decodePcpAnswer, encodePcpRequest, type PcpRequest } from '../../../src/tox/port-mapping/pcp.js';
import { mutations } from '../../support/fuzz.js';

const request: PcpRequest = {
  port: { protocol: 'udp', port: 7000 },
  nonce: Buffer.from('0102030405060708090a0b0c', 'hex'),
  ownAddress: Endpoint.of('10.1.0.10', 0) as Endpoint,
  lifetime: 1200,
  suggested: 7001,
};
const NONCE = '0102030405060708090a0b0c';
const answer = (changes: Readonly<Record<number, number>> = {}): Buffer => {
  const bytes = Buffer.from(
    `02810000000004b000000001${'00'.repeat(12)}${NONCE}110000001b581b59${'00'.repeat(10)}ffff0b010001`,
    'hex',
  );
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes;
};

t.test('a request for a port is laid out as in RFC 6887', async (t) => {
  const expected = `02010000000004b0${'00'.repeat(10)}ffff0a01000a${NONCE}110000001b581b59${'00'.repeat(10)}ffff00000000`;
  t.equal(encodePcpRequest(request).toString('hex'), expected);
  t.equal(encodePcpRequest({ ...request, port: { protocol: 'tcp', port: 7000 } })[36], 6);
});

t.test('an answer holds the external address and port, and the lifetime', async (t) => {
  const decoded = decodePcpAnswer(answer(), request);
  t.match(decoded, { kind: 'mapped', lifetime: 1200, external: { key: '11.1.0.1:7001' } });
});

t.test('a refusal has its reason, with or without the part that repeats the request', async (t) => {
  t.same(decodePcpAnswer(answer({ 3: 2 }), request), { kind: 'refused', reason: 'not authorized' });
  t.same(decodePcpAnswer(answer({ 3: 99 }).subarray(0, 24), request), { kind: 'refused', reason: 'result 99' });
});

t.test('a router of the older protocol is recognised', async (t) => {
  t.same(decodePcpAnswer(Buffer.from('0081000100000000', 'hex'), request), { kind: 'other-version' });
});

t.test('what answers another request is no answer', async (t) => {
  t.equal(decodePcpAnswer(answer({ 24: 9 }), request), undefined, 'the nonce');
  t.equal(decodePcpAnswer(answer({ 36: 6 }), request), undefined, 'the protocol');
  t.equal(decodePcpAnswer(answer({ 41: 0 }), request), undefined, 'the port');
  t.equal(decodePcpAnswer(encodePcpRequest(request), request), undefined, 'a request');
});

t.test('hostile bytes never throw', async (t) => {
  for (const bytes of mutations(2, [answer(), answer({ 3: 2 })], 2_000)) {
    const decoded = decodePcpAnswer(bytes, request);
    if (decoded?.kind === 'mapped' && bytes.length < 60) t.fail(bytes.toString('hex'));
  }
});
