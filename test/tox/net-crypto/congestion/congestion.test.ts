import t from 'tap';
import { AckSample } from '../../../../src/tox/net-crypto/congestion/ack-sample.js';
import { Congestion } from '../../../../src/tox/net-crypto/congestion/congestion.js';
import { Rtt } from '../../../../src/tox/net-crypto/congestion/rtt.js';

const PACKET = 1428;

/** A path that acknowledges in each round trip the packets of the previous one, up to its capacity. */
class Path {
  readonly rtt = new Rtt();
  readonly peer = { isOurKind: false };
  readonly congestion = new Congestion(this.rtt, this.peer);
  now = 0;
  #delivered = 0;

  /** One round trip of `rtt` ms in which `packets` arrive and `lost` do not. */
  round(options: {
    rtt: number;
    packets: number;
    lost?: number;
    reordered?: number;
    isAppLimited?: boolean;
    isCopy?: boolean;
    inFlight?: number;
  }): void {
    const sample = new AckSample();
    sample.priorDelivered = this.#delivered;
    sample.roundDelivered = this.#delivered;
    sample.priorDeliveredAt = this.now;
    sample.priorFirstSentAt = this.now - options.rtt;
    sample.sentAt = this.now;
    sample.isAppLimited = options.isAppLimited ?? false;
    sample.isAmbiguous = options.isCopy ?? false;
    if (options.lost) sample.lostSentAt = this.now;
    this.now += options.rtt;
    sample.ackedBytes = options.packets * PACKET;
    sample.lostPackets = options.lost ?? 0;
    sample.reorderedPackets = options.reordered ?? 0;
    sample.lostBytes = sample.lostPackets * PACKET;
    this.#delivered += sample.ackedBytes;
    sample.delivered = this.#delivered;
    if (!sample.isAmbiguous) this.rtt.add(options.rtt, this.now);
    this.congestion.onAck(sample, options.inFlight ?? 0, this.now);
  }

  /** Rounds in which all packets that the window allows arrive, up to `capacity`. */
  fill(rounds: number, rtt: number, capacity: number, lossOf: (packets: number) => number = () => 0): void {
    for (let at = 0; at < rounds; at += 1) {
      const packets = Math.min(capacity, Math.floor(this.congestion.congestionWindow / PACKET));
      const lost = lossOf(packets);
      this.round({ rtt, packets: packets - lost, lost });
    }
  }
}

t.test('the first window is no more than a polled socket takes: 64 packets, 128 in 50 ms', async (t) => {
  const { congestion } = new Path();
  t.equal(congestion.congestionWindow, 64 * PACKET);
  t.equal(congestion.pacingRate * 50, 128 * PACKET);
});

t.test(
  'the first packets to a peer of our kind are sent at the pace of Startup: 2.885 windows a round trip',
  async (t) => {
    const { congestion, peer, rtt } = new Path();
    peer.isOurKind = true;
    rtt.add(100, 0);
    t.equal(Math.round(congestion.pacingRate), Math.round((2.885 * 96 * PACKET) / 100));
    rtt.add(0.1, 1);
    t.equal(congestion.pacingRate, (64 * PACKET) / 4, 'but no more than a socket holds');
  },
);

