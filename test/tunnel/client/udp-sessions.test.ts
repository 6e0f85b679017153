import t from 'tap';
import { UdpSessions } from '../../../src/tunnel/client/udp-sessions.js';
import { ManualClock } from '../../support/manual-clock.js';
import { FakeLink } from '../support/fake-link.js';

t.test(
  'at most 128 sessions wait for their answers, and the next one begins when one of them has its own',
  async (t) => {
    const link = new FakeLink();
    const sessions = new UdpSessions({
      ...{ clock: new ManualClock(), opener: link, hasRoom: () => true, onFull: () => {}, onRefused: () => {} },
    });
    const send = (port: number): void =>
      sessions.take(`${port}`, { host: 'h', port, protocol: 'udp' }, Buffer.from('x'), () => {});
    for (let port = 1; port <= 1_000; port += 1) send(port);
    t.equal(link.asked.length, 128);
    t.equal(sessions.pending, 128);
    link.asked[0]?.onRefused('not-allowed');
    send(1_001);
    t.equal(link.asked.length, 129);
    sessions.end(() => true);
    t.equal(sessions.pending, 0);
    t.equal(link.cancelled, 128);
  },
);
