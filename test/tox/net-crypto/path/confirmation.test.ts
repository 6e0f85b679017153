import t from 'tap';
import { Confirmation, type Deliveries } from '../../../../src/tox/net-crypto/path/confirmation.js';

const QUIET: Deliveries = { hasUnacked: false, arrivals: 0, ackTimeout: 100, probeTimeout: 60 };
const SENDING: Deliveries = { ...QUIET, hasUnacked: true };

/** The confirmation of a route that was proven when it was chosen, at 0 ms. */
function proven(): Confirmation {
  const confirmation = new Confirmation();
  confirmation.begin(0, true, QUIET);
  return confirmation;
}

t.test('a proven route on which nothing is sent but confirmations of single packets is not probed', async (t) => {
  const confirmation = proven();
  confirmation.update(5000, QUIET, false);
  confirmation.update(6000, { ...QUIET, arrivals: 1 }, false);
  t.equal(confirmation.probeAt, Number.POSITIVE_INFINITY);
  t.equal(confirmation.failsAt, Number.POSITIVE_INFINITY);
});

t.test('an overdue acknowledgement leads to three probes before the route is declared failed', async (t) => {
  const confirmation = proven();
  confirmation.update(1000, SENDING, false);
  confirmation.update(1050, SENDING, false);
  for (const at of [1100, 1350, 1600]) {
    t.equal(confirmation.probeAt, at);
    t.equal(confirmation.failsAt, Number.POSITIVE_INFINITY);
    confirmation.onProbed(at);
    t.equal(confirmation.isSuspect, at > 1100);
  }
  t.equal(confirmation.probeAt, Number.POSITIVE_INFINITY);
  t.equal(confirmation.failsAt, 1660);
});

t.test('an acknowledgement ends the suspicion, and packets sent afterwards get their own timeout', async (t) => {
  const confirmation = proven();
  confirmation.update(1000, SENDING, false);
  for (const at of [1100, 1350, 1600]) confirmation.onProbed(at);
  confirmation.onConfirmed(1650);
  t.equal(confirmation.failsAt, Number.POSITIVE_INFINITY);
  t.notOk(confirmation.isSuspect);
  confirmation.update(1700, SENDING, false);
  t.equal(confirmation.probeAt, 1800);
});

t.test('a receiver that sends nothing that is acknowledged probes once a second', async (t) => {
  const confirmation = proven();
  confirmation.update(3000, { ...QUIET, arrivals: 2 }, false);
  t.equal(confirmation.probeAt, 3000);
  confirmation.onProbed(3000);
  confirmation.onConfirmed(3020, 50);
  confirmation.update(3030, { ...QUIET, arrivals: 60 }, false);
  t.equal(confirmation.probeAt, 4020);
});

t.test('a route that is unproven or falls silent is probed at once', async (t) => {
  const confirmation = new Confirmation();
  confirmation.begin(1000, false, QUIET);
  t.equal(confirmation.probeAt, 1000);
  const silent = proven();
  silent.update(1000, QUIET, true);
  t.equal(silent.probeAt, 1000);
});
