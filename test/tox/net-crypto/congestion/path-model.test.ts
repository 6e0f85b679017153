import t from 'tap';
import { AckSample } from '../../../../src/tox/net-crypto/congestion/ack-sample.js';
import { PathModel } from '../../../../src/tox/net-crypto/congestion/path-model.js';
import { Rtt } from '../../../../src/tox/net-crypto/congestion/rtt.js';

/** A path of 50 ms; the last packet in flight at 0 ms is acknowledged at 50 ms, with all 5000 bytes. */
function measured(ackDelay = 0): PathModel {
  const rtt = new Rtt();
  rtt.add(50, 0);
  const model = new PathModel(rtt);
  const of = { ackedBytes: 5000, delivered: 5000, sentAt: 0, priorFirstSentAt: -50 };
  model.onAck(Object.assign(new AckSample(), of), 0, 50 + ackDelay, ackDelay);
  return model;
}

t.test('the path holds the delivery rate for the smallest round trip', async (t) => {
  const model = measured();
  t.same([model.bandwidth.max, model.ackHorizon, model.bdp], [100, 50, 5000]);
});

t.test("what waits behind the peer's own data is under way, and does not lower the rate", async (t) => {
  const model = measured(20);
  t.same([model.bandwidth.max, model.acksUnderWay], [100, 2000]);
});

t.test('a round trip is raised above a quarter more than the smallest one, and 4 ms', async (t) => {
  const model = measured();
  t.notOk(model.isRaised(66.5));
  t.ok(model.isRaised(66.6));
});
