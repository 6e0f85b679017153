import t from 'tap';
import { PingService } from '../../../../src/tox/dht/rpc/ping-service.js';
import { decodePing, encodePing } from '../../../../src/tox/packet/dht.js';
import { UdpKind } from '../../../../src/tox/packet/kind.js';
import type { NodeInfo } from '../../../../src/tox/packet/node-info.js';
import { type Stranger, stranger } from '../../../support/dht-stranger.js';
import { mutations } from '../../../support/fuzz.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { at } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const THERE = at('192.0.2.1');
const ELSEWHERE = at('192.0.2.2');

function start() {
  const clock = new ManualClock();
  const us = stranger(1, clock);
  const sent: Buffer[] = [];
  const requests: NodeInfo[] = [];
  const responses: NodeInfo[] = [];
  const service = new PingService({
    clock,
    random: new SeededRandom(9),
    box: us.box,
    send: (packet) => sent.push(packet),
    onRequest: (node) => requests.push(node),
    onResponse: (node) => responses.push(node),
  });
  return { clock, us, sent, requests, responses, service };
}

/** Seals the answer of `peer` to what we sent. */
function answer(peer: Stranger, us: Stranger, request: Buffer | undefined): Buffer {
  const ping = decodePing(peer.box.open(request as Buffer)?.plain as Buffer);
  const plain = encodePing({ kind: UdpKind.PingResponse, id: ping?.id ?? 0n });
  return peer.box.seal(UdpKind.PingResponse, us.publicKey, plain);
}

t.test('a request is answered with its id', async (t) => {
  const { us, sent, requests, service } = start();
  const peer = stranger(2);
  const plain = encodePing({ kind: UdpKind.PingRequest, id: 77n });
  service.handleRequest(peer.box.seal(UdpKind.PingRequest, us.publicKey, plain), THERE);
  t.equal(sent[0]?.length, 82);
  t.equal(sent[0]?.[0], UdpKind.PingResponse);
  const opened = peer.box.open(sent[0] as Buffer);
  t.same(opened && decodePing(opened.plain), { kind: UdpKind.PingResponse, id: 77n });
  t.same(
    requests.map((node) => node.publicKey.hex),
    [peer.publicKey.hex],
  );
});

t.test('a response to our request shows that the node lives', async (t) => {
  const { us, sent, responses, service } = start();
  const peer = stranger(2);
  service.ping({ publicKey: peer.publicKey, endpoint: THERE });
  t.equal(sent[0]?.length, 82);
  const response = answer(peer, us, sent[0]);
  service.handleResponse(response, ELSEWHERE);
  t.equal(responses.length, 0, 'not from another address');
  service.handleResponse(response, THERE);
  service.handleResponse(response, THERE);
  t.equal(responses.length, 1, 'and once');
});

t.test('a request sent back to us is no response', async (t) => {
  const { us, sent, responses, service } = start();
  const peer = stranger(2);
  service.ping({ publicKey: peer.publicKey, endpoint: THERE });
  const ping = decodePing(peer.box.open(sent[0] as Buffer)?.plain as Buffer);
  const plain = encodePing({ kind: UdpKind.PingRequest, id: ping?.id ?? 0n });
  service.handleResponse(peer.box.seal(UdpKind.PingResponse, us.publicKey, plain), THERE);
  t.equal(responses.length, 0);
});

t.test('a late response is ignored', async (t) => {
  const { clock, us, sent, responses, service } = start();
  const peer = stranger(2);
  service.ping({ publicKey: peer.publicKey, endpoint: THERE });
  clock.advance(5000);
  service.handleResponse(answer(peer, us, sent[0]), THERE);
  t.equal(responses.length, 0);
});

t.test('hostile bytes are dropped without an answer', async (t) => {
  const { us, sent, service } = start();
  const peer = stranger(2);
  const sample = peer.box.seal(0, us.publicKey, encodePing({ kind: UdpKind.PingRequest, id: 77n }));
  for (const bytes of mutations(6, [sample], 500)) {
    if (bytes.subarray(1).equals(sample.subarray(1))) continue;
    service.handleRequest(bytes, THERE);
    service.handleResponse(bytes, THERE);
  }
  t.equal(sent.length, 0);
});
