import t from 'tap';
import type { DatagramSocket } from '../../../src/tox/network/datagram-socket.js';
import type { StreamSocket } from '../../../src/tox/network/stream-socket.js';
import { VpnFilter } from '../../../src/tox/network/vpn-filter.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';

const [INSIDE, OUTSIDE] = [at('10.77.0.1'), at('192.0.2.1')];

function setUp() {
  const clock = new ManualClock();
  const filter = new VpnFilter({ clock }, (endpoint) => endpoint.address === INSIDE.address);
  return { clock, filter, passed: [] as string[] };
}

const streamTo = (remote: typeof INSIDE): StreamSocket => {
  return { remote, waiting: 0, write: () => true, destroy: () => {} };
};
const handlersOf = (events: string[]) => ({
  onData: () => {},
  onDrain: () => {},
  onClose: (reason: string) => void events.push(reason),
});

t.test('datagrams from a VPN of ours and to it are dropped', async (t) => {
  const { filter, passed } = setUp();
  const receive = filter.datagrams((packet) => void passed.push(`from ${packet}`));
  const socket: DatagramSocket = {
    localPort: 7,
    hasIpv6: true,
    fragmentsMade: () => 3,
    mtuTowards: async () => 1400,
    send: (packet) => void passed.push(`to ${packet}`),
    close: () => void passed.push('close'),
  };
  const sender = filter.sends(socket);
  for (const [name, endpoint] of [
    ['inside', INSIDE],
    ['outside', OUTSIDE],
  ] as const) {
    receive(Buffer.from(name), endpoint);
    sender.send(Buffer.from(name), endpoint);
  }
  sender.close();
  t.same(passed, ['from outside', 'to outside', 'close']);
  t.match(sender, { localPort: 7, hasIpv6: true });
  t.same([sender.fragmentsMade(), await sender.mtuTowards(OUTSIDE)], [3, 1400]);
});

t.test('connections from there are refused', async (t) => {
  const { filter, passed } = setUp();
  const accept = filter.accepts(() => handlersOf(passed));
  t.equal(accept(streamTo(INSIDE)), undefined);
  t.not(accept(streamTo(OUTSIDE)), undefined);
});

t.test('a connection to there is closed at once, unless its owner has closed it', async (t) => {
  const { clock, filter, passed } = setUp();
  const dialed: string[] = [];
  const dial = filter.dials((to) => {
    dialed.push(to.address);
    return streamTo(to);
  });
  dial(OUTSIDE, handlersOf(passed));
  dial(INSIDE, handlersOf(passed)).destroy();
  clock.advance(1);
  t.same(passed, []);
  dial(INSIDE, handlersOf(passed));
  t.same(passed, [], 'not before the caller has the connection');
  clock.advance(1);
  t.match(passed, [/VPN/]);
  t.same(dialed, [OUTSIDE.address]);
});
