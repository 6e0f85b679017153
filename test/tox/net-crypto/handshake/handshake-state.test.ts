import t from 'tap';
import { open, sharedKey } from '../../../../src/tox/crypto/box.js';
import { generateKeyPair, type KeyPair } from '../../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../../src/tox/crypto/keys.js';
import { CookieJar } from '../../../../src/tox/net-crypto/handshake/cookie.js';
import {
  type OpenBox,
  type OpenedHandshake,
  openHandshake,
} from '../../../../src/tox/net-crypto/handshake/handshake.js';
import { HandshakeState } from '../../../../src/tox/net-crypto/handshake/handshake-state.js';
import type { PeerKeys } from '../../../../src/tox/net-crypto/stream/connection-host.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const random = new SeededRandom(1);

/** One of two peers that connect; no packet between them is lost. */
class Peer {
  readonly real: KeyPair;
  readonly dht = generateKeyPair(random);
  readonly jar = new CookieJar(random, 0);
  sessions = 0;

  constructor(real = generateKeyPair(random)) {
    this.real = real;
  }

  get keys(): PeerKeys {
    return { realKey: this.real.publicKey, dhtKey: this.dht.publicKey };
  }

  meet(peer: Peer, options: { now?: number; accepted?: OpenedHandshake } = {}): HandshakeState {
    const { now = 0, accepted } = options;
    const host = {
      random,
      realSecret: (key: PublicKey) => sharedKey(key, this.real.secretKey),
      issueCookie: ({ realKey, dhtKey }: PeerKeys) => this.jar.issue(realKey, dhtKey, now),
    };
    const onKeys = (): void => {
      this.sessions += 1;
    };
    return new HandshakeState({ host, onKeys }, { peer: peer.keys, now, accepted });
  }

  /** Returns a cookie of this peer for another one. */
  cookieFor({ realKey, dhtKey }: PeerKeys, now = 0): Buffer {
    return this.jar.issue(realKey, dhtKey, now);
  }

  read(packet: Buffer, now = 0): OpenedHandshake {
    const handshake = openHandshake(packet, (cookie) => this.jar.open(cookie, now), openFor(this.real));
    if (handshake === undefined) throw new Error('no handshake');
    return handshake;
  }
}

const openFor =
  ({ secretKey }: KeyPair): OpenBox =>
  (peer, nonce, sealed) =>
    open(sharedKey(peer, secretKey), nonce, sealed);

const packetOf = (handshake: HandshakeState, now = 0): Buffer => handshake.attempt(now) as Buffer;

/** Two peers after their handshake, which can read each other. */
function meet(): { alice: Peer; bob: Peer; near: HandshakeState; far: HandshakeState; packet: Buffer } {
  const [alice, bob] = [new Peer(), new Peer()];
  const near = alice.meet(bob);
  near.receiveCookie(bob.cookieFor(alice.keys), 0);
  const packet = packetOf(near);
  const far = bob.meet(alice, { accepted: bob.read(packet) });
  near.receiveHandshake(alice.read(packetOf(far)), 0, 0);
  return { alice, bob, near, far, packet };
}

t.test('after a cookie and a handshake each way, both peers can open what the other seals', async (t) => {
  const { alice, near, far } = meet();
  t.same([near.state, far.state, alice.sessions], ['not-confirmed', 'not-confirmed', 1]);
  const packet = near.keys?.cipher.seal(0, 0, Buffer.from([160, 1, 2])) as Buffer;
  t.match(far.keys?.cipher.open(packet), { data: Buffer.from([160, 1, 2]) });
});

t.test('data from the peer confirms the session once and ends the attempts', async (t) => {
  const { near } = meet();
  t.ok(near.confirm());
  t.notOk(near.confirm());
  t.equal(near.state, 'established');
  t.equal(near.attempt(60_000), 'wait');
  t.equal(near.dueAt, Number.POSITIVE_INFINITY);
});

t.test(
  'the same handshake is sent at 0, 150, 300, 600, 1000, 2000, 3000 and 4000 ms, and given up at 5000',
  async (t) => {
    const [alice, bob] = [new Peer(), new Peer()];
    const near = alice.meet(bob);
    near.receiveCookie(bob.cookieFor(alice.keys), 0);
    const packets = new Set<string>();
    const sentAt: number[] = [];
    for (let now = 0; now < 5_000; now += 10) {
      const packet = near.attempt(now);
      if (typeof packet === 'string') continue;
      packets.add(packet.toString('hex'));
      sentAt.push(now);
    }
    t.equal(packets.size, 1);
    t.same(sentAt, [0, 150, 300, 600, 1000, 2000, 3000, 4000]);
    t.equal(near.attempt(5_000), 'give up');
  },
);

