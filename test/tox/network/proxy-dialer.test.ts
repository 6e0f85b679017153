import t from 'tap';
import type { ProxyServer } from '../../../src/tox/network/proxies.js';
import { dialThrough } from '../../../src/tox/network/proxy-dialer.js';
import type { StreamSocket } from '../../../src/tox/network/stream-socket.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { SimulatedStreams } from '../../support/simulated-streams.js';

const PROXY = at('192.0.2.1', 1080);
const TARGET = at('203.0.113.7', 443);

/** A proxy of this kind that answers with these bytes, one after the other; what we said and heard. */
function dial(kind: ProxyServer['kind'], answers: readonly Buffer[]) {
  const clock = new ManualClock();
  const streams = new SimulatedStreams(clock, new SeededRandom(1));
  streams.pieces = 3;
  const said: string[] = [];
  streams.listen(PROXY.address, PROXY.port, (socket) => {
    const left = [...answers];
    let heard = '';
    return {
      onData: (bytes) => {
        heard += bytes.toString('latin1');
        clock.after(5, () => {
          if (heard === '') return;
          said.push(heard);
          heard = '';
          const answer = left.shift();
          if (answer !== undefined) socket.write(answer);
        });
      },
      onDrain: () => {},
      onClose: () => said.push('closed'),
    };
  });
  const events: string[] = [];
  const dialler = dialThrough(clock, streams.dialer('198.51.100.1'), { kind, endpoint: PROXY });
  const socket: StreamSocket = dialler(TARGET, {
    onOpen: () => events.push('open'),
    onData: (bytes) => events.push(`data ${bytes}`),
    onDrain: () => events.push('drain'),
    onClose: (reason) => events.push(`closed: ${reason}`),
  });
  return { clock, streams, socket, said, events };
}

const HTTP_OK = Buffer.from('HTTP/1.1 200 ok\r\n\r\n');

t.test('the destination counts as open once the proxy has connected it', async (t) => {
  const { clock, socket, said, events } = dial('http', [Buffer.concat([HTTP_OK, Buffer.from('x')])]);
  t.notOk(socket.write(Buffer.from('early')), 'nothing goes before');
  clock.advance(100);
  t.same(events, ['open', 'data x']);
  t.ok(socket.write(Buffer.from('hello')));
  clock.advance(100);
  t.equal(said.at(-1), 'hello');
  t.equal(socket.remote, TARGET);
  t.notMatch(said.join(), /early/);
});

t.test('SOCKS5 as well', async (t) => {
  const { clock, events } = dial('socks5', [Buffer.from('0500', 'hex'), Buffer.from('05000001000000000000', 'hex')]);
  clock.advance(100);
  t.same(events, ['open']);
});

t.test('a proxy that refuses, does not answer or is not there fails with a reason', async (t) => {
  const refusing = dial('http', [Buffer.from('HTTP/1.1 403 no\r\n\r\n')]);
  refusing.clock.advance(100);
  t.same(refusing.events, ['closed: the proxy cannot reach it: HTTP status 403']);
  const silent = dial('http', []);
  silent.clock.advance(11_000);
  t.same(silent.events, ['closed: the proxy 192.0.2.1:1080 does not answer']);
  t.equal(silent.clock.pending, 0);
  const clock = new ManualClock();
  const streams = new SimulatedStreams(clock, new SeededRandom(2));
  const events: string[] = [];
  dialThrough(clock, streams.dialer('198.51.100.1'), { kind: 'http', endpoint: PROXY })(TARGET, {
    onData: () => {},
    onDrain: () => {},
    onClose: (reason) => events.push(reason),
  });
  clock.advance(11_000);
  t.same(events, ['proxy 192.0.2.1:1080: refused']);
  t.equal(streams.dialled, 1, 'and nothing goes around it');
});

t.test('destroy is the end, before and after', async (t) => {
  const early = dial('http', [HTTP_OK]);
  early.socket.destroy();
  early.clock.advance(11_000);
  t.same(early.events, []);
  const late = dial('http', [HTTP_OK]);
  late.clock.advance(100);
  late.socket.destroy();
  late.clock.advance(11_000);
  t.same(late.events, ['open']);
  t.equal(late.said.at(-1), 'closed');
});
