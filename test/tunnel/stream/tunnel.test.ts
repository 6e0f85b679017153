/** One tunnel, on a link that takes everything. */
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import t from 'tap';
import type { LocalEnd } from '../../../src/tunnel/stream/local-end.js';
import { Tunnel, type TunnelLink } from '../../../src/tunnel/stream/tunnel.js';
import { SocketClock } from '../support/socket-clock.js';

const CHUNK = Buffer.alloc(65_535);
const GIB = 2 ** 30;

t.test('a window frame of an upstream peer, which has no windows, limits nothing', async (t) => {
  let left = GIB + CHUNK.length;
  const source = new Readable({
    read() {
      left -= CHUNK.length;
      this.push(left < 0 ? null : CHUNK);
    },
  });
  const local: LocalEnd = {
    ...{ source, lingers: false, localPort: undefined, remoteAddress: undefined, sink: new Writable() },
    probe: (onIntact) => onIntact(),
    reset: () => {},
    destroy: () => {},
  };
  const link: TunnelLink = {
    frameData: () => CHUNK.length,
    send: () => true,
    schedule: (source) => void source.sendUpTo(1000),
    roundTrip: () => 10,
    onBacklog: () => {},
    onIdFree: () => {},
    onClosed: () => {},
  };
  const tunnel = new Tunnel(
    { link, local, clock: new SocketClock() },
    { identity: { id: 1, side: 'acceptor', target: { host: 'h', port: 1 } }, terms: { kind: 'upstream', linger: 250 } },
  );
  tunnel.onWindow(1000);
  tunnel.start();
  await once(source, 'end');
  t.ok(tunnel.bytesSent > GIB, `${tunnel.bytesSent} bytes`);
});
