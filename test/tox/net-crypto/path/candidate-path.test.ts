import t from 'tap';
import { Endpoint } from '../../../../src/base/endpoint.js';
import { CandidatePath } from '../../../../src/tox/net-crypto/path/candidate-path.js';
import { UdpRoute } from '../../../../src/tox/net-crypto/path/route.js';

const route = new UdpRoute(Endpoint.of('198.51.100.7', 1) as Endpoint, () => {});

/** A candidate that was probed at 1000 ms. */
function probed(): CandidatePath {
  const newcomer = new CandidatePath();
  newcomer.set(route);
  newcomer.onProbed(1000);
  return newcomer;
}

t.test('nothing is probed while there is no candidate path', async (t) => {
  const newcomer = new CandidatePath();
  newcomer.onProbed(1000);
  t.same([newcomer.route, newcomer.probeAt], [undefined, Number.POSITIVE_INFINITY]);
});

t.test('a candidate path is probed every 125 ms for 2.5 s', async (t) => {
  const newcomer = probed();
  t.equal(newcomer.probeAt, 1125);
  let now = 1000;
  for (; newcomer.probeAt < Number.POSITIVE_INFINITY; newcomer.onProbed(now)) now = newcomer.probeAt;
  t.equal(now, 3500);
});

t.test('probing ends when the candidate answers or the peer is still at its old address', async (t) => {
  const newcomer = probed();
  newcomer.onAnswered();
  t.same([newcomer.route, newcomer.probeAt], [route, Number.POSITIVE_INFINITY]);
  const other = probed();
  other.clear();
  t.same([other.route, other.probeAt], [undefined, Number.POSITIVE_INFINITY]);
});
