/** A refused client keeps trying until the owner admits it, on the simulated internet, so that the time is known. */
import t from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import type { AccessFactors } from '../../src/engine/access/access-factors.js';
import { AccessPolicy, friendRequestMessage } from '../../src/engine/access/access-policy.js';
import { ClientAdmission } from '../../src/engine/server/client-admission.js';
import type { PublicKey } from '../../src/tox/crypto/keys.js';
import { TunnelService } from '../../src/tunnel/tunnel-service.js';
import { SeededRandom } from '../support/seeded-random.js';
import { type Peer, World } from '../support/world.js';

/** ms of simulated time. */
const SECOND = 1_000;

/** A whitelist that is changed while it runs. */
class List implements AccessFactors {
  readonly secret = undefined;
  readonly secretGeneration = 0;
  readonly hasWhitelist = true;
  readonly require = 'all';
  readonly isOpen = false;
  readonly #keys = new Set<string>();

  add(key: PublicKey): void {
    this.#keys.add(key.hex);
  }

  listing(key: PublicKey): 'listed' | 'none' {
    return this.#keys.has(key.hex) ? 'listed' : 'none';
  }

  isBanned(): boolean {
    return false;
  }

  hasProven(): boolean {
    return false;
  }

  noteProven(): void {}
}

for (const seconds of [3, 12, 25, 55, 85]) {
  t.test(`a client that was refused for ${seconds} s is there a second after it is put on the list`, async (t) => {
    const world = new World(seconds);
    const [node, server] = (await world.peers(4)) as [Peer, Peer];
    const { clock } = world;
    const deps = { clock, random: new SeededRandom(seconds), log: silentLogger };
    const tunnels = new TunnelService(deps);
    const list = new List();
    const admission = new ClientAdmission({ ...deps, tox: server.tox, tunnels }, new AccessPolicy(list));
    t.teardown(() => admission.close());
    const client = (await world.peer()).join(node);
    const friend = client.tox.addFriend(server.tox.id, friendRequestMessage(undefined));
    t.ok(await world.until(() => (admission.refusals.lastDay['not-whitelisted'] ?? 0) > 0, 60 * SECOND), 'refused');
    clock.advance(seconds * SECOND);
    list.add(client.tox.publicKey);
    admission.review();
    const took = await world.until(() => friend.isOnline, 60 * SECOND);
    t.ok(took !== undefined && took < SECOND, `after ${took} ms`);
  });
}
