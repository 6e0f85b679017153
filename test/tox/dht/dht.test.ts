import t from 'tap';
import type { Endpoint } from '../../../src/base/endpoint.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { SharedKeyCache } from '../../../src/tox/crypto/shared-key-cache.js';
import { DhtBox } from '../../../src/tox/dht/rpc/dht-box.js';
import type { DatagramSocket } from '../../../src/tox/network/datagram-socket.js';
import {
  decodeNodesResponse,
  encodeLanDiscovery,
  encodeNodesRequest,
  encodeNodesResponse,
} from '../../../src/tox/packet/dht.js';
import { type DhtRequestPlain, decodeDhtRequest, decodeNatPing } from '../../../src/tox/packet/dht-request.js';
import { UdpKind } from '../../../src/tox/packet/kind.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { BOOTSTRAP_INFO_REQUEST, decodeBootstrapInfo } from '../../support/bootstrap-info.js';
import { DhtNetwork, type DhtPeer } from '../../support/dht-network.js';
import { type Stranger, stranger } from '../../support/dht-stranger.js';
import { mutations } from '../../support/fuzz.js';
import { at, keyOf } from '../../support/nodes.js';

const addresses = (nodes: readonly NodeInfo[]): string[] => nodes.map((node) => node.endpoint.key).sort();

/** What `peer` answers to a nodes request that comes from `source`. */
function answerOf(net: DhtNetwork, peer: DhtPeer, asker: Stranger, source: string): string[] {
  const seen: string[] = [];
  const socket = net.network.socket(source, 1, (packet) => {
    const opened = packet[0] === UdpKind.NodesResponse ? asker.box.open(packet) : undefined;
    const response = opened && decodeNodesResponse(opened.plain);
    for (const node of response?.nodes ?? []) seen.push(node.endpoint.address);
  });
  const plain = encodeNodesRequest({ target: keyOf('00'), id: 1n });
  socket.send(asker.box.seal(UdpKind.NodesRequest, peer.publicKey, plain), peer.endpoint);
  net.clock.advance(100);
  socket.close();
  return seen.sort();
}

t.test('two nodes know each other after a bootstrap, and each reports the other once', async (t) => {
  const net = new DhtNetwork(1);
  const [a, b] = [net.peer(), net.peer()];
  const news: string[] = [];
  const changes: boolean[] = [];
  b.dht.onNode((node) => news.push(node.endpoint.key));
  b.dht.onConnectedChange((isConnected) => changes.push(isConnected));
  b.dht.bootstrap.addNode(a);
  net.clock.advance(10_000);
  t.same(news, [a.endpoint.key]);
  t.same(changes, [true]);
  t.same(addresses(a.dht.known.near()), [b.endpoint.key]);
});

t.test('the DHT reports when no node answers any more', async (t) => {
  const net = new DhtNetwork(2);
  const [a, b] = [net.peer(), net.peer()];
  b.dht.bootstrap.addNode(a);
  net.clock.advance(1000);
  const changes: boolean[] = [];
  b.dht.onConnectedChange((isConnected) => changes.push(isConnected));
  net.network.blackHoles.add(a.endpoint.key);
  net.clock.advance(190_000);
  t.same(changes, [false]);
  t.notOk(b.dht.isConnected);
  t.same(b.dht.known.near(), []);
});

t.test('when no node answers, the bootstrap node is asked at once and then less and less often', async (t) => {
  const net = new DhtNetwork(20);
  const [a, b] = [net.peer(), net.peer()];
  b.dht.bootstrap.addNode(a);
  net.clock.advance(1000);
  let asked = 0;
  net.network.filter = (_packet, from) => {
    if (from.equals(b.endpoint)) asked += 1;
    return false;
  };
  net.clock.runUntil(() => !b.dht.isConnected, 190_000);
  asked = 0;
  net.clock.advance(3000);
  t.ok(asked >= 3, `${asked}`);
});

