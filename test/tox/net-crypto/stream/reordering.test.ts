import t from 'tap';
import { AckSample } from '../../../../src/tox/net-crypto/congestion/ack-sample.js';
import { Rtt } from '../../../../src/tox/net-crypto/congestion/rtt.js';
import { Reordering } from '../../../../src/tox/net-crypto/stream/reordering.js';

const sampleOf = (values: Partial<AckSample>): AckSample => Object.assign(new AckSample(), values);

/** Of a path of 100 ms. */
function rttOf(...last: number[]): Rtt {
  const rtt = new Rtt();
  for (const sample of [...new Array(50).fill(100), ...last]) rtt.add(sample, 0);
  return rtt;
}

t.test('each reordering extends the window by a quarter of the smallest round trip, up to a whole one', async (t) => {
  const reordering = new Reordering();
  const windows: number[] = [];
  for (let count = 0; count < 6; count += 1) {
    windows.push(reordering.window(rttOf(), true).reordering);
    reordering.onAck(sampleOf({ reorderedPackets: 1 }), 0);
  }
  t.same(windows, [0, 25, 50, 75, 100, 100]);
});

t.test('sixteen recoveries without reordering end that', async (t) => {
  const reordering = new Reordering();
  reordering.onAck(sampleOf({ reorderedPackets: 1 }), 0);
  for (let now = 100; now <= 1600; now += 100) {
    reordering.onAck(sampleOf({ lostSentAt: now - 50 }), now);
    reordering.onAck(sampleOf({ lostSentAt: now - 40 }), now + 1);
  }
  t.equal(reordering.window(rttOf(), true).reordering, 25);
  reordering.onAck(sampleOf({ lostSentAt: 1650 }), 1700);
  t.equal(reordering.window(rttOf(), true).reordering, 0);
});

t.test('the last copy of a packet is awaited for as long as its ack may take', async (t) => {
  const { longest } = new Reordering().window(rttOf(), true);
  t.ok(longest > 115 && longest < 120, `${longest}`);
  t.ok(new Reordering().window(rttOf(), false).longest < 111, 'the time of another peer is unknown');
  // A queue delays its ack beyond the recent round trip.
  t.ok(new Reordering().window(rttOf(110, 120, 130), true).longest > 150);
});
