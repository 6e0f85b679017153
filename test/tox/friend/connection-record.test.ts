import t from 'tap';
import { ConnectionRecord, closeText } from '../../../src/tox/friend/connection-record.js';
import type { CryptoConnection } from '../../../src/tox/net-crypto/crypto-connection.js';
import type { Stage } from '../../../src/tox/net-crypto/handshake/handshake-state.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';

const connection = (lastStage: Stage): CryptoConnection =>
  ({
    lastStage,
    traffic: { rtt: 2, bytesIn: 10, bytesOut: 20, rateIn: 30, rateOut: 40, retransmissions: 5 },
  }) as CryptoConnection;

t.test('the time of the route is that of its last change of kind, not of address', async (t) => {
  const clock = new ManualClock();
  const record = new ConnectionRecord(clock);
  t.same(record.route, { kind: 'none' });
  clock.advance(5_000);
  record.setRoute({ kind: 'direct', endpoint: at('192.0.2.1') });
  const since = record.since;
  t.same(since, { at: 5_000, unixTime: clock.unixTime() });
  clock.advance(5_000);
  record.setRoute({ kind: 'direct', endpoint: at('192.0.2.2') });
  t.same(record.since, since);
  t.match(record.route, { endpoint: { address: '192.0.2.2' } });
  record.setRoute({ kind: 'relayed' });
  t.equal(record.since.at, 10_000);
});

t.test('a connection that has ended leaves its bytes, but no rate and no round trip', async (t) => {
  const record = new ConnectionRecord(new ManualClock());
  record.setRoute({ kind: 'relayed' });
  record.ended(connection('established'));
  t.same(record.route, { kind: 'none' });
  t.same(record.traffic, {
    rtt: undefined,
    bytesIn: 10,
    bytesOut: 20,
    rateIn: 0,
    rateOut: 0,
    retransmissions: 5,
  });
});

t.test('the last error is remembered with its time', async (t) => {
  const clock = new ManualClock();
  const record = new ConnectionRecord(clock);
  t.equal(record.lastError, undefined);
  record.setError('one');
  clock.advance(2_000);
  record.setError('two');
  t.same(record.lastError, { text: 'two', at: 2_000, unixTime: clock.unixTime() });
});

t.test('the reason for the end of a connection is reported as text', async (t) => {
  t.equal(closeText(connection('cookie-requesting'), 'timeout'), 'cookie request timed out');
  t.equal(closeText(connection('handshake-sent'), 'timeout'), 'handshake timed out');
  t.equal(closeText(connection('not-confirmed'), 'timeout'), 'handshake timed out');
  t.equal(closeText(connection('established'), 'killed'), 'closed by the other side');
  t.equal(closeText(connection('established'), 'silent for 32 s'), 'silent for 32 s');
});
