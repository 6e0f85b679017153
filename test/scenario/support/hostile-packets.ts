/** Valid packets of attackers: the victim can decrypt each of them, and each has another sender. */
import { Endpoint } from '../../../src/base/endpoint.js';
import { seal, sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import { buildCookieRequest, buildHandshake } from '../../../src/tox/net-crypto/handshake/handshake.js';
import { encodeAnnounceRequest, encodeAnnounceRequestContent } from '../../../src/tox/packet/announce.js';
import { encodeNodesRequest, encodePing } from '../../../src/tox/packet/dht.js';
import { encodeNatPing } from '../../../src/tox/packet/dht-request.js';
import { DhtRequestKind, UdpKind } from '../../../src/tox/packet/kind.js';
import { encodeOnionLayer, encodeOnionRequest } from '../../../src/tox/packet/onion.js';
import { stranger } from '../../support/dht-stranger.js';
import type { SeededRandom } from '../../support/seeded-random.js';

export interface Victim {
  readonly dhtKey: PublicKey;
  /** Its long-term key, which everybody with its Tox ID knows. */
  readonly realKey: PublicKey;
}

/** Destinations of its onion layers: none, everybody, the local network, the victim's neighbours. */
const DESTINATIONS = ['203.0.113.9', '255.255.255.255', '224.0.0.1', '0.0.0.0', '10.1.2.3', '127.0.0.1', 'ff02::1'];

type Forger = (victim: Victim, random: SeededRandom) => Buffer;

const dhtPing: Forger = ({ dhtKey }, random) =>
  stranger(random.uint32()).box.seal(UdpKind.PingRequest, dhtKey, encodePing({ kind: UdpKind.PingRequest, id: 7n }));

/** Claims to answer a request that was never sent. */
const dhtPong: Forger = ({ dhtKey }, random) =>
  stranger(random.uint32()).box.seal(UdpKind.PingResponse, dhtKey, encodePing({ kind: UdpKind.PingResponse, id: 7n }));

const nodesRequest: Forger = ({ dhtKey }, random) =>
  stranger(random.uint32()).box.seal(
    UdpKind.NodesRequest,
    dhtKey,
    encodeNodesRequest({ target: generateKeyPair(random).publicKey, id: 7n }),
  );

const natPing: Forger = ({ dhtKey }, random) =>
  stranger(random.uint32()).box.sealRequest(dhtKey, {
    kind: DhtRequestKind.NatPing,
    data: encodeNatPing({ type: 'request', id: 7n }),
  });

/** In the name of a friend, perhaps. */
const dhtAnnouncement: Forger = ({ dhtKey, realKey }, random) =>
  stranger(random.uint32()).box.sealRequest(dhtKey, {
    kind: DhtRequestKind.DhtPublicKey,
    data: Buffer.concat([realKey.bytes, random.bytes(24 + 16 + 41)]),
  });

const requestForAnother: Forger = (_victim, random) =>
  stranger(random.uint32()).box.sealRequest(generateKeyPair(random).publicKey, {
    kind: DhtRequestKind.NatPing,
    data: random.bytes(200),
  });

const cookieRequest: Forger = ({ dhtKey, realKey }, random) => {
  const own = generateKeyPair(random);
  const key = sharedKey(dhtKey, own.secretKey);
  return buildCookieRequest(key, random.bytes(24), own.publicKey, { realKey, echo: 7n });
};

/** A handshake with a cookie that was never issued. */
const handshake: Forger = ({ realKey }, random) => {
  const own = generateKeyPair(random);
  return buildHandshake(sharedKey(realKey, own.secretKey), random.bytes(24), random.bytes(112), {
    baseNonce: random.bytes(24),
    sessionKey: own.publicKey,
    cookie: random.bytes(112),
  });
};

/** As if it came out of the onion. */
const announceRequest: Forger = ({ dhtKey }, random) => {
  const own = generateKeyPair(random);
  const nonce = random.bytes(24);
  const content = encodeAnnounceRequestContent({
    pingId: random.bytes(32),
    searchedKey: own.publicKey,
    dataKey: own.publicKey,
    sendback: 7n,
  });
  const sealed = seal(sharedKey(dhtKey, own.secretKey), nonce, content);
  const variant = random.below(2) === 0 ? 'classic' : 'extended';
  return Buffer.concat([
    encodeAnnounceRequest(variant, { nonce, requester: own.publicKey, sealed }),
    random.bytes(177),
  ]);
};

const onionLayer: Forger = ({ dhtKey }, random) => {
  const own = generateKeyPair(random);
  const nonce = random.bytes(24);
  const level = random.below(3) as 0 | 1 | 2;
  const next = Endpoint.of(DESTINATIONS[random.below(DESTINATIONS.length)] as string, random.below(65_536)) as Endpoint;
  const inner = random.bytes(300);
  inner[0] = UdpKind.AnnounceRequest;
  const sealedLayer = seal(sharedKey(dhtKey, own.secretKey), nonce, encodeOnionLayer({ next, inner }));
  return encodeOnionRequest(level, {
    nonce,
    publicKey: own.publicKey,
    sealedLayer,
    sendback: random.bytes(59 * level),
  });
};

/** Data through the onion, for the victim itself, encrypted with a key that was never announced. */
const onionData: Forger = (_victim, random) =>
  Buffer.concat([Buffer.from([UdpKind.OnionDataResponse]), random.bytes(24 + 32 + 300)]);

/** By kind. */
export const FORGERS = {
  dhtPing,
  dhtPong,
  nodesRequest,
  natPing,
  dhtAnnouncement,
  requestForAnother,
  cookieRequest,
  handshake,
  announceRequest,
  onionLayer,
  onionData,
} as const satisfies Readonly<Record<string, Forger>>;

export type ForgedKind = keyof typeof FORGERS;

/** As many of each kind, every one under keys of its own. */
export function forgeries(random: SeededRandom, victim: Victim, ofEach: number): Buffer[] {
  return Object.values(FORGERS).flatMap((forge) => Array.from({ length: ofEach }, () => forge(victim, random)));
}
