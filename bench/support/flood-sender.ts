/**
 * A flood of one kind, in a process of its own, evenly paced: what is due is sent each millisecond. It says "sending" when it
 * begins, and ends with its standard input.
 *
 *     node dist/bench/support/flood-sender.js KIND PACKETS_PER_SECOND SERVER_PORT SERVER_ID SERVER_DHT_KEY NODE_PORT NODE_KEY
 *
 * KIND is one of test/scenario/support/hostile-packets, sent to the server; or `guesses`: friend requests with wrong secrets, each from
 * a key of its own, handed to the node that stores the server, as onion paths would.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { open, seal, sharedKey } from '../../src/tox/crypto/box.js';
import { generateKeyPair } from '../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import { ToxId } from '../../src/tox/crypto/tox-id.js';
import { sealInner, sealOuter } from '../../src/tox/onion/data-box.js';
import {
  decodeAnnounceResponse,
  decodeAnnounceResponseContent,
  encodeAnnounceRequest,
  encodeAnnounceRequestContent,
} from '../../src/tox/packet/announce.js';
import { encodeFriendRequest } from '../../src/tox/packet/friend.js';
import { decodeOnionResponse, encodeOnionDelivery, sendbackSize } from '../../src/tox/packet/onion.js';
import { FORGERS, type ForgedKind } from '../../test/scenario/support/hostile-packets.js';
import { SeededRandom } from '../../test/support/seeded-random.js';

const [kind = '', rate = '', serverPort = '', serverId = '', dhtKey = '', nodePort = '', nodeKey = ''] =
  process.argv.slice(2);
/** Packets made in advance, which go round: each has a key of its own, and guesses come again after seconds. */
const PACKETS = 3_000;
const HOST = '127.0.0.1';

const random = new SeededRandom(1);
const id = ToxId.parse(serverId) as ToxId;
const victim = { dhtKey: PublicKey.parse(dhtKey) as PublicKey, realKey: id.publicKey };

/** As it comes out of the last hop of an onion path. */
const delivered = (payload: Buffer): Buffer =>
  encodeOnionDelivery({ payload, sendback: random.bytes(sendbackSize(3)) });

/** Under which the node stores the server. @throws Error (rejects) when it does not */
async function dataKeyOfServer(socket: Socket): Promise<PublicKey> {
  const own = generateKeyPair(random);
  const key = sharedKey(PublicKey.parse(nodeKey) as PublicKey, own.secretKey);
  const nonce = random.bytes(24);
  const content = encodeAnnounceRequestContent({
    pingId: Buffer.alloc(32),
    searchedKey: id.publicKey,
    dataKey: new PublicKey(Buffer.alloc(32)),
    sendback: 1n,
  });
  const request = encodeAnnounceRequest('classic', {
    nonce,
    requester: own.publicKey,
    sealed: seal(key, nonce, content),
  });
  socket.send(delivered(request), Number(nodePort), HOST);
  const [packet] = (await once(socket, 'message')) as [Buffer];
  const response = decodeOnionResponse(3, packet);
  const answer = response && decodeAnnounceResponse('classic', response.data);
  const plain = answer && open(key, answer.nonce, answer.sealed);
  const outcome = plain && decodeAnnounceResponseContent('classic', plain)?.outcome;
  if (outcome?.status !== 'found') throw new Error('the node does not store the server');
  return outcome.dataKey;
}

function guess(index: number, dataKey: PublicKey): Buffer {
  const message = Buffer.from(`wrong secret ${index}\0`);
  const data = encodeFriendRequest({ nospam: id.nospam, message });
  return delivered(sealOuter(random, sealInner(random, generateKeyPair(random), id.publicKey, data), dataKey));
}

const socket = createSocket('udp4');
socket.bind(0, HOST);
await once(socket, 'listening');
const isGuessing = kind === 'guesses';
const dataKey = isGuessing ? await dataKeyOfServer(socket) : undefined;
const packets = Array.from({ length: PACKETS }, (_, index) =>
  dataKey === undefined ? FORGERS[kind as ForgedKind](victim, random) : guess(index, dataKey),
);
const port = Number(isGuessing ? nodePort : serverPort);
const startedAt = performance.now();
let sent = 0;
setInterval(() => {
  for (const due = ((performance.now() - startedAt) * Number(rate)) / 1000; sent < due; sent += 1) {
    socket.send(packets[sent % PACKETS] as Buffer, port, HOST);
  }
}, 1);
console.log('sending');
process.stdin.once('close', () => process.exit()).resume();
