import t from 'tap';
import { AckSample, ackDelayOf } from '../../../../src/tox/net-crypto/congestion/ack-sample.js';

t.test('a copy sent just before the first one was acknowledged gives no delivery rate', async (t) => {
  const sample = new AckSample();
  // A tail loss probe at 1080 ms, when everything else was acknowledged; the packet that it repeats was acknowledged 0.5 ms later.
  Object.assign(sample, { ackedBytes: 1428, delivered: 11_428, priorDelivered: 10_000 });
  Object.assign(sample, { sentAt: 1080, priorFirstSentAt: 1080, priorDeliveredAt: 1080 });
  t.equal(sample.deliveryRate(1080.5, 80), undefined);
  t.equal(sample.deliveryRate(1180, 80), 14.28);
});

t.test('no packet is acknowledged in less than the smallest round trip, whatever the delay of the ack', async (t) => {
  const sample = Object.assign(new AckSample(), { sentAt: 150 });
  t.equal(ackDelayOf(sample, 100, 300, 80), 70);
  t.equal(ackDelayOf(sample, 50, 300, 80), 50);
  t.equal(ackDelayOf(sample, 20, 220, 80), 0);
  t.equal(ackDelayOf(Object.assign(sample, { isAmbiguous: true }), 100, 300, 80), 100);
});
