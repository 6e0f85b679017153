/** One tunnel, on a link that takes everything. */
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import t from 'tap';
import type { LocalEnd } from '../../../src/tunnel/stream/local-end.js';
import { RateLimit } from '../../../src/tunnel/stream/rate-limit.js';
import { WindowPool } from '../../../src/tunnel/stream/receive-window.js';
import { Tunnel, type TunnelLink } from '../../../src/tunnel/stream/tunnel.js';
import { SocketClock } from '../support/socket-clock.js';

const CHUNK = Buffer.alloc(65_535);
const GIB = 2 ** 30;

const LINK: TunnelLink = {
  frameData: () => CHUNK.length,
  send: () => true,
  schedule: (source) => void source.sendUpTo(1000),
  roundTrip: () => 10,
  onBacklog: () => {},
  onIdFree: () => {},
  onClosed: () => {},
};

const localOf = (source: Readable): LocalEnd => ({
  ...{ source, lingers: false, localPort: undefined, remoteAddress: undefined, sink: new Writable() },
  probe: (onIntact) => onIntact(),
  reset: () => {},
  destroy: () => {},
});

t.test('a window frame of an upstream peer, which has no windows, limits nothing', async (t) => {
  let left = GIB + CHUNK.length;
  const source = new Readable({
    read() {
      left -= CHUNK.length;
      this.push(left < 0 ? null : CHUNK);
    },
  });
  const tunnel = new Tunnel(
    { link: LINK, local: localOf(source), clock: new SocketClock() },
    { identity: { id: 1, side: 'acceptor', target: { host: 'h', port: 1 } }, terms: { kind: 'upstream', linger: 250 } },
  );
  tunnel.onWindow(1000);
  tunnel.start();
  await once(source, 'end');
  t.ok(tunnel.bytesSent > GIB, `${tunnel.bytesSent} bytes`);
});

t.test('early data counts as sent, and against the rate of its peer', async (t) => {
  const clock = new SocketClock();
  const [toPeer, fromPeer] = [new RateLimit(clock, 1_000), new RateLimit(clock, 1_000)];
  clock.advance(1_000);
  const other = { onRoom: () => {} };
  t.not(toPeer.room(other), 0);
  const tunnel = new Tunnel(
    { link: LINK, local: localOf(new Readable({ read: () => {} })), clock, limits: { toPeer, fromPeer } },
    {
      identity: { id: 1, side: 'opener', target: { host: 'h', port: 1 } },
      terms: { kind: 'extended', credit: 65_536, pool: new WindowPool() },
      sentEarly: 5_000,
    },
  );
  t.equal(tunnel.bytesSent, 5_000);
  t.equal(toPeer.room(other), 0);
  t.not(fromPeer.room(other), 0);
  toPeer.leave(other);
});
