import t from 'tap';
import { AckSample } from '../../../src/tox/net-crypto/ack-sample.js';
import { Congestion } from '../../../src/tox/net-crypto/congestion.js';
import { Rtt } from '../../../src/tox/net-crypto/rtt.js';

const PACKET = 1428;

/** A path that confirms each round trip what was sent in the one before, up to what it carries. */
class Path {
  readonly rtt = new Rtt();
  readonly congestion = new Congestion(this.rtt);
  now = 0;
  #delivered = 0;

  /** One round trip of `rtt` ms in which `packets` arrive and `lost` do not. */
  round(options: {
    rtt: number;
    packets: number;
    lost?: number;
    reordered?: number;
    isAppLimited?: boolean;
    inFlight?: number;
  }): void {
    const sample = new AckSample();
    sample.reset();
    sample.priorDelivered = this.#delivered;
    sample.roundDelivered = this.#delivered;
    sample.priorDeliveredAt = this.now;
    sample.priorFirstSentAt = this.now - options.rtt;
    sample.sentAt = this.now;
    sample.isAppLimited = options.isAppLimited ?? false;
    this.now += options.rtt;
    sample.ackedBytes = options.packets * PACKET;
    sample.lostPackets = options.lost ?? 0;
    sample.reorderedPackets = options.reordered ?? 0;
    sample.lostBytes = sample.lostPackets * PACKET;
    this.#delivered += sample.ackedBytes;
    sample.delivered = this.#delivered;
    this.rtt.add(options.rtt, this.now);
    this.congestion.onAck(sample, options.inFlight ?? 0, this.now);
  }

  /** Rounds in which all that the window lets go arrives, up to `capacity` packets. */
  fill(rounds: number, rtt: number, capacity: number, lossOf: (packets: number) => number = () => 0): void {
    for (let at = 0; at < rounds; at += 1) {
      const packets = Math.min(capacity, Math.floor(this.congestion.congestionWindow / PACKET));
      const lost = lossOf(packets);
      this.round({ rtt, packets: packets - lost, lost });
    }
  }
}

t.test('it begins with no more than a polled socket takes: 64 packets, 128 in 50 ms', async (t) => {
  const { congestion } = new Path();
  t.equal(congestion.congestionWindow, 64 * PACKET);
  t.equal(congestion.pacingRate * 50, 128 * PACKET);
});

t.test(
  'the first packets for a peer of our kind go as fast as start-up goes on: 2.885 windows a round trip',
  async (t) => {
    const { congestion, rtt } = new Path();
    congestion.noteOurKind();
    rtt.add(100, 0);
    t.equal(Math.round(congestion.pacingRate), Math.round((2.885 * 64 * PACKET) / 100));
    rtt.add(0.1, 1);
    t.equal(congestion.pacingRate, (64 * PACKET) / 4, 'but no more than a socket holds');
  },
);

t.test('it finds the rate of a path in a dozen round trips', async (t) => {
  const path = new Path();
  path.fill(12, 50, 1000);
  t.ok(path.congestion.deliveryRate > 0.95 * ((1000 * PACKET) / 50));
  t.not(path.congestion.mode, 'startup');
});

t.test('the window is about one and a half times what the path holds', async (t) => {
  const path = new Path();
  path.fill(40, 50, 1000);
  const packets = path.congestion.congestionWindow / PACKET;
  t.ok(packets > 1400 && packets < 1900, `${packets}`);
});

t.test('5 % of random loss leave window and rate as they are', async (t) => {
  const path = new Path();
  path.fill(60, 50, 1000, (packets) => Math.floor(packets * 0.05));
  t.ok(path.congestion.congestionWindow / PACKET > 1300);
});

t.test('what was lost with a way that broke bounds nothing, but what is lost after that does', async (t) => {
  const path = new Path();
  path.fill(20, 20, 1000);
  const { congestionWindow: window } = path.congestion;
  path.congestion.onPathLost(500 * PACKET);
  path.round({ rtt: 20, packets: 100, lost: 500 });
  t.ok(path.congestion.congestionWindow > 0.9 * window);
  path.round({ rtt: 20, packets: 500, lost: 500 });
  t.ok(path.congestion.congestionWindow < 0.8 * window, 'as much as went there is forgiven, no more');
});

t.test('a way that broke is forgotten after some rounds', async (t) => {
  const path = new Path();
  path.fill(20, 20, 1000);
  path.congestion.onPathLost(500 * PACKET);
  path.fill(5, 20, 1000);
  const { congestionWindow: window } = path.congestion;
  path.round({ rtt: 20, packets: 500, lost: 500 });
  t.ok(path.congestion.congestionWindow < 0.8 * window);
});

t.test('an overflowing buffer bounds what is in flight to what got through, until rounds go by without', async (t) => {
  const path = new Path();
  path.fill(20, 50, 1000);
  path.round({ rtt: 50, packets: 1000, lost: 500 });
  const bound = path.congestion.congestionWindow / PACKET;
  t.ok(bound <= 1050, `${bound}`);
  path.fill(30, 50, 1000);
  t.ok(path.congestion.congestionWindow / PACKET > 1400);
});

t.test('packets that were overtaken, and not lost, take back what their loss did', async (t) => {
  const path = new Path();
  path.congestion.noteOurKind();
  path.fill(2, 50, 1000);
  const before = path.congestion.congestionWindow;
  path.round({ rtt: 50, packets: 30, lost: 30 });
  t.not(path.congestion.mode, 'startup');
  t.ok(path.congestion.congestionWindow < before);
  path.round({ rtt: 50, packets: 30, reordered: 10 });
  t.not(path.congestion.mode, 'startup', 'a few of them say nothing');
  path.round({ rtt: 50, packets: 30, reordered: 5 });
  t.equal(path.congestion.mode, 'startup');
  t.ok(path.congestion.congestionWindow >= before);
});

t.test('having little to send says nothing of the path', async (t) => {
  const path = new Path();
  path.fill(20, 50, 1000);
  const { deliveryRate } = path.congestion;
  for (let at = 0; at < 100; at += 1) path.round({ rtt: 50, packets: 1, isAppLimited: true });
  t.equal(path.congestion.deliveryRate, deliveryRate);
});

t.test('a slower path is believed after 20 rounds', async (t) => {
  const path = new Path();
  path.fill(20, 50, 1000);
  path.fill(25, 50, 100);
  t.ok(path.congestion.deliveryRate < 1.1 * ((100 * PACKET) / 50));
});

t.test('a peer that confirms every 100 ms is not starved for its short round trip', async (t) => {
  const path = new Path();
  path.rtt.add(2, 0);
  for (let at = 0; at < 30; at += 1) path.round({ rtt: 100, packets: 100, inFlight: PACKET });
  t.ok(path.congestion.congestionWindow / PACKET >= 100, 'what goes in 100 ms, not in 2');
});

t.test('nor is one that confirms each time all that is in flight', async (t) => {
  const path = new Path();
  path.rtt.add(2, 0);
  path.fill(30, 50, 1000);
  t.ok(path.congestion.congestionWindow / PACKET >= 1000, 'more each time, and not 64 packets for ever');
});

t.test('where hardly anything arrived, four packets go in a round trip all the same', async (t) => {
  const path = new Path();
  path.congestion.noteOurKind();
  path.fill(20, 250, 100);
  for (let at = 0; at < 3; at += 1) path.round({ rtt: 1000, packets: 0.05, lost: 20 });
  t.ok(path.congestion.deliveryRate < 0.1, 'bytes a ms');
  t.ok(path.congestion.pacingRate * path.rtt.recent >= 4 * PACKET);
});
