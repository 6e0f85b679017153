import t from 'tap';
import {
  decodeDhtPacket,
  decodeLanDiscovery,
  decodeNodesRequest,
  decodeNodesResponse,
  decodePing,
  encodeBootstrapInfo,
  encodeDhtPacket,
  encodeLanDiscovery,
  encodeNodesRequest,
  encodeNodesResponse,
  encodePing,
  isBootstrapInfoRequest,
} from '../../../src/tox/packet/dht.js';
import { UdpKind } from '../../../src/tox/packet/kind.js';
import { mutations } from '../../support/fuzz.js';
import { keyOf, named, node } from '../../support/nodes.js';

const NODES = [node('0a', '192.0.2.1', 0x1234), node('0b', '2001:db8::1', 33445)];
const ID = 0x0102030405060708n;

t.test('a DHT packet is kind, sender, nonce and box, in this order', async (t) => {
  const packet = encodeDhtPacket({
    kind: UdpKind.PingRequest,
    sender: keyOf('aa'),
    nonce: Buffer.alloc(24, 0xbb),
    sealed: Buffer.alloc(25, 0xcc),
  });
  t.equal(packet.toString('hex'), `00aa${'00'.repeat(31)}${'bb'.repeat(24)}${'cc'.repeat(25)}`);
  const decoded = decodeDhtPacket(packet);
  t.equal(decoded?.sender.hex, keyOf('aa').hex);
  t.same(decoded?.nonce, Buffer.alloc(24, 0xbb));
  t.same(decoded?.sealed, Buffer.alloc(25, 0xcc));
});

t.test('a DHT packet without content, or longer than four nodes need, is refused', async (t) => {
  t.equal(decodeDhtPacket(Buffer.alloc(73)), undefined);
  t.not(decodeDhtPacket(Buffer.alloc(74)), undefined);
  t.not(decodeDhtPacket(Buffer.alloc(82 + 4 * 51)), undefined);
  t.equal(decodeDhtPacket(Buffer.alloc(82 + 4 * 51 + 1)), undefined);
});

t.test('a ping is its kind once more and the id', async (t) => {
  const plain = encodePing({ kind: UdpKind.PingResponse, id: ID });
  t.equal(plain.toString('hex'), '010102030405060708');
  t.same(decodePing(plain), { kind: 1, id: ID });
  t.equal(decodePing(Buffer.from('020102030405060708', 'hex')), undefined, 'another kind');
  t.equal(decodePing(Buffer.concat([plain, Buffer.alloc(1)])), undefined, 'a byte too many');
});

t.test('a nodes request is the key searched for and the id', async (t) => {
  const plain = encodeNodesRequest({ target: keyOf('ee'), id: ID });
  t.equal(plain.toString('hex'), `ee${'00'.repeat(31)}0102030405060708`);
  const decoded = decodeNodesRequest(plain);
  t.equal(decoded?.target.hex, keyOf('ee').hex);
  t.equal(decoded?.id, ID);
});

t.test('a nodes response is a count, packed nodes and the id', async (t) => {
  const plain = encodeNodesResponse({ nodes: NODES, id: ID });
  const expected = [
    '02',
    `02c000020112340a${'00'.repeat(31)}`,
    `0a20010db800000000000000000000000182a50b${'00'.repeat(31)}`,
    '0102030405060708',
  ];
  t.equal(plain.toString('hex'), expected.join(''));
  t.same(decodeNodesResponse(plain)?.nodes.map(named), NODES.map(named));
});

t.test('a nodes response without nodes is accepted as a sign of life', async (t) => {
  t.same(decodeNodesResponse(encodeNodesResponse({ nodes: [], id: ID })), { nodes: [], id: ID });
});

t.test('a nodes response whose count and nodes differ is refused', async (t) => {
  const plain = encodeNodesResponse({ nodes: NODES, id: ID });
  for (const count of [0, 1, 3, 4]) {
    const changed = Buffer.from(plain);
    changed[0] = count;
    t.equal(decodeNodesResponse(changed), undefined, `${count} instead of 2`);
  }
});