t.test('a search asks the nodes that we know at once', async (t) => {
  const net = new DhtNetwork(21);
  const peers = net.peers(10);
  net.clock.advance(3000);
  const search = (peers[3] as DhtPeer).dht.search((peers[7] as DhtPeer).publicKey);
  // One round trip takes 40 to 60 ms here.
  t.ok(net.clock.runUntil(() => search.endpoints.length > 0, 130));
});

t.test('nodes of a local network are sent only to nodes that ask from a local network', async (t) => {
  const net = new DhtNetwork(3);
  const [a, near, far] = [net.peer(), net.peer({ address: '192.168.1.9' }), net.peer()];
  near.dht.bootstrap.addNode(a);
  far.dht.bootstrap.addNode(a);
  net.clock.advance(3000);
  t.same(answerOf(net, a, stranger(5), '8.8.8.8'), [far.endpoint.address]);
  t.same(answerOf(net, a, stranger(6), '192.168.1.10'), ['192.168.1.9', far.endpoint.address]);
  t.same(addresses(a.dht.known.closest(keyOf('00'), 8, { lan: false })), [far.endpoint.key]);
});

t.test('LAN discovery makes two nodes know each other', async (t) => {
  const net = new DhtNetwork(4);
  const a = net.peer({ address: '192.168.1.1', lanDiscovery: true });
  const b = net.peer({ address: '192.168.1.2' });
  a.router.receive(encodeLanDiscovery(b.publicKey), b.endpoint);
  net.clock.advance(1000);
  t.ok(a.dht.isConnected && b.dht.isConnected);
});

t.test("a search reports the node's address, each answer, and each change of address", async (t) => {
  const net = new DhtNetwork(5);
  const peers = net.peers(10);
  const [a, b] = [peers[3] as DhtPeer, peers[7] as DhtPeer];
  net.clock.advance(3000);
  const answers: string[] = [];
  const search = a.dht.search(b.publicKey, { onEndpoint: (endpoint) => answers.push(endpoint.key) });
  net.clock.advance(1000);
  t.same([...new Set(answers)], [b.endpoint.key]);
  t.same(search.endpoints.map(String), [b.endpoint.key]);
  const before = answers.length;
  net.clock.advance(130_000);
  t.ok(answers.length > before, 'signs of life go on');

  const moved = at('40.0.0.1', 5);
  const socket = net.network.socket(moved.address, moved.port, (packet, source) => b.router.receive(packet, source));
  // From now on whatever b sends leaves from there.
  net.network.filter = (packet, from, to) => {
    if (!from.equals(b.endpoint)) return true;
    socket.send(packet, to);
    return false;
  };
  b.dht.bootstrap.addNode(a);
  net.clock.advance(1000);
  t.equal(answers.at(-1), moved.key, 'a request from the new address is enough');
  search.close();
  const after = answers.length;
  net.clock.advance(130_000);
  t.equal(answers.length, after, 'a closed search is silent');
});

t.test('a node that sends from a new address is sent to others with that address at once', async (t) => {
  const net = new DhtNetwork(1);
  const [a, b] = [net.peer(), net.peer()];
  b.dht.bootstrap.addNode(a);
  net.clock.advance(10_000);
  const moved = net.network.socket('20.0.9.9', 33445, (packet, source) => b.router.receive(packet, source));
  net.network.filter = (packet, from, to) => {
    if (!from.equals(b.endpoint)) return true;
    moved.send(packet, to);
    return false;
  };
  b.dht.bootstrap.addNode(a);
  net.clock.advance(200);
  t.same(addresses(a.dht.known.closest(b.publicKey, 1, { lan: false })), ['20.0.9.9:33445']);
  moved.close();
});

