import t from 'tap';
import { Rtt } from '../../../../src/tox/net-crypto/congestion/rtt.js';
import { AckTime } from '../../../../src/tox/net-crypto/stream/ack-time.js';

/** The smallest round trip is 80 ms, 40 of them to the peer, whose clock is `ahead` ms ahead. */
function make(ahead = 1000): { ackTime: AckTime; arrival: (at: number) => { time: number; isSending: boolean } } {
  const rtt = new Rtt();
  rtt.add(80, 0);
  const ackTime = new AckTime(rtt);
  const arrival = (at: number): { time: number; isSending: boolean } => ({
    time: ((at + ahead) * 1000) >>> 0,
    isSending: true,
  });
  ackTime.onRequest({ ...arrival(40), isSending: false }, 80);
  ackTime.onDelivered(0, 80);
  return { ackTime, arrival };
}

t.test("the delay of an ack is what it takes longer after the packet's arrival than the fastest ack", async (t) => {
  const { ackTime, arrival } = make();
  t.notOk(ackTime.isDelayed);
  t.equal(ackTime.onRequest(arrival(140), 480), 300);
  t.ok(ackTime.isDelayed);
  t.equal(ackTime.onRequest(arrival(150), 482), 292);
});

t.test('the clock of the peer may wrap, and be far from ours', async (t) => {
  const wrap = 2 ** 32 / 1000;
  const { ackTime, arrival } = make(wrap - 100);
  t.ok(Math.abs(ackTime.onRequest(arrival(140), 480) - 300) < 0.01);
});

t.test('an ack has no negative delay, and never counts as earlier than one before', async (t) => {
  const { ackTime, arrival } = make();
  t.equal(ackTime.onRequest(arrival(540), 560), 0);
  t.equal(ackTime.onRequest(arrival(100), 570), 10);
});

t.test('an ack has no delay when the peer does not send, or no arrival is known yet', async (t) => {
  const { ackTime, arrival } = make();
  t.equal(ackTime.onRequest({ ...arrival(140), isSending: false }, 480), 0);
  t.equal(ackTime.onRequest(undefined, 490), 0);
  const rtt = new Rtt();
  t.equal(new AckTime(rtt).onRequest(arrival(140), 480), 0);
});
