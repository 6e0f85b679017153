import t from 'tap';
import { AckSample } from '../../../../src/tox/net-crypto/congestion/ack-sample.js';

t.test('a copy sent just before the first one was acknowledged gives no delivery rate', async (t) => {
  const sample = new AckSample();
  // A tail loss probe at 1080 ms, when everything else was acknowledged; the packet that it repeats was acknowledged 0.5 ms later.
  Object.assign(sample, { ackedBytes: 1428, delivered: 11_428, priorDelivered: 10_000 });
  Object.assign(sample, { sentAt: 1080, priorFirstSentAt: 1080, priorDeliveredAt: 1080 });
  t.equal(sample.deliveryRate(1080.5, 80), undefined);
  t.equal(sample.deliveryRate(1180, 80), 14.28);
});
