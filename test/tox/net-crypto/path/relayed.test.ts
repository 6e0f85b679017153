import t from 'tap';
import { connectedPair, sendAll } from '../crypto-peers.js';
import { PolledRelay } from '../links.js';

/** ms between two reads of tox-bootstrapd's sockets. */
const INTERVAL = 30;

/** Keeps a sender busy through a relay; returns the packets per ms that arrived after 3 s, and the number of lost packets. */
function relayed(options: { readonly packets: number; readonly room: number; readonly delay?: number }): {
  readonly rate: number;
  readonly early: number;
  readonly lost: number;
  readonly sentAgain: number;
} {
  const { world, alice, bob, near, far } = connectedPair(3);
  const relay = new PolledRelay(world.clock, { interval: INTERVAL, ...options });
  world.network.faults.delay = options.delay ?? 0;
  alice.shape = relay.direction();
  bob.shape = relay.direction();
  let packets = 0;
  far.notes.onPacket = () => {
    packets += 1;
    far.notes.lossless.length = 0;
  };
  sendAll(near.connection, near.notes, Number.POSITIVE_INFINITY, 'full');
  world.clock.advance(3000);
  const early = packets / 3000;
  packets = 0;
  world.clock.advance(5000);
  return { rate: packets / 5000, early, lost: relay.dropped, sentAgain: near.connection.traffic.retransmissions };
}

for (const packets of [100, 300]) {
  t.test(`a relay that takes ${packets} packets every 30 ms is filled to 80 %`, async (t) => {
    const { rate, early, sentAgain } = relayed({ packets, room: Number.POSITIVE_INFINITY });
    t.ok(
      rate >= (0.8 * packets) / INTERVAL,
      `${rate * INTERVAL} of ${packets}, ${early * INTERVAL} before, ${sentAgain} sent again`,
    );
  });
}

t.test('a relay that drops what its next socket does not accept is filled to 80 %', async (t) => {
  const { rate, early, lost } = relayed({ packets: 1000, room: 300 });
  t.ok(rate >= (0.8 * 300) / INTERVAL, `${rate * INTERVAL} of 300, ${early * INTERVAL} before`);
  t.ok(lost < 0.2 * 300 * (8000 / INTERVAL), `${lost} lost`);
});