t.test('two friends with addresses in the same local network as well do not ping each other without end', async (t) => {
  const net = new DhtNetwork(1);
  const [a, b] = [net.peer(), net.peer()];
  b.dht.bootstrap.addNode(a);
  net.clock.advance(1000);
  a.dht.search(b.publicKey);
  b.dht.search(a.publicKey);
  // What goes to the one's address in that network leaves from the other's there.
  const [lanA, lanB] = [at('192.168.0.1', 33445), at('192.168.0.2', 33445)];
  const socketOf = (peer: DhtPeer, { address, port }: Endpoint): DatagramSocket =>
    net.network.socket(address, port, (packet, source) => peer.router.receive(packet, source));
  const [socketA, socketB] = [socketOf(a, lanA), socketOf(b, lanB)];
  let sent = 0;
  net.network.filter = (packet, from, to) => {
    sent += 1;
    const isToLan = to.equals(lanA) || to.equals(lanB);
    if (isToLan && from.equals(a.endpoint)) socketA.send(packet, to);
    else if (isToLan && from.equals(b.endpoint)) socketB.send(packet, to);
    else return true;
    return false;
  };
  a.dht.bootstrap.addNode({ publicKey: b.publicKey, endpoint: lanB });
  net.clock.advance(20_000);
  t.ok(sent < 200, `${sent}`);
});

t.test('two searches for one key are both notified, and end one by one', async (t) => {
  const net = new DhtNetwork(6);
  const [a, b] = [net.peer(), net.peer()];
  b.dht.bootstrap.addNode(a);
  net.clock.advance(1000);
  const answers: string[] = [];
  const one = a.dht.search(b.publicKey, { onEndpoint: () => answers.push('one') });
  a.dht.search(b.publicKey, { onEndpoint: () => answers.push('two') });
  net.clock.advance(1000);
  t.ok(answers.includes('one') && answers.includes('two'));
  one.close();
  one.close();
  answers.length = 0;
  net.clock.advance(130_000);
  t.ok(answers.length > 0 && answers.every((name) => name === 'two'));
});

t.test('a node named by an announcement is asked at once, without any other node', async (t) => {
  const net = new DhtNetwork(7);
  const [a, b] = [net.peer(), net.peer()];
  const search = a.dht.search(b.publicKey);
  search.learn(b);
  t.ok(net.clock.runUntil(() => search.endpoints.length > 0, 100));
});

t.test('a DHT request reaches a friend through the nodes that know it', async (t) => {
  const net = new DhtNetwork(8);
  const peers = net.peers(8);
  net.clock.advance(3000);
  const [a, b] = [peers[2] as DhtPeer, peers[5] as DhtPeer];
  net.network.filter = (_packet, from, to) => !(from.equals(a.endpoint) && to.equals(b.endpoint));
  const received: string[] = [];
  b.dht.requests.on(0x9c, (sender, data) => received.push(`${sender.hex} ${data}`));
  t.notOk(a.dht.requests.send(b.publicKey, 0x9c, Buffer.from('nobody knows')), 'without a search there is no way');
  const search = a.dht.search(b.publicKey);
  net.clock.advance(1000);
  t.same(search.endpoints, [], 'there is no direct way');
  t.ok(a.dht.requests.send(b.publicKey, 0x9c, Buffer.from('hello')));
  net.clock.advance(1000);
  t.same([...new Set(received)], [`${a.publicKey.hex} hello`]);
});

t.test('we learn our own address from nodes that answer, with their number', async (t) => {
  const net = new DhtNetwork(9);
  const peers = net.peers(5);
  net.clock.advance(10_000);
  const [best] = (peers[2] as DhtPeer).dht.reportedEndpoints;
  t.equal(best?.endpoint.key, (peers[2] as DhtPeer).endpoint.key);
  t.ok((best?.count ?? 0) >= 3);
});