t.test('a new route restarts the transmissions', async (t) => {
  const [alice, bob] = [new Peer(), new Peer()];
  const near = alice.meet(bob);
  t.equal(near.attempt(0), 'ask');
  near.retryNow(100);
  t.equal(near.attempt(100), 'ask');
  t.equal(near.attempt(249), 'wait');
  t.equal(near.attempt(250), 'ask');
});

t.test('a cookie is requested eight times, and a late one changes nothing', async (t) => {
  const [alice, bob] = [new Peer(), new Peer()];
  const near = alice.meet(bob);
  const asked = Array.from({ length: 450 }, (_, at) => near.attempt(10 * at)).filter((what) => what === 'ask');
  t.equal(asked.length, 8);
  t.equal(near.attempt(5_000), 'give up');
  near.receiveCookie(bob.cookieFor(alice.keys), 5_000);
  const packet = packetOf(near, 5_000);
  t.equal(near.state, 'handshake-sent');
  near.receiveCookie(bob.cookieFor(alice.keys), 5_001);
  t.equal(packetOf(near, 6_000), packet);
});

t.test('when both peers connect at once, the handshake of the faster one supplies the cookie', async (t) => {
  const [alice, bob] = [new Peer(), new Peer()];
  const [near, far] = [alice.meet(bob), bob.meet(alice)];
  near.receiveCookie(bob.cookieFor(alice.keys), 0);
  t.equal(far.receiveHandshake(bob.read(packetOf(near)), 0, 0), 'progress');
  t.equal(far.state, 'not-confirmed');
  t.equal(near.receiveHandshake(alice.read(packetOf(far)), 0, 0), 'progress');
  const packet = far.keys?.cipher.seal(0, 0, Buffer.from([160])) as Buffer;
  t.match(near.keys?.cipher.open(packet), { data: Buffer.from([160]) });
});

/** A handshake of a peer that starts a new session. */
function handshakeOf(who: Peer, peer: Peer, now = 0): OpenedHandshake {
  const restarted = who.meet(peer);
  restarted.receiveCookie(peer.cookieFor(who.keys, now), 0);
  return peer.read(packetOf(restarted), now);
}

t.test('the handshake of the established session is recognized', async (t) => {
  const { alice, bob, far, packet } = meet();
  t.equal(far.receiveHandshake(bob.read(packet), 0, 0), 'progress', 'it may be sent again until data comes');
  far.confirm();
  t.equal(far.receiveHandshake(bob.read(packet), 60_000, 0), 'known');
  t.equal(alice.sessions, 1);
});

t.test(
  'a different handshake is ignored while the session receives packets, and later starts a new session',
  async (t) => {
    const { alice, bob, far } = meet();
    far.confirm();
    const other = handshakeOf(alice, bob);
    t.equal(far.receiveHandshake(other, 60_000, 59_000), 'ignored');
    t.equal(far.receiveHandshake(other, 60_000, 0), 'another');
  },
);

t.test('a handshake with a different DHT key starts a new session at once', async (t) => {
  const { alice, bob, far } = meet();
  far.confirm();
  const restarted = new Peer(alice.real);
  t.equal(far.receiveHandshake(handshakeOf(restarted, bob), 60_000, 60_000), 'another');
});

t.test("a handshake with an older cookie than the session's is treated as a copy", async (t) => {
  const [alice, bob] = [new Peer(), new Peer()];
  const [old, recent] = [handshakeOf(alice, bob, 100), handshakeOf(alice, bob, 200)];
  const far = bob.meet(alice, { now: 300, accepted: recent });
  t.equal(far.receiveHandshake(old, 60_000, 0), 'outdated');
  t.equal(far.receiveHandshake(recent, 60_000, 0), 'progress');
});

t.test('a closed handshake accepts nothing and remembers its last stage', async (t) => {
  const { bob, far, packet } = meet();
  far.close('killed');
  t.same([far.state, far.lastStage, far.keys], ['closed', 'not-confirmed', undefined]);
  t.equal(far.receiveHandshake(bob.read(packet), 0, 0), 'ignored');
  t.equal(far.attempt(60_000), 'wait');
  t.equal(far.dueAt, Number.POSITIVE_INFINITY);
});
