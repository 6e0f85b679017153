/** Our nodes alone carry libtoxcore peers: DHT, onion and stored announcements, without any node of c-toxcore. */
import t from 'tap';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { systemRandom } from '../../src/base/random.js';
import { newSavedata } from '../../src/tox/savedata.js';
import { Tox } from '../../src/tox/tox.js';
import { addressOf, C_WORLD, friendOnline, startCPeer } from '../support/c-peer.js';
import { freeUdpPort } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';

const NODES = 4;

t.test('two libtoxcore peers become friends through four of our nodes, with only a Tox ID', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const nodes: { readonly host: string; readonly port: number; readonly tox: Tox }[] = [];
  for (let count = 0; count < NODES; count += 1) {
    const port = await freeUdpPort();
    const tox = new Tox(
      { clock: systemClock, random: systemRandom, log: silentLogger },
      { savedata: newSavedata(systemRandom), ports: { first: port, last: port }, ipv6: false, lanDiscovery: false },
    );
    await tox.start();
    t.teardown(() => tox.stop());
    nodes.push({ host: '127.0.0.1', port, tox });
  }
  // Each knows only the one before it.
  nodes.forEach(({ tox }, index) => {
    const { host, port, tox: other } = nodes[(index + NODES - 1) % NODES] as (typeof nodes)[number];
    tox.bootstrap({ host, port, publicKey: other.dhtPublicKey });
  });
  const start = async (index: number, ...args: string[]) => {
    const { host, port, tox } = nodes[index] as (typeof nodes)[number];
    const peer = await startCPeer(['friend', '--bootstrap', `${host}:${port}:${tox.dhtPublicKey.hex}`, ...args]);
    t.teardown(() => peer.stop());
    return peer;
  };
  const asked = await start(0);
  const asking = await start(2, '--add', await addressOf(asked));
  await Promise.all([friendOnline(asking), friendOnline(asked)]);
  t.match(asked.stdout, /^REQUEST accepted 0$/m);
  t.match(asking.stdout, /^REQUEST sent/m);
});
