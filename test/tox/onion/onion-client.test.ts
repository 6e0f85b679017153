import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { open, sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { StoredFriend } from '../../../src/tox/onion/friend-search.js';
import { UdpKind } from '../../../src/tox/packet/kind.js';
import { decodeOnionLayer, decodeOnionRequest } from '../../../src/tox/packet/onion.js';
import { decodeOnionDataRequest } from '../../../src/tox/packet/onion-data.js';
import { mutations } from '../../support/fuzz.js';
import { at } from '../../support/nodes.js';
import { OnionNetwork, type TestClient } from './onion-network.js';

const MINUTE = 60_000;
const DATA = Buffer.from('data');

function online(onion: OnionNetwork, identity = generateKeyPair(onion.random)): TestClient {
  const client = onion.addClient(identity);
  client.client.start();
  for (const node of onion.nodes) client.bootstrap(node);
  return client;
}

t.test('a client is announced two round trips after it knows its first node', async (t) => {
  const onion = new OnionNetwork(1);
  onion.network.faults.delay = 10;
  const alice = online(onion);
  onion.clock.advance(159);
  t.notOk(alice.client.isAnnounced);
  onion.clock.advance(1);
  t.ok(alice.client.isAnnounced, 'sixteen datagrams later');
  t.same(alice.changes, [true]);
});

t.test('of many bootstrap nodes none is used for paths before one has answered', async (t) => {
  const net = new OnionNetwork(4);
  const { client, endpoint } = net.addClient();
  client.start();
  let sent = 0;
  net.network.filter = (_packet, from) => {
    if (from.equals(endpoint)) sent += 1;
    return true;
  };
  for (const node of net.nodes) client.noteNode(node);
  net.clock.advance(2000);
  t.equal(sent, 0);
});

t.test('a client is announced at the twelve nodes closest to it', async (t) => {
  const onion = new OnionNetwork(40);
  const alice = online(onion);
  onion.clock.advance(10_000);
  const closest = onion.closest(alice.identity.publicKey, 12).map((node) => node.publicKey.hex);
  for (const node of onion.nodes.filter(({ publicKey }) => closest.includes(publicKey.hex))) {
    t.ok(node.server.dataKeyOf(alice.identity.publicKey));
  }
});

t.test('an announcement is refreshed for hours, also when the keys of nodes change', async (t) => {
  const onion = new OnionNetwork(5);
  const alice = online(onion);
  for (let minute = 0; minute < 150; minute += 10) {
    onion.clock.advance(10 * MINUTE);
    const bob = online(onion);
    bob.client.search(alice.identity.publicKey, { onFound: (stored) => stored.send(DATA) });
    alice.received.length = 0;
    onion.clock.advance(1_000);
    t.ok(alice.received.length > 0, `after ${minute + 10} minutes`);
    bob.client.stop();
  }
  t.same(alice.changes, [true], 'all the time');
});

t.test('no node is asked more than once a second, once the first seconds are over', async (t) => {
  const onion = new OnionNetwork(4);
  const alice = online(onion);
  alice.client.search(generateKeyPair(onion.random).publicKey, { onFound: () => {} });
  onion.clock.advance(10_000);
  let requests = 0;
  onion.network.filter = (packet, _from, to) => {
    if (packet[0] === UdpKind.AnnounceRequest && to.key === onion.nodes[0]?.endpoint.key) requests += 1;
    return true;
  };
  onion.clock.advance(MINUTE);
  t.ok(requests > 0 && requests <= 60, `${requests} in a minute`);
});

t.test('a client whose nodes all vanish is found again when they return', async (t) => {
  for (const count of [1, 6]) {
    const onion = new OnionNetwork(count);
    const [alice, bob] = [online(onion), online(onion)];
    bob.client.search(alice.identity.publicKey, { onFound: (stored) => stored.send(DATA) });
    onion.clock.advance(3 * MINUTE);
    for (const node of onion.nodes) onion.network.blackHoles.add(node.endpoint.address);
    onion.clock.advance(20 * MINUTE);
    t.notOk(alice.client.isAnnounced);
    t.same(alice.changes, [true, false]);
    onion.network.blackHoles.clear();
    alice.received.length = 0;
    onion.clock.advance(MINUTE + 15_000);
    t.ok(alice.client.isAnnounced);
    t.ok(alice.received.length > 0, `over ${count} nodes`);
  }
});

t.test('a node that restarts and alone stored a client stores it again within seconds', async (t) => {
  const onion = new OnionNetwork(1);
  const alice = online(onion);
  onion.clock.advance(10 * MINUTE);
  onion.restart(0);
  t.equal(onion.storing(alice), 0);
  onion.clock.advance(16_000);
  t.equal(onion.storing(alice), 1);
  onion.clock.advance(1_000);
  t.ok(alice.client.isAnnounced);
});

t.test('a friend that restarts is found again, under its new data key', async (t) => {
  const onion = new OnionNetwork(4);
  const alice = online(onion);
  const bob = online(onion);
  bob.client.search(alice.identity.publicKey, { onFound: (stored) => stored.send(DATA) });
  onion.clock.advance(5_000);
  alice.client.stop();
  const again = online(onion, alice.identity);
  onion.clock.advance(MINUTE);
  t.ok(again.received.length > 0);
});

t.test('nodes that answer but store nothing do not keep a client from being found', async (t) => {
  const onion = new OnionNetwork(12);
  const forgetful = new Set(onion.nodes.slice(0, 9).map((node) => node.endpoint.key));
  const seen = new Map<string, Set<string>>();
  onion.network.filter = (packet, from, to) => {
    if (packet[0] !== UdpKind.AnnounceRequest || !forgetful.has(to.key)) return true;
    // Each exit gets one answer, which is that of the first step: a request with the ping id is ignored.
    const exits = seen.get(to.key) ?? new Set();
    seen.set(to.key, exits);
    const isFirst = !exits.has(from.key);
    exits.add(from.key);
    return isFirst;
  };
  const [alice, bob] = [online(onion), online(onion)];
  bob.client.search(alice.identity.publicKey, { onFound: (stored) => stored.send(DATA) });
  onion.clock.advance(30_000);
  t.ok(onion.storing(alice) >= 1 && onion.storing(alice) <= 3);
  t.ok(alice.received.length > 0);
});

t.test('data is sent through every storing node, and comes once from each', async (t) => {
  const onion = new OnionNetwork(6);
  const [alice, bob] = [online(onion), online(onion)];
  onion.clock.advance(5_000);
  const found: StoredFriend[] = [];
  const search = bob.client.search(alice.identity.publicKey, { onFound: (stored) => found.push(stored) });
  t.equal(search.send(DATA), 0, 'nothing is known yet');
  onion.clock.advance(5_000);
  t.equal(found.length, 6);
  t.equal(search.storedNodes, 6);
  alice.received.length = 0;
  t.equal(search.send(DATA), 6);
  onion.clock.advance(1_000);
  t.equal(alice.received.length, 6);
  t.ok(alice.received.every(({ sender }) => sender.equals(bob.identity.publicKey)));
  t.throws(() => search.send(Buffer.alloc(949)), RangeError);
  t.throws(() => search.send(Buffer.alloc(0)), RangeError);
});

t.test('the longest data arrives', async (t) => {
  const onion = new OnionNetwork(1);
  const [alice, bob] = [online(onion), online(onion)];
  const longest = Buffer.alloc(948, 7);
  bob.client.search(alice.identity.publicKey, { onFound: (stored) => stored.send(longest) });
  onion.clock.advance(5_000);
  t.same(alice.received[0]?.data, longest);
});

t.test('a paused search is silent, and a resumed one reports the nodes that it finds again', async (t) => {
  const onion = new OnionNetwork(4);
  const [alice, bob] = [online(onion), online(onion)];
  let found = 0;
  const search = bob.client.search(alice.identity.publicKey, { onFound: () => (found += 1) });
  onion.clock.advance(5_000);
  t.equal(found, 4);
  search.pause();
  search.pause();
  t.equal(search.storedNodes, 0);
  bob.bootstrap(onion.addNode());
  onion.clock.advance(MINUTE);
  t.equal(found, 4);
  search.resume();
  search.resume();
  onion.clock.advance(1_000);
  t.ok(found >= 8);
});

t.test('a closed search is over, and the friend can be searched for again', async (t) => {
  const onion = new OnionNetwork(2);
  const [alice, bob] = [online(onion), online(onion)];
  onion.clock.advance(5_000);
  let found = 0;
  const search = bob.client.search(alice.identity.publicKey, { onFound: () => (found += 1) });
  t.throws(() => bob.client.search(alice.identity.publicKey, { onFound: () => {} }), RangeError);
  search.close();
  search.close();
  search.resume();
  onion.clock.advance(MINUTE);
  t.equal(found, 0);
  bob.client.search(alice.identity.publicKey, { onFound: () => (found += 1) });
  onion.clock.advance(1_000);
  t.equal(found, 2);
});

t.test('a patient search goes on for hours', async (t) => {
  const onion = new OnionNetwork(8);
  const bob = online(onion);
  onion.clock.advance(5 * MINUTE);
  const alice = generateKeyPair(onion.random);
  bob.client.search(alice.publicKey, { onFound: (stored) => stored.send(DATA) }, 'patient');
  onion.clock.advance(120 * MINUTE);
  const late = online(onion, alice);
  onion.clock.advance(90 * MINUTE);
  t.ok(late.received.length > 0);
});

t.test('a stopped client leaves no timer behind, and can start again', async (t) => {
  const onion = new OnionNetwork(4);
  const [alice, bob] = [online(onion), online(onion)];
  bob.client.search(alice.identity.publicKey, { onFound: (stored) => stored.send(DATA) });
  onion.clock.advance(MINUTE);
  alice.client.stop();
  bob.client.stop();
  alice.client.stop();
  onion.clock.advance(100);
  t.equal(onion.clock.pending, 0);
  t.notOk(alice.client.isAnnounced);
  alice.received.length = 0;
  alice.client.start();
  bob.client.start();
  onion.clock.advance(5_000);
  t.ok(alice.client.isAnnounced);
  t.ok(alice.received.length > 0, 'the search went on as well');
});

t.test('a response counts once', async (t) => {
  const onion = new OnionNetwork(2);
  const responses: Buffer[] = [];
  const alice = onion.addClient();
  onion.network.filter = (packet, _from, to) => {
    if (packet[0] === UdpKind.AnnounceResponse && to.key === alice.endpoint.key) responses.push(packet);
    return true;
  };
  alice.client.start();
  alice.bootstrap(onion.nodes[0]!);
  onion.clock.advance(1_000);
  t.equal(alice.client.dropped, 0);
  const receive = new Map(alice.client.routes()).get(UdpKind.AnnounceResponse)!;
  for (const response of responses) receive(response, onion.nodes[0]!.endpoint);
  t.ok(responses.length > 0);
  t.equal(alice.client.dropped, responses.length);
});

t.test('nodes do not learn the key of a client that searches', async (t) => {
  const onion = new OnionNetwork(3);
  const requesters = new Set<string>();
  onion.network.filter = (packet) => {
    if (packet[0] === UdpKind.AnnounceRequest) requesters.add(packet.toString('hex', 25, 57).toUpperCase());
    return true;
  };
  const bob = online(onion);
  onion.clock.advance(1_000);
  t.same([...requesters], [bob.identity.publicKey.hex], 'for itself it asks under its own name');
  requesters.clear();
  const friends = [generateKeyPair(onion.random), generateKeyPair(onion.random)];
  for (const friend of friends) bob.client.search(friend.publicKey, { onFound: () => {} });
  onion.clock.advance(1_000);
  t.equal(requesters.size, 2, 'one key for each search');
  t.notOk(requesters.has(bob.identity.publicKey.hex));
});

t.test('no exit sees both our own key and the key of a friend', async (t) => {
  const onion = new OnionNetwork(12);
  const [alice, bob] = [online(onion), online(onion)];
  const search = alice.client.search(bob.identity.publicKey, { onFound: () => {} });
  /** By the key of a path, as its last node sees it: to whom data goes. */
  const receivers = new Map<string, Set<string>>();
  onion.network.filter = (packet, _from, to) => {
    const exit = onion.nodes.find(({ endpoint }) => endpoint.equals(to));
    if (packet[0] !== UdpKind.OnionRequest2 || exit === undefined) return true;
    const request = decodeOnionRequest(2, packet);
    const plain =
      request && open(sharedKey(request.publicKey, exit.keyPair.secretKey), request.nonce, request.sealedLayer);
    const data = decodeOnionDataRequest((plain && decodeOnionLayer(2, plain)?.inner) ?? Buffer.alloc(0));
    if (request === undefined || data === undefined) return true;
    const { hex } = request.publicKey;
    receivers.set(hex, (receivers.get(hex) ?? new Set()).add(data.receiver.hex));
    return true;
  };
  for (let second = 0; second < 60; second += 1) {
    onion.clock.advance(1_000);
    search.send(DATA);
  }
  const seen = [...receivers.values()];
  const count = (client: TestClient): number => seen.filter((keys) => keys.has(client.identity.publicKey.hex)).length;
  t.ok(count(alice) > 0, 'she calls herself');
  t.ok(count(bob) > 0);
  t.equal(seen.filter((keys) => keys.size > 1).length, 0, 'by no path that leads to friends');
});

t.test('local nodes named by strangers are not asked', async (t) => {
  const onion = new OnionNetwork(3);
  const alice = online(onion);
  const endpoint = Endpoint.of('192.168.1.1', 33_445)!;
  onion.nodes.push({ ...onion.nodes[0]!, publicKey: generateKeyPair(onion.random).publicKey, endpoint });
  onion.clock.advance(MINUTE);
  t.ok(alice.client.isAnnounced);
  for (const { relay } of onion.nodes) t.equal(relay.dropped, 0, 'no hop had to refuse');
});

t.test('a client may be stopped inside of its handlers', async (t) => {
  const onion = new OnionNetwork(1);
  const alice = online(onion);
  onion.clock.advance(5_000);
  t.ok(alice.client.isAnnounced);
  onion.network.blackHoles.add(onion.nodes[0]!.endpoint.address);
  alice.changes.push = (...values: boolean[]): number => {
    alice.client.stop();
    return values.length;
  };
  onion.clock.advance(10 * MINUTE);
  t.equal(onion.clock.pending, 0);
});

t.test('data with a forged sender is dropped', async (t) => {
  const onion = new OnionNetwork(1);
  const [alice, mallory] = [online(onion), generateKeyPair(onion.random)];
  onion.clock.advance(1_000);
  const victim = generateKeyPair(onion.random);
  const forged = { publicKey: victim.publicKey, secretKey: mallory.secretKey };
  const captured: Buffer[] = [];
  onion.network.filter = (packet, _from, to) => {
    if (packet[0] === UdpKind.OnionDataResponse && to.key === alice.endpoint.key) captured.push(packet);
    return true;
  };
  for (const sender of [forged, mallory]) {
    const helper = online(onion, sender);
    helper.client.search(alice.identity.publicKey, { onFound: (stored) => stored.send(DATA) });
    onion.clock.advance(5_000);
    helper.client.stop();
  }
  t.ok(captured.length > 0);
  t.ok(alice.received.length > 0);
  t.ok(alice.received.every(({ sender }) => sender.equals(mallory.publicKey)));
});

t.test(
  'a flood of data is opened at a bounded rate, and does not keep out data that comes by our own paths',
  async (t) => {
    const onion = new OnionNetwork(1);
    const [alice, bob] = [online(onion), online(onion)];
    let packet: Buffer | undefined;
    onion.network.filter = (bytes, _from, to) => {
      // The first one: later ones may be alice's own, by which she proves that she is reached.
      if (bytes[0] === UdpKind.OnionDataResponse && to.key === alice.endpoint.key) packet ??= bytes;
      return true;
    };
    let way: StoredFriend | undefined;
    bob.client.search(alice.identity.publicKey, {
      onFound: (stored) => {
        way ??= stored;
        stored.send(DATA);
      },
    });
    onion.clock.advance(2_000);
    alice.received.length = 0;
    const receive = new Map(alice.client.routes()).get(UdpKind.OnionDataResponse)!;
    const elsewhere = at('203.0.113.77');
    const flood = (): void => {
      for (let index = 0; index < 1_000; index += 1) receive(packet!, elsewhere);
    };
    for (let index = 0; index < 1_000; index += 1) receive(packet!.subarray(0, 100), elsewhere);
    flood();
    t.equal(alice.received.length, 200, 'what is too short to be any costs nothing');
    onion.clock.advance(400);
    flood();
    t.equal(alice.received.length, 240);
    flood();
    way?.send(DATA);
    // In less than it takes for another one to be opened from elsewhere.
    onion.clock.advance(9);
    t.ok(alice.received.length > 240, 'by one way or more');
  },
);

t.test('hostile datagrams neither throw nor change what is announced', async (t) => {
  const onion = new OnionNetwork(3);
  const [alice, bob] = [online(onion), online(onion)];
  bob.client.search(alice.identity.publicKey, { onFound: (stored) => stored.send(DATA) });
  const samples: Buffer[] = [];
  onion.network.filter = (packet, _from, to) => {
    if (to.key === alice.endpoint.key) samples.push(packet);
    return true;
  };
  onion.clock.advance(5_000);
  const received = alice.received.length;
  const routes = new Map(alice.client.routes());
  for (const bytes of mutations(6, samples, 3_000)) {
    routes.get(bytes[0] ?? 0)?.(bytes, onion.nodes[0]!.endpoint);
    onion.clock.advance(1);
  }
  t.same(alice.changes, [true]);
  t.ok(alice.client.isAnnounced);
  t.ok(received > 0 && alice.client.dropped > 0);
});
