/** A relay of ours at an address of a simulated network. */
import type { Clock } from '../../src/base/clock.js';
import type { Endpoint } from '../../src/base/endpoint.js';
import { silentLogger } from '../../src/base/logger.js';
import type { KeyPair } from '../../src/tox/crypto/key-pair.js';
import type { StreamListener } from '../../src/tox/network/stream-socket.js';
import { RelayServer } from '../../src/tox/relay/relay-server.js';
import type { SeededRandom } from './seeded-random.js';
import type { SimulatedStreams } from './simulated-streams.js';

interface World {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly streams: SimulatedStreams;
}

/** @returns what waits for its clients */
export function startSimulatedRelay(
  { clock, random, streams }: World,
  keyPair: KeyPair,
  { address, port }: Endpoint,
): StreamListener {
  const server = new RelayServer({
    clock,
    random,
    log: silentLogger,
    keyPair,
    descriptors: 4_096,
    forwardOnion: () => {},
  });
  return streams.listen(address, port, (socket) => server.accept(socket));
}