t.test('saved nodes of an earlier run bootstrap the next one', async (t) => {
  const net = new DhtNetwork(10);
  const peers = net.peers(10);
  net.clock.advance(3000);
  const saved = (peers[4] as DhtPeer).dht.known.toSave();
  t.ok(saved.length >= 8);
  t.equal(new Set(addresses(saved)).size, saved.length, 'each once');
  const late = net.peer();
  late.dht.bootstrap.addSavedNodes(saved);
  t.ok(net.clock.runUntil(() => late.dht.isConnected, 1000));
});

t.test('without IPv6 no IPv6 address is asked', async (t) => {
  const net = new DhtNetwork(12);
  const a = net.peer();
  let sent = 0;
  net.network.filter = (_packet, _from, to) => {
    if (to.family === 6) sent += 1;
    return true;
  };
  const target = generateKeyPair(net.random).publicKey;
  a.dht.bootstrap.addNode({ publicKey: target, endpoint: at('2001:db8::1') });
  a.dht.search(target).learn({ publicKey: target, endpoint: at('2001:db8::1') });
  net.clock.advance(10_000);
  t.equal(sent, 0);
});

t.test('neither our own node nor an address that belongs to no single host is asked', async (t) => {
  const net = new DhtNetwork(18);
  const a = net.peer();
  const { publicKey } = generateKeyPair(net.random);
  const asked: string[] = [];
  net.network.filter = (_packet, _from, to) => {
    asked.push(to.key);
    return true;
  };
  const nodes = [a, ...['255.255.255.255', '20.0.9.1'].map((address) => ({ publicKey, endpoint: at(address) }))];
  for (const one of nodes) a.dht.bootstrap.addNode(one);
  const search = a.dht.search(publicKey);
  for (const one of [...nodes, { publicKey, endpoint: at('20.0.9.2', 0) }]) search.learn(one);
  net.clock.advance(1000);
  t.same([...new Set(asked)], ['20.0.9.1:33445']);
});

t.test(
  'a NAT ping request reaches the friend through all nodes that know it, as a DHT request of kind 254',
  async (t) => {
    const net = new DhtNetwork(19);
    const peers = net.peers(8);
    const keyPair = generateKeyPair(net.random);
    const [a, b] = [peers[2] as DhtPeer, net.peer({ keyPair })];
    b.dht.bootstrap.addNode(peers[0] as DhtPeer);
    net.clock.advance(3000);
    const { clock, random } = net;
    const sharedKeys = new SharedKeyCache(keyPair.secretKey);
    const box = new DhtBox({ clock, random, ownKey: b.publicKey, sharedKeys });
    const contents: (DhtRequestPlain | undefined)[] = [];
    net.network.filter = (packet, from, to) => {
      const request =
        packet[0] === UdpKind.DhtRequest && from.equals(a.endpoint) ? decodeDhtRequest(packet) : undefined;
      if (request?.receiver.equals(b.publicKey)) contents.push(box.openRequest(request));
      return !(from.equals(a.endpoint) && to.equals(b.endpoint)) && !(from.equals(b.endpoint) && to.equals(a.endpoint));
    };
    a.dht.search(b.publicKey);
    net.clock.advance(4000);
    t.ok(contents.length > 1, `${contents.length} nodes carry it`);
    t.same([...new Set(contents.map((content) => content?.kind))], [254]);
    t.equal(decodeNatPing(contents[0]?.data as Buffer)?.type, 'request');
  },
);

t.test('only a node with bootstrap info answers bootstrap info requests', async (t) => {
  const net = new DhtNetwork(13);
  const [daemon, client] = [net.peer({ bootstrapInfo: { version: 5, motd: 'welcome' } }), net.peer()];
  const answers: unknown[] = [];
  const socket = net.network.socket('8.8.8.8', 1, (packet) => answers.push(decodeBootstrapInfo(packet)));
  socket.send(BOOTSTRAP_INFO_REQUEST, daemon.endpoint);
  socket.send(BOOTSTRAP_INFO_REQUEST, client.endpoint);
  net.clock.advance(100);
  t.same(answers, [{ version: 5, motd: 'welcome' }]);
});

