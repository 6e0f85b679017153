import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import {
  decodeIpPort,
  decodePackedNodes,
  encodeIpPort,
  encodePackedNodes,
  IP_PORT_SIZE,
  type PackedNode,
  packedNodeSize,
} from '../../../src/tox/packet/node-info.js';
import { mutations } from '../../support/fuzz.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(1);
const node = (transport: PackedNode['transport'], address: string, port: number): PackedNode => ({
  transport,
  endpoint: Endpoint.of(address, port) as Endpoint,
  publicKey: new PublicKey(random.bytes(32)),
});
const NODES = [
  node('udp', '192.0.2.1', 33445),
  node('udp', '2001:db8::1', 0),
  node('tcp', '192.0.2.2', 443),
  node('tcp', '2001:db8::2', 65535),
];
const [UDP4, UDP6, TCP4, TCP6] = NODES as [PackedNode, PackedNode, PackedNode, PackedNode];
const plain = (nodes: readonly PackedNode[]): string[] =>
  nodes.map(({ transport, endpoint, publicKey }) => `${transport} ${endpoint} ${publicKey}`);

t.test('a packed node has the bytes of the specification', async (t) => {
  const key = UDP4.publicKey.bytes.toString('hex');
  t.equal(encodePackedNodes([UDP4]).toString('hex'), `02c000020182a5${key}`);
  const six = UDP6.publicKey.bytes.toString('hex');
  t.equal(encodePackedNodes([UDP6]).toString('hex'), `0a20010db80000000000000000000000010000${six}`);
  t.same(
    [TCP4, TCP6].map((relay) => encodePackedNodes([relay])[0]),
    [130, 138],
  );
  t.same(NODES.map(packedNodeSize), [39, 51, 39, 51]);
});

t.test('nodes of all four families are decoded', async (t) => {
  const bytes = encodePackedNodes(NODES);
  const { nodes, size } = decodePackedNodes(bytes, 4, 'udp and tcp');
  t.same(plain(nodes), plain(NODES));
  t.equal(size, bytes.length);
});

t.test('decoding stops at the limit and returns the offset', async (t) => {
  const { nodes, size } = decodePackedNodes(encodePackedNodes(NODES), 2, 'udp and tcp');
  t.same(plain(nodes), plain([UDP4, UDP6]));
  t.equal(size, 39 + 51);
  t.same(decodePackedNodes(encodePackedNodes(NODES), 0, 'udp'), { nodes: [], size: 0 });
});

t.test('a relay ends the list where only UDP is allowed', async (t) => {
  const { nodes, size } = decodePackedNodes(encodePackedNodes([UDP4, TCP4, UDP6]), 4, 'udp');
  t.same(plain(nodes), plain([UDP4]));
  t.equal(size, 39);
});

t.test('an unknown family or a truncated node ends the list', async (t) => {
  const bytes = encodePackedNodes([UDP4, UDP6]);
  for (let length = 0; length < bytes.length; length += 1) {
    const { nodes, size } = decodePackedNodes(bytes.subarray(0, length), 4, 'udp');
    t.equal(nodes.length, length < 39 ? 0 : 1);
    t.equal(size, length < 39 ? 0 : 39);
  }
  for (const family of [0, 1, 3, 9, 11, 129, 131, 255]) {
    bytes[39] = family;
    t.equal(decodePackedNodes(bytes, 4, 'udp and tcp').nodes.length, 1, `family ${family}`);
  }
});

t.test('IPv4 mapped into IPv6 is taken as IPv4', async (t) => {
  const bytes = encodePackedNodes([UDP6]);
  Buffer.from('00000000000000000000ffffc0000207', 'hex').copy(bytes, 1);
  const { nodes, size } = decodePackedNodes(bytes, 4, 'udp');
  t.equal(nodes[0]?.endpoint.key, '192.0.2.7:0');
  t.equal(size, 51, 'though it took more bytes than it would again');
});

t.test('an onion address always has 19 bytes', async (t) => {
  t.equal(encodeIpPort(UDP4.endpoint).toString('hex'), `02c0000201${'00'.repeat(12)}82a5`);
  t.equal(encodeIpPort(UDP6.endpoint).toString('hex'), '0a20010db80000000000000000000000010000');
  for (const { endpoint } of NODES) t.equal(decodeIpPort(encodeIpPort(endpoint))?.key, endpoint.key);
});

t.test('an onion address of another length or family is refused', async (t) => {
  const bytes = encodeIpPort(UDP4.endpoint);
  for (let length = 0; length < IP_PORT_SIZE; length += 1) t.equal(decodeIpPort(bytes.subarray(0, length)), undefined);
  t.equal(decodeIpPort(Buffer.concat([bytes, Buffer.alloc(1)])), undefined);
  for (const family of [0, 1, 3, 11, 12, 13, 14, 130, 138, 255]) {
    bytes[0] = family;
    t.equal(decodeIpPort(bytes), undefined, `family ${family}`);
  }
});

t.test('hostile bytes never throw, and decoded nodes can be encoded again', async (t) => {
  const samples = [
    encodePackedNodes(NODES),
    encodePackedNodes([UDP6]),
    encodeIpPort(UDP4.endpoint),
    encodeIpPort(UDP6.endpoint),
  ];
  let read = 0;
  for (const bytes of mutations(2, samples, 5000)) {
    const { nodes, size } = decodePackedNodes(bytes, 4, 'udp and tcp');
    if (nodes.length > 4 || size > bytes.length) t.fail('past a bound');
    const again = decodePackedNodes(encodePackedNodes(nodes), 4, 'udp and tcp');
    if (plain(again.nodes).join() !== plain(nodes).join()) t.fail(bytes.toString('hex'));
    read += nodes.length;
    const endpoint = decodeIpPort(bytes);
    if (endpoint !== undefined && decodeIpPort(encodeIpPort(endpoint))?.key !== endpoint.key)
      t.fail(bytes.toString('hex'));
  }
  t.ok(read > 1000);
});
