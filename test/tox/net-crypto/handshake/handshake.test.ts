import t from 'tap';
import { open, sharedKey } from '../../../../src/tox/crypto/box.js';
import { generateKeyPair, type KeyPair } from '../../../../src/tox/crypto/key-pair.js';
import { CookieJar } from '../../../../src/tox/net-crypto/handshake/cookie.js';
import * as handshake from '../../../../src/tox/net-crypto/handshake/handshake.js';
import { SeededRandom } from '../../../support/seeded-random.js';
import { hostileInputs } from '../hostile.js';

const random = new SeededRandom(1);
const pairs = { aliceReal: generateKeyPair(random), aliceDht: generateKeyPair(random) };
const { aliceReal, aliceDht } = pairs;
const bobReal = generateKeyPair(random);
const bobDht = generateKeyPair(random);
const dhtKey = sharedKey(bobDht.publicKey, aliceDht.secretKey);
const realKey = sharedKey(bobReal.publicKey, aliceReal.secretKey);
const jar = new CookieJar(random, 0);

const request = handshake.buildCookieRequest(dhtKey, random.bytes(24), aliceDht.publicKey, {
  realKey: aliceReal.publicKey,
  echo: 77n,
});
const cookie = jar.issue(aliceReal.publicKey, aliceDht.publicKey, 500);
const response = handshake.buildCookieResponse(dhtKey, random.bytes(24), cookie, 77n);
const offer = {
  baseNonce: random.bytes(24),
  sessionKey: generateKeyPair(random).publicKey,
  cookie: random.bytes(112),
};
const shake = handshake.buildHandshake(realKey, random.bytes(24), cookie, offer);

const openFor =
  ({ secretKey }: KeyPair): handshake.OpenBox =>
  (peer, nonce, sealed) =>
    open(sharedKey(peer, secretKey), nonce, sealed);

const openShake = (packet: Buffer): handshake.OpenedHandshake | undefined =>
  handshake.openHandshake(packet, (bytes) => jar.open(bytes, 600), openFor(bobReal));

t.test('a cookie request carries both keys of its sender', async (t) => {
  const opened = handshake.openCookieRequest(request, openFor(bobDht));
  t.ok(opened?.realKey.equals(aliceReal.publicKey));
  t.ok(opened?.dhtKey.equals(aliceDht.publicKey));
  t.equal(opened?.echo, 77n);
});

t.test('a cookie response answers its own request and no other', async (t) => {
  t.same(handshake.openCookieResponse(response, dhtKey), { cookie, echo: 77n });
  t.equal(handshake.openCookieResponse(response, realKey), undefined);
});

t.test("a handshake carries the peer's half of the session, and our cookie identifies the peer", async (t) => {
  const opened = openShake(shake);
  t.same(opened?.baseNonce, offer.baseNonce);
  t.ok(opened?.sessionKey.equals(offer.sessionKey));
  t.same(opened?.cookie, offer.cookie);
  t.ok(opened?.realKey.equals(aliceReal.publicKey));
  t.ok(opened?.dhtKey.equals(aliceDht.publicKey));
  t.equal(opened?.cookieTime, 500);
});

t.test('a handshake with a different cookie than it was made for is refused', async (t) => {
  const other = jar.issue(aliceReal.publicKey, aliceDht.publicKey, 500);
  t.equal(openShake(Buffer.concat([shake.subarray(0, 1), other, shake.subarray(113)])), undefined);
});

t.test('a peer that lacks the real key in the cookie cannot complete a handshake', async (t) => {
  const thief = sharedKey(bobReal.publicKey, generateKeyPair(random).secretKey);
  t.equal(openShake(handshake.buildHandshake(thief, random.bytes(24), cookie, offer)), undefined);
});

t.test('changed and random packets are never opened and never throw', async (t) => {
  for (const packet of hostileInputs(random, [request, response, shake], 400)) {
    if (handshake.openCookieRequest(packet, openFor(bobDht))) t.fail('cookie request');
    if (handshake.openCookieResponse(packet, dhtKey)) t.fail('cookie response');
    if (openShake(packet)) t.fail('handshake');
  }
});