t.test('congestion control finds the rate of a path in a dozen round trips', async (t) => {
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

t.test('random loss of 5 % does not change the window and the rate', async (t) => {
  const path = new Path();
  path.fill(60, 50, 1000, (packets) => Math.floor(packets * 0.05));
  t.ok(path.congestion.congestionWindow / PACKET > 1300);
});

t.test('packets lost with a broken path set no bound, but later losses do', async (t) => {
  const path = new Path();
  path.fill(20, 20, 1000);
  const { congestionWindow: window } = path.congestion;
  path.congestion.onPathLost(500 * PACKET);
  path.round({ rtt: 20, packets: 100, lost: 500 });
  t.ok(path.congestion.congestionWindow > 0.9 * window);
  path.round({ rtt: 20, packets: 500, lost: 500 });
  t.ok(path.congestion.congestionWindow < 0.8 * window, 'as much as went there is forgiven, no more');
});

t.test('a lost path is forgotten after some rounds', async (t) => {
  const path = new Path();
  path.fill(20, 20, 1000);
  path.congestion.onPathLost(500 * PACKET);
  path.fill(5, 20, 1000);
  const { congestionWindow: window } = path.congestion;
  path.round({ rtt: 20, packets: 500, lost: 500 });
  t.ok(path.congestion.congestionWindow < 0.8 * window);
});

t.test('an overflow bounds the bytes in flight to what got through, until rounds pass without one', async (t) => {
  const path = new Path();
  path.fill(20, 50, 1000);
  path.round({ rtt: 50, packets: 1000, lost: 500 });
  const bound = path.congestion.congestionWindow / PACKET;
  t.ok(bound <= 1050, `${bound}`);
  path.fill(30, 50, 1000);
  t.ok(path.congestion.congestionWindow / PACKET > 1400);
});

t.test('probes raise the bound of an overflow although each ends together with a round', async (t) => {
  const path = new Path();
  path.peer.isOurKind = true;
  path.fill(20, 50, 1000);
  path.round({ rtt: 50, packets: 1000, lost: 500 });
  path.fill(30, 50, 1000);
  const packets = path.congestion.congestionWindow / PACKET;
  t.ok(packets > 1200, `${packets}`);
});

t.test('packets that were reordered and not lost undo the effect of their loss', async (t) => {
  const path = new Path();
  path.peer.isOurKind = true;
  path.fill(2, 50, 1000);
  const before = path.congestion.congestionWindow;
  path.round({ rtt: 50, packets: 30, lost: 30 });
  t.not(path.congestion.mode, 'startup');
  t.ok(path.congestion.congestionWindow < before);
  path.round({ rtt: 50, packets: 30, reordered: 10 });
  t.not(path.congestion.mode, 'startup', 'a few of them say nothing');
  path.round({ rtt: 50, packets: 30, reordered: 5 });
  t.equal(path.congestion.mode, 'startup');
  t.ok(path.congestion.congestionWindow >= (2.885 / 4) * before, 'which grows as in BBR from now on');
});

t.test('what Startup sent too much does not make the path look slow when its loss becomes known', async (t) => {
  const path = new Path();
  path.peer.isOurKind = true;
  path.fill(2, 50, 1000);
  path.round({ rtt: 90, packets: 1000, lost: 500 });
  t.not(path.congestion.mode, 'startup');
  const { deliveryRate } = path.congestion;
  const sample = new AckSample();
  for (let at = 0; at < 3; at += 1) {
    Object.assign(sample, { lostPackets: 300, lostBytes: 300 * PACKET, lostSentAt: path.now - 100 });
    path.congestion.onAck(sample, 0, path.now);
    path.round({ rtt: 50, packets: 100 });
  }
  t.equal(path.congestion.deliveryRate, deliveryRate);
});

t.test('copies acknowledged sooner than a round trip end no round, and do not end Startup', async (t) => {
  const path = new Path();
  path.peer.isOurKind = true;
  path.fill(2, 200, 1000);
  for (let at = 0; at < 10; at += 1) path.round({ rtt: 12, packets: 1, isCopy: true });
  t.equal(path.congestion.mode, 'startup');
});

t.test('an app-limited sender learns nothing about the path', async (t) => {
  const path = new Path();
  path.fill(20, 50, 1000);
  const { deliveryRate } = path.congestion;
  for (let at = 0; at < 100; at += 1) path.round({ rtt: 50, packets: 1, isAppLimited: true });
  t.equal(path.congestion.deliveryRate, deliveryRate);
});

t.test('a lower delivery rate is accepted after 20 rounds', async (t) => {
  const path = new Path();
  path.fill(20, 50, 1000);
  path.fill(25, 50, 100);
  t.ok(path.congestion.deliveryRate < 1.1 * ((100 * PACKET) / 50));
});

t.test('a peer that acknowledges every 100 ms is not starved because of its short round trip', async (t) => {
  const path = new Path();
  path.rtt.add(2, 0);
  for (let at = 0; at < 30; at += 1) path.round({ rtt: 100, packets: 100, inFlight: PACKET });
  t.ok(path.congestion.congestionWindow / PACKET >= 100, 'what goes in 100 ms, not in 2');
});

t.test('a peer that acknowledges everything in flight at once is not starved', async (t) => {
  const path = new Path();
  path.rtt.add(2, 0);
  path.fill(30, 50, 1000);
  t.ok(path.congestion.congestionWindow / PACKET >= 1000, 'more each time, and not 64 packets for ever');
});

t.test('four packets a round trip are sent even where hardly anything arrives', async (t) => {
  const path = new Path();
  path.peer.isOurKind = true;
  path.fill(20, 250, 100);
  for (let at = 0; at < 3; at += 1) path.round({ rtt: 1000, packets: 0.05, lost: 20 });
  t.ok(path.congestion.deliveryRate < 0.1, 'bytes a ms');
  t.ok(path.congestion.pacingRate * path.rtt.recent >= 4 * PACKET);
});