t.test('a nodes response with a relay among the nodes is refused', async (t) => {
  const plain = encodeNodesResponse({ nodes: NODES, id: ID });
  plain[1] = 130;
  t.equal(decodeNodesResponse(plain), undefined);
});

t.test('more than four nodes are refused, and encoding them throws', async (t) => {
  const five = [...NODES, ...NODES, NODES[0] as (typeof NODES)[0]];
  t.throws(() => encodeNodesResponse({ nodes: five, id: ID }), RangeError);
  const four = encodeNodesResponse({ nodes: five.slice(0, 4), id: ID });
  const one = encodeNodesResponse({ nodes: five.slice(4), id: ID });
  const joined = Buffer.concat([Buffer.from([5]), four.subarray(1, -8), one.subarray(1)]);
  t.equal(decodeNodesResponse(joined), undefined);
});

t.test('hostile bytes never throw, and what is accepted encodes to the same bytes', async (t) => {
  const samples = [
    encodePing({ kind: UdpKind.PingRequest, id: ID }),
    encodeNodesRequest({ target: keyOf('ee'), id: ID }),
    encodeNodesResponse({ nodes: NODES, id: ID }),
    encodeNodesResponse({ nodes: [], id: ID }),
    encodeDhtPacket({ kind: 2, sender: keyOf('aa'), nonce: Buffer.alloc(24), sealed: Buffer.alloc(30) }),
  ];
  let accepted = 0;
  for (const bytes of mutations(1, samples, 4000)) {
    const packet = decodeDhtPacket(bytes);
    if (packet !== undefined && !encodeDhtPacket(packet).equals(bytes)) t.fail('envelope');
    const ping = decodePing(bytes);
    if (ping !== undefined && !encodePing(ping).equals(bytes)) t.fail('ping');
    const request = decodeNodesRequest(bytes);
    if (request !== undefined && !encodeNodesRequest(request).equals(bytes)) t.fail('nodes request');
    const response = decodeNodesResponse(bytes);
    if (response === undefined) continue;
    accepted += 1;
    // An IPv4 address mapped into IPv6 becomes plain IPv4, which is 12 bytes shorter.
    const again = encodeNodesResponse(response);
    if (again.length === bytes.length && !again.equals(bytes)) t.fail('nodes response');
  }
  t.ok(accepted > 50, 'some mutations stayed valid');
});

t.test('a LAN discovery packet is its kind and the key of the sender', async (t) => {
  const packet = encodeLanDiscovery(keyOf('ab'));
  t.equal(packet.toString('hex'), `21ab${'00'.repeat(31)}`);
  t.equal(decodeLanDiscovery(packet)?.hex, keyOf('ab').hex);
});

t.test('hostile LAN discovery packets never throw, and only 33 bytes of the right kind are accepted', async (t) => {
  for (const bytes of mutations(3, [encodeLanDiscovery(keyOf('ab'))], 1000)) {
    const isValid = bytes.length === 33 && bytes[0] === 0x21;
    if ((decodeLanDiscovery(bytes) !== undefined) !== isValid) t.fail(bytes.toString('hex'));
  }
});

t.test('a bootstrap info request has 78 bytes, of which only the first one counts', async (t) => {
  t.ok(isBootstrapInfoRequest(Buffer.alloc(78, 0xf0)));
  t.notOk(isBootstrapInfoRequest(Buffer.alloc(77, 0xf0)), 'too short');
  t.notOk(isBootstrapInfoRequest(Buffer.alloc(78)), 'another kind');
});

t.test('a bootstrap info response is the version and the message of the day, at most 256 bytes', async (t) => {
  t.equal(encodeBootstrapInfo({ version: 1000002018, motd: 'hi' }).toString('hex'), 'f03b9ad1e26869');
  t.throws(() => encodeBootstrapInfo({ version: 1, motd: 'ä'.repeat(129) }), RangeError);
});
