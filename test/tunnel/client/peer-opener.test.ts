import t from 'tap';
import { PeerOpener } from '../../../src/tunnel/client/peer-opener.js';
import type { OpenHandlers } from '../../../src/tunnel/link/outgoing-requests.js';
import { ManualClock } from '../../support/manual-clock.js';
import { FakeLink } from '../support/fake-link.js';

const target = { host: 'h', port: 1 };

function refusals() {
  const reasons: string[] = [];
  const handlers: OpenHandlers = {
    onAccepted: () => {
      throw new Error('accepted');
    },
    onRefused: (reason) => reasons.push(reason),
  };
  return { reasons, handlers };
}

t.test('requests wait while the peer is offline', async (t) => {
  const opener = new PeerOpener(new ManualClock());
  const { handlers } = refusals();
  opener.open(target, handlers);
  const cancel = opener.open(target, handlers);
  cancel();
  const link = new FakeLink();
  opener.onLink(link);
  t.same(link.asked.length, 1, 'without the cancelled one');
});

t.test('a request whose link is lost before the answer waits for the next link', async (t) => {
  const opener = new PeerOpener(new ManualClock());
  const { reasons, handlers } = refusals();
  const first = new FakeLink();
  opener.onLink(first);
  opener.open(target, handlers);
  opener.onLinkClosed(first);
  first.asked[0]?.onRefused('connection-lost');
  const second = new FakeLink();
  opener.onLink(second);
  t.equal(second.asked.length, 1);
  second.asked[0]?.onRefused('timeout');
  t.same(reasons, ['timeout']);
});

t.test('waiting requests are bounded in time and number', async (t) => {
  const clock = new ManualClock();
  const opener = new PeerOpener(clock);
  const { reasons, handlers } = refusals();
  for (let count = 0; count < 600; count += 1) opener.open(target, handlers);
  t.same(reasons, Array(88).fill('too-many-tunnels'));
  clock.advance(60_000);
  t.equal(reasons.length, 600);
  t.equal(reasons[599], 'peer-offline');
  t.equal(clock.pending, 0);
});

t.test('waiting requests are refused when the service stops', async (t) => {
  const clock = new ManualClock();
  const opener = new PeerOpener(clock);
  const { reasons, handlers } = refusals();
  opener.open(target, handlers);
  opener.close('shutting-down');
  t.same([reasons, clock.pending], [['shutting-down'], 0]);
});

t.test('what is known of the peer is what its present link knows', async (t) => {
  const opener = new PeerOpener(new ManualClock());
  t.equal(opener.terms, 'unknown');
  const link = new FakeLink();
  link.terms = 'upstream';
  opener.onLink(link);
  t.equal(opener.terms, 'upstream');
  opener.onLinkClosed(link);
  t.equal(opener.terms, 'unknown');
});
