import t from 'tap';
import { LanDiscovery, LISTENING_PORTS } from '../../../../src/tox/dht/bootstrap/lan-discovery.js';
import { decodeLanDiscovery, encodeLanDiscovery } from '../../../../src/tox/packet/dht.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { at, keyOf, named } from '../../../support/nodes.js';

function start(ipv6 = true) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const found: string[] = [];
  const discovery = new LanDiscovery(
    {
      clock,
      ownKey: keyOf('0a'),
      send: (packet, to) => {
        if (decodeLanDiscovery(packet)?.equals(keyOf('0a'))) sent.push(to.key);
      },
      interfaces: () => [
        { address: '192.168.1.7', broadcast: '192.168.1.255' },
        { address: 'fe80::1%eth0' },
        { address: '2001:db8::1' },
      ],
      onNode: (node) => found.push(named(node)),
    },
    { ipv6 },
  );
  return { clock, sent, found, discovery };
}

t.test('LAN discovery sends at once to the first port and ten others of every network', async (t) => {
  const { sent, discovery } = start();
  discovery.start();
  const targets = ['127.0.0.1', '255.255.255.255', '[ff02::1]', '192.168.1.255', '[ff02::1%eth0]'];
  t.same(
    sent.filter((to) => to.endsWith(':33445')),
    targets.map((target) => `${target}:33445`),
  );
  t.equal(sent.length, 11 * targets.length);
});

t.test('the first round of LAN discovery reaches programs that only listen for it', async (t) => {
  const { sent, discovery } = start();
  discovery.start();
  for (let port = LISTENING_PORTS.first; port <= LISTENING_PORTS.last; port += 1) {
    t.ok(sent.includes(`192.168.1.255:${port}`));
  }
});

t.test('without IPv6 LAN discovery uses IPv4 only', async (t) => {
  const { sent, discovery } = start(false);
  discovery.start();
  t.ok(sent.length > 0 && sent.every((to) => !to.startsWith('[')));
});

t.test('LAN discovery sends every 10 s, and covers all ports of c-toxcore in ten rounds', async (t) => {
  const { clock, sent, discovery } = start();
  discovery.start();
  clock.advance(90_000);
  const ports = new Set(sent.map((to) => Number(to.slice(to.lastIndexOf(':') + 1))));
  t.equal(ports.size, 101);
  t.equal(Math.min(...ports), 33445);
  t.equal(Math.max(...ports), 33545);
  discovery.stop();
  const before = sent.length;
  clock.advance(90_000);
  t.equal(sent.length, before, 'until stopped');
});

t.test('a discovery packet names a node unless it is from elsewhere, our own or damaged', async (t) => {
  const { found, discovery } = start();
  const call = encodeLanDiscovery(keyOf('0b'));
  discovery.handle(call, at('8.8.8.8'));
  discovery.handle(encodeLanDiscovery(keyOf('0a')), at('192.168.1.8'));
  discovery.handle(call.subarray(0, 32), at('192.168.1.8'));
  t.same(found, []);
  discovery.handle(call, at('192.168.1.8'));
  discovery.handle(call, at('fe80::2%eth0'));
  t.same(found, ['0b@192.168.1.8:33445', '0b@[fe80::2%eth0]:33445']);
});
