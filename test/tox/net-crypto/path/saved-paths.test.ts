import t from 'tap';
import { Endpoint } from '../../../../src/base/endpoint.js';
import { generateKeyPair } from '../../../../src/tox/crypto/key-pair.js';
import { SavedPaths } from '../../../../src/tox/net-crypto/path/saved-paths.js';
import { SeededRandom } from '../../../support/seeded-random.js';

const random = new SeededRandom(1);
const peer = generateKeyPair(random).publicKey;
const udp = (address: string, port: number): Endpoint => Endpoint.of(address, port) as Endpoint;
const path = { rate: 5000, roundTrip: 40 };

t.test('a saved path is kept for ten minutes by peer and address, whatever the port', async (t) => {
  const paths = new SavedPaths();
  paths.save(peer, udp('192.0.2.1', 1), path, 0);
  t.same(paths.find(peer, udp('192.0.2.1', 2), 600_000), path);
  t.equal(paths.find(peer, udp('192.0.2.1', 1), 600_001), undefined);
  t.equal(paths.find(peer, udp('192.0.2.2', 1), 0), undefined);
  t.equal(paths.find(generateKeyPair(random).publicKey, udp('192.0.2.1', 1), 0), undefined);
});

t.test('the paths saved last are kept', async (t) => {
  const paths = new SavedPaths();
  paths.save(peer, udp('192.0.2.1', 1), path, 0);
  paths.save(peer, udp('192.0.2.2', 1), path, 0);
  paths.save(peer, udp('192.0.2.1', 1), path, 0);
  for (let host = 1; host <= 255; host += 1) paths.save(peer, udp(`198.51.100.${host}`, 1), path, 0);
  for (let host = 0; host <= 255; host += 1) paths.save(peer, udp(`203.0.113.${host}`, 1), path, 0);
  t.ok(paths.find(peer, udp('192.0.2.1', 1), 0));
  t.equal(paths.find(peer, udp('192.0.2.2', 1), 0), undefined);
});
