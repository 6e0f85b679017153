import t from 'tap';
import { generateKeyPair } from '../../../../src/tox/crypto/key-pair.js';
import { CookieJar } from '../../../../src/tox/net-crypto/handshake/cookie.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const random = new SeededRandom(1);
const real = generateKeyPair(random).publicKey;
const dht = generateKeyPair(random).publicKey;

t.test('a cookie tells its issuer which peer asked, and when', async (t) => {
  const jar = new CookieJar(random, 0);
  const cookie = jar.issue(real, dht, 1000);
  t.equal(cookie.length, 112);
  const content = jar.open(cookie, 1000);
  t.ok(content?.realKey.equals(real));
  t.ok(content?.dhtKey.equals(dht));
  t.equal(content?.time, 1000);
});

t.test('a cookie is valid for 15 s, and not before it was issued', async (t) => {
  const jar = new CookieJar(random, 0);
  const cookie = jar.issue(real, dht, 1000);
  t.ok(jar.open(cookie, 16_000));
  t.notOk(jar.open(cookie, 16_001));
  t.notOk(jar.open(cookie, 999));
});

t.test('a cookie remains valid after one key rotation, but not after two', async (t) => {
  const jar = new CookieJar(random, 0);
  const cookie = jar.issue(real, dht, 3_599_999);
  jar.issue(real, dht, 3_600_000);
  t.ok(jar.open(cookie, 3_600_001));
  const late = jar.issue(real, dht, 7_200_000);
  jar.issue(real, dht, 10_800_000);
  t.ok(jar.open(late, 7_200_001));
  jar.issue(real, dht, 14_400_000);
  t.notOk(jar.open(late, 7_200_001));
});

t.test('a foreign or changed cookie is rejected', async (t) => {
  const jar = new CookieJar(random, 0);
  const cookie = jar.issue(real, dht, 0);
  t.notOk(new CookieJar(random, 0).open(cookie, 0));
  for (let at = 0; at < cookie.length; at += 1) {
    const changed = Buffer.from(cookie);
    changed[at] = (changed[at] as number) ^ 1;
    if (jar.open(changed, 0) !== undefined) t.fail(`byte ${at}`);
    if (jar.open(cookie.subarray(0, at), 0) !== undefined) t.fail(`${at} bytes`);
  }
});
