import t from 'tap';
import { Endpoint } from '../../src/base/endpoint.js';
import { silentLogger } from '../../src/base/logger.js';
import { systemRandom } from '../../src/base/random.js';
import { LISTENING_PORTS } from '../../src/tox/dht/bootstrap/lan-discovery.js';
import { openLanListener } from '../../src/tox/lan-listener.js';
import { openUdpSocket } from '../../src/tox/network/udp-socket.js';
import { encodeLanDiscovery } from '../../src/tox/packet/dht.js';
import { keyOf } from '../support/nodes.js';

const deps = { random: systemRandom, log: silentLogger };
const COUNT = LISTENING_PORTS.last - LISTENING_PORTS.first + 1;

t.test('it hears a call, by whom it was made, and nothing else', async (t) => {
  const caller = await openUdpSocket(deps, { ports: 0, ipv6: false, onDatagram: () => {} });
  const call = encodeLanDiscovery(keyOf('0a'));
  const heard = new Promise<{ packet: Buffer; source: Endpoint }>((resolve, reject) => {
    openLanListener(deps, { ipv6: true, onCall: (packet, source) => resolve({ packet, source }) }).then((listener) => {
      t.teardown(() => listener?.close());
      for (let port = LISTENING_PORTS.first; port <= LISTENING_PORTS.last; port += 1) {
        const to = Endpoint.of('127.0.0.1', port) as Endpoint;
        caller.send(Buffer.from([0x00, ...call.subarray(1)]), to);
        caller.send(call, to);
      }
    }, reject);
  });
  const { packet, source } = await heard;
  t.same(packet, call);
  t.equal(source.key, `127.0.0.1:${caller.localPort}`);
  caller.close();
});

t.test('where all the ports are taken there is none, and no error', async (t) => {
  const others = [];
  for (let index = 0; index < COUNT; index += 1) {
    others.push(await openLanListener(deps, { ipv6: false, onCall: () => {} }));
  }
  t.equal(await openLanListener(deps, { ipv6: false, onCall: () => {} }), undefined);
  for (const other of others) other?.close();
});
