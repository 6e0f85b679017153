import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { Source } from '../../../src/tunnel/server/client-source.js';
import { NameLookup } from '../../../src/tunnel/server/name-lookup.js';
import { UdpDialer } from '../../../src/tunnel/server/udp-dialer.js';
import type { DatagramEnd } from '../../../src/tunnel/stream/datagram-end.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SocketClock } from '../support/socket-clock.js';

/** @returns the port of a target that answers with where it was asked from */
async function whoAmI(t: Test): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (_bytes, { address, port }) => socket.send(address, port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket.address().port;
}

const ask = (dialer: UdpDialer, host: string, port: number, mayConnect = (_: string): boolean => true) =>
  new Promise<string>((resolve) => {
    dialer.dial(
      'peer',
      { host, port, protocol: 'udp' },
      {
        mayConnect,
        onConnected: (connected) => {
          const end = connected as DatagramEnd;
          const finish = (outcome: string): void => {
            end.destroy();
            resolve(outcome);
          };
          end.start({
            onDatagram: (bytes) => finish(`${bytes}`),
            onFailed: (reason) => finish(reason),
            onEnd: () => {},
          });
          end.send(Buffer.from('?'));
        },
        onFailed: (reason, _code, advice) => resolve(advice ?? reason),
      },
    );
  });

t.test('a target is reached by its address and by a name, and a failure has a reason', async (t) => {
  const dialer = new UdpDialer(new SocketClock());
  const port = await whoAmI(t);
  t.equal(await ask(dialer, '127.0.0.1', port), '127.0.0.1');
  t.equal(await ask(dialer, '[127.0.0.1]', port), '127.0.0.1');
  t.equal(await ask(dialer, 'localhost', port), '127.0.0.1', 'although ::1 refuses');
  t.equal(await ask(dialer, '127.0.0.1', 1), 'connection-refused');
  t.equal(await ask(dialer, '..', 53), 'name-not-found');
  t.equal(await ask(dialer, 'localhost', port, () => false), 'not-allowed');
});

t.test('an address that is not allowed gets nothing, whatever else the name has', async (t) => {
  const asked: string[] = [];
  const port = await whoAmI(t);
  const mayConnect = (address: string): boolean => {
    asked.push(address);
    return address === '::1';
  };
  t.equal(await ask(new UdpDialer(new SocketClock()), 'localhost', port, mayConnect), 'connection-refused');
  t.same(asked.sort(), ['127.0.0.1', '::1']);
});

t.test('an address that is not allowed any more does not have its turn', async (t) => {
  const port = await whoAmI(t);
  const asked: string[] = [];
  /** Both addresses at first, and none once the session has begun. */
  const mayConnect = (address: string): boolean => asked.push(address) <= 2;
  t.equal(await ask(new UdpDialer(new SocketClock()), 'localhost', port, mayConnect), 'connection-refused');
});

t.test('a client with an address of its own asks from there', async (t) => {
  const port = await whoAmI(t);
  const from = (source: Source) => ask(new UdpDialer(new SocketClock(), { sourceOf: () => source }), 'localhost', port);
  t.equal(await from({ address: '127.99.3.4' }), '127.99.3.4');
  t.equal(await from({ error: 'there is none' }), 'there is none');
  t.equal(await from({ address: '203.0.113.7' }), 'unreachable', 'not an address of this machine');
});

t.test('a name that nobody resolves is given up, and a cancelled one calls nobody', async (t) => {
  const clock = new ManualClock();
  const names = new NameLookup(clock, { hosts: (_host, done) => done([]), system: () => {} });
  const outcomes: string[] = [];
  const dial = (): (() => void) =>
    new UdpDialer(clock, { names }).dial(
      'peer',
      { host: 'silent', port: 53, protocol: 'udp' },
      {
        mayConnect: () => true,
        onConnected: () => outcomes.push('connected'),
        onFailed: (reason) => outcomes.push(reason),
      },
    );
  dial();
  const cancel = dial();
  cancel();
  clock.advance(12_000);
  t.same(outcomes, ['timeout']);
  t.equal(clock.pending, 0, 'no timer is left');
});
