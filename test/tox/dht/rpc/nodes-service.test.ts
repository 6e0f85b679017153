import t from 'tap';
import type { PublicKey } from '../../../../src/tox/crypto/keys.js';
import { NodesService } from '../../../../src/tox/dht/rpc/nodes-service.js';
import {
  decodeNodesRequest,
  decodeNodesResponse,
  encodeNodesRequest,
  encodeNodesResponse,
} from '../../../../src/tox/packet/dht.js';
import { UdpKind } from '../../../../src/tox/packet/kind.js';
import type { NodeInfo } from '../../../../src/tox/packet/node-info.js';
import { type Stranger, stranger } from '../../../support/dht-stranger.js';
import { mutations } from '../../../support/fuzz.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { at, keyOf, named, node } from '../../../support/nodes.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const THERE = at('192.0.2.1');
const NODES = [1, 2, 3, 4].map((index) => node(`0${index}`, `192.0.2.${index}`));

function start(known: readonly NodeInfo[] = NODES) {
  const clock = new ManualClock();
  const us = stranger(1, clock);
  const peer = stranger(2);
  const sent: Buffer[] = [];
  const responses: string[] = [];
  const lan: boolean[] = [];
  const service = new NodesService({
    clock,
    random: new SeededRandom(9),
    box: us.box,
    send: (packet) => sent.push(packet),
    handlers: {
      closestNodes: (_target, _count, options) => {
        lan.push(options.lan);
        return known;
      },
      onRequest: () => {},
      onResponse: (info, target, listed) =>
        responses.push(`${info.endpoint} about ${target.short}: ${listed.map(named).join(' ')}`),
    },
  });
  /** What we answer to `peer`. */
  const answerTo = (target: PublicKey, source = THERE): string[] => {
    const plain = encodeNodesRequest({ target, id: 5n });
    service.handleRequest(peer.box.seal(UdpKind.NodesRequest, us.publicKey, plain), source);
    const opened = peer.box.open(sent.at(-1) as Buffer);
    const response = opened && decodeNodesResponse(opened.plain);
    if (response?.id !== 5n) throw new Error('no answer with our id');
    return (
      response.nodes.map((info) => (info.publicKey.equals(peer.publicKey) ? `asker@${info.endpoint}` : named(info))) ??
      []
    );
  };
  return { clock, us, peer, sent, responses, lan, service, answerTo };
}

t.test('a request is answered with the nodes that we know', async (t) => {
  const { answerTo, sent } = start();
  t.same(answerTo(keyOf('0a')), NODES.map(named));
  t.equal(sent[0]?.length, 82 + 4 * 39);
});

t.test('without known nodes the answer names the requester, because an empty answer would be ignored', async (t) => {
  t.same(start([]).answerTo(keyOf('0a')), ['asker@192.0.2.1:33445']);
});

t.test('a node that asks for its own key learns its address when the answer has room', async (t) => {
  const { answerTo, peer } = start(NODES.slice(0, 2));
  t.same(answerTo(peer.publicKey), [...NODES.slice(0, 2).map(named), 'asker@192.0.2.1:33445']);
  t.same(start().answerTo(peer.publicKey), NODES.map(named), 'but never a fifth node');
});

t.test('nodes of local networks are sent only to nodes that ask from there', async (t) => {
  const { answerTo, lan } = start();
  answerTo(keyOf('0a'), at('8.8.8.8'));
  answerTo(keyOf('0a'), at('192.168.1.1'));
  t.same(lan, [false, true]);
});

/** Seals the answer of `peer` to what we asked. */
function answer(peer: Stranger, us: Stranger, request: Buffer, nodes: readonly NodeInfo[]): Buffer {
  const asked = decodeNodesRequest(peer.box.open(request)?.plain as Buffer);
  const plain = encodeNodesResponse({ nodes, id: asked?.id ?? 0n });
  return peer.box.seal(UdpKind.NodesResponse, us.publicKey, plain);
}

t.test('an answer to our request is reported once, with the key that we asked for', async (t) => {
  const { us, peer, sent, responses, service } = start();
  service.ask({ publicKey: peer.publicKey, endpoint: THERE }, keyOf('0a'));
  t.equal(sent[0]?.length, 113);
  const response = answer(peer, us, sent[0] as Buffer, NODES.slice(0, 1));
  service.handleResponse(response, at('192.0.2.9'));
  t.same(responses, [], 'not from another address');
  service.handleResponse(response, THERE);
  service.handleResponse(response, THERE);
  t.same(responses, ['192.0.2.1:33445 about 0A000000: 01@192.0.2.1:33445']);
});

t.test('an empty answer counts as an answer', async (t) => {
  const { us, peer, sent, responses, service } = start();
  service.ask({ publicKey: peer.publicKey, endpoint: THERE }, keyOf('0a'));
  service.handleResponse(answer(peer, us, sent[0] as Buffer, []), THERE);
  t.same(responses, ['192.0.2.1:33445 about 0A000000: ']);
});

t.test('a late answer is ignored', async (t) => {
  const { clock, us, peer, sent, responses, service } = start();
  service.ask({ publicKey: peer.publicKey, endpoint: THERE }, keyOf('0a'));
  clock.advance(5000);
  service.handleResponse(answer(peer, us, sent[0] as Buffer, []), THERE);
  t.same(responses, []);
});

t.test('hostile bytes are dropped without an answer', async (t) => {
  const { us, peer, sent, responses, service } = start();
  const sample = peer.box.seal(2, us.publicKey, encodeNodesRequest({ target: keyOf('0a'), id: 5n }));
  for (const bytes of mutations(7, [sample], 500)) {
    if (bytes.subarray(1).equals(sample.subarray(1))) continue;
    service.handleRequest(bytes, THERE);
    service.handleResponse(bytes, THERE);
  }
  t.equal(sent.length + responses.length, 0);
});
