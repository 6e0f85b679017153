import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { HandlerGuard } from '../../../src/tox/network/handler-guard.js';
import type { StreamHandlers, StreamSocket } from '../../../src/tox/network/stream-socket.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';

function make() {
  const clock = new ManualClock();
  const said: string[] = [];
  const guard = new HandlerGuard({ clock, log: { ...silentLogger, error: (text) => void said.push(text) } });
  return { clock, said, guard };
}

const fail = (): never => {
  throw new TypeError('x is undefined');
};

/** A connection that records its events, and handlers that throw. */
function stream() {
  const events: string[] = [];
  const socket: StreamSocket = {
    remote: at('192.0.2.1'),
    waiting: 0,
    write: () => true,
    destroy: () => void events.push('destroyed'),
  };
  const handlers: StreamHandlers = {
    onOpen: () => void events.push('open'),
    onData: fail,
    onDrain: () => void events.push('drain'),
    onClose: (reason) => void events.push(`closed: ${reason}`),
  };
  return { events, socket, handlers };
}

t.test('a datagram whose handler throws is dropped, counted and logged with its source', async (t) => {
  const { guard, said } = make();
  const handled: number[] = [];
  const receive = guard.datagrams((packet) => (packet[0] === 0x1b ? fail() : void handled.push(packet[0] ?? 0)));
  receive(Buffer.from([0x1b, 1]), at('192.0.2.1'));
  receive(Buffer.from([0x20]), at('192.0.2.1'));
  t.same(handled, [0x20]);
  t.match(said, [
    /^a datagram of kind 0x1b from 192\.0\.2\.1:\d+ .* 1 since .*: TypeError: x is undefined \(at .*handler-guard.*\): .* report it/,
  ]);
});

t.test('a flood of errors writes five lines, and then one a minute', async (t) => {
  const { guard, said, clock } = make();
  const receive = guard.datagrams(fail);
  const flood = (): void => {
    for (let count = 0; count < 1_000; count += 1) receive(Buffer.alloc(1), at('192.0.2.1'));
  };
  flood();
  t.equal(said.length, 5);
  clock.advance(60_000);
  flood();
  t.equal(said.length, 6);
  t.match(said[5], /error 1001 since the start/);
});

t.test('a connection whose handler throws ends, and its handlers are notified', async (t) => {
  const { guard, said } = make();
  const { events, socket, handlers } = stream();
  let called: StreamHandlers | undefined;
  guard.dials((_to, wrapped) => {
    called = wrapped;
    return socket;
  })(socket.remote, handlers);
  called?.onOpen?.();
  called?.onDrain();
  called?.onData(Buffer.alloc(1));
  called?.onClose('late');
  t.same(events, ['open', 'drain', 'destroyed', 'closed: an error in this program']);
  t.equal(said.length, 1);
});

t.test('a connection whose acceptance throws is refused, and an accepted one is guarded', async (t) => {
  const { guard, said } = make();
  const { events, socket, handlers } = stream();
  t.equal(guard.accepts(fail)(socket), undefined);
  t.equal(guard.accepts(() => undefined)(socket), undefined);
  const accepted = guard.accepts(() => handlers)(socket);
  accepted?.onData(Buffer.alloc(1));
  t.same(events, ['destroyed', 'closed: an error in this program']);
  t.equal(said.length, 2);
});