t.test('a node that names new nodes without end makes us send and store little', async (t) => {
  const net = new DhtNetwork(14);
  const a = net.peer();
  const liar = stranger(99, net.clock);
  let named = 0;
  let sent = 0;
  const socket = net.network.socket('66.0.0.1', 33445, (packet, source) => {
    const opened = packet[0] === UdpKind.NodesRequest ? liar.box.open(packet) : undefined;
    if (opened === undefined) return;
    const nodes = Array.from({ length: 4 }, () => {
      named += 1;
      return { publicKey: generateKeyPair(net.random).publicKey, endpoint: at(`66.1.${named >> 8}.${named & 0xff}`) };
    });
    const id = opened.plain.readBigUInt64BE(32);
    socket.send(liar.box.seal(UdpKind.NodesResponse, a.publicKey, encodeNodesResponse({ nodes, id })), source);
  });
  net.network.filter = (_packet, _from, to) => {
    if (to.address.startsWith('66.1.')) sent += 1;
    return true;
  };
  a.dht.bootstrap.addNode({ publicKey: liar.publicKey, endpoint: at('66.0.0.1') });
  net.clock.advance(300_000);
  t.ok(named > 20, 'it was asked');
  // Three lists ask a node three times each.
  t.ok(sent <= named * 9, `${sent} packets for ${named} names`);
  t.equal(a.dht.known.near().length, 1, 'and none of them is a node');
});

t.test('a node outside of our network cannot make us ask local addresses', async (t) => {
  const net = new DhtNetwork(16);
  const a = net.peer();
  const liar = stranger(98, net.clock);
  const named = ['192.168.1.1', '66.2.0.1', '169.254.169.254', '127.0.0.1'].map((address) => {
    return { publicKey: generateKeyPair(net.random).publicKey, endpoint: at(address, 53) };
  });
  const asked = new Set<string>();
  net.network.filter = (_packet, from, to) => {
    if (from.equals(a.endpoint) && to.port === 53) asked.add(to.address);
    return true;
  };
  const socket = net.network.socket('66.0.0.2', 33445, (packet, source) => {
    const opened = packet[0] === UdpKind.NodesRequest ? liar.box.open(packet) : undefined;
    if (opened === undefined) return;
    const plain = encodeNodesResponse({ nodes: named, id: opened.plain.readBigUInt64BE(32) });
    socket.send(liar.box.seal(UdpKind.NodesResponse, a.publicKey, plain), source);
  });
  a.dht.bootstrap.addNode({ publicKey: liar.publicKey, endpoint: at('66.0.0.2') });
  net.clock.advance(60_000);
  t.same([...asked], ['66.2.0.1']);
});

t.test('hostile datagrams of every kind change nothing', async (t) => {
  const net = new DhtNetwork(15);
  const [a, b] = net.peers(2) as [DhtPeer, DhtPeer];
  const samples: Buffer[] = [];
  net.network.filter = (packet) => {
    samples.push(packet);
    return true;
  };
  net.clock.advance(5000);
  net.network.filter = undefined;
  for (const bytes of mutations(16, samples, 1500)) a.router.receive(bytes, at('8.8.8.8', 1));
  net.clock.advance(1000);
  t.same(addresses(a.dht.known.near()), [b.endpoint.key]);
});

t.test('after stop no timer is left and nothing is sent', async (t) => {
  const net = new DhtNetwork(17);
  const a = net.peer({ lanDiscovery: true });
  a.dht.bootstrap.addNode({ publicKey: keyOf('0a'), endpoint: at('8.8.8.8') });
  a.dht.search(keyOf('0b')).learn({ publicKey: keyOf('0b'), endpoint: at('8.8.8.9') });
  a.dht.stop();
  const before = net.network.sent;
  net.clock.advance(60_000);
  t.equal(net.network.sent, before);
  t.equal(net.clock.pending, 0);
});
