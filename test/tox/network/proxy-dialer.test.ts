import t from 'tap';
import type { Endpoint } from '../../../src/base/endpoint.js';
import type { ProxyServer } from '../../../src/tox/network/proxies.js';
import { ProxyDialer } from '../../../src/tox/network/proxy-dialer.js';
import type { StreamSocket } from '../../../src/tox/network/stream-socket.js';
import { ManualClock } from '../../support/manual-clock.js';
import { at } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { SimulatedStreams } from '../../support/simulated-streams.js';

const PROXY = at('192.0.2.1', 1080);
const TARGET = at('203.0.113.7', 443);
const HANG_UP = 'hang up';
const HTTP_OK = Buffer.from('HTTP/1.1 200 ok\r\n\r\n');
const HTTP_FORBIDDEN = Buffer.from('HTTP/1.1 403 no\r\n\r\n');
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** A proxy that answers each connection with the next of these lists of answers, and a dialer that uses it. */
class Scene {
  readonly clock = new ManualClock();
  readonly streams = new SimulatedStreams(this.clock, new SeededRandom(1));
  /** What the proxy received. */
  readonly said: string[] = [];
  /** The reports of the dialer: codes, or 'works'. */
  readonly told: string[] = [];
  readonly dialer: ProxyDialer;

  constructor(proxy: Partial<ProxyServer>, resolve: () => Promise<readonly Endpoint[]> = () => Promise.reject()) {
    this.dialer = new ProxyDialer(
      {
        clock: this.clock,
        random: new SeededRandom(2),
        dial: this.streams.dialer('198.51.100.1'),
        resolve,
        onChange: (fault) => this.told.push(fault?.code ?? 'works'),
      },
      { kind: 'http', host: PROXY.address, port: PROXY.port, ...proxy },
    );
  }

  listen(...connections: (Buffer | typeof HANG_UP)[][]): this {
    this.streams.pieces = 3;
    this.streams.listen(PROXY.address, PROXY.port, (socket) => {
      const left = [...(connections.shift() ?? [])];
      let heard = '';
      return {
        onData: (bytes) => {
          heard += bytes.toString('latin1');
          this.clock.after(5, () => {
            if (heard === '') return;
            this.said.push(heard);
            heard = '';
            const answer = left.shift();
            if (answer === HANG_UP) socket.destroy();
            else if (answer !== undefined) socket.write(answer);
          });
        },
        onDrain: () => {},
        onClose: () => this.said.push('closed'),
      };
    });
    return this;
  }

  dial(): { readonly socket: StreamSocket; readonly events: string[] } {
    const events: string[] = [];
    const socket = this.dialer.dial(TARGET, {
      onOpen: () => events.push('open'),
      onData: (bytes) => events.push(`data ${bytes}`),
      onDrain: () => events.push('drain'),
      onClose: (reason) => events.push(`closed: ${reason}`),
    });
    return { socket, events };
  }
}

t.test('the destination counts as open once the proxy has connected it', async (t) => {
  const scene = new Scene({}).listen([Buffer.concat([HTTP_OK, Buffer.from('x')])]);
  const { socket, events } = scene.dial();
  t.notOk(socket.write(Buffer.from('early')), 'nothing goes before');
  scene.clock.advance(100);
  t.same(events, ['open', 'data x']);
  t.ok(socket.write(Buffer.from('hello')));
  scene.clock.advance(100);
  t.equal(scene.said.at(-1), 'hello');
  t.equal(socket.remote, TARGET);
  t.notMatch(scene.said.join(), /early/);
  t.same(scene.told, []);
});

t.test('a SOCKS5 proxy is used like an HTTP proxy', async (t) => {
  const scene = new Scene({ kind: 'socks5' }).listen([hex('0500'), hex('05000001000000000000')]);
  const { events } = scene.dial();
  scene.clock.advance(100);
  t.same(events, ['open']);
});

t.test('a destination that the proxy cannot reach is no error of the proxy', async (t) => {
  const scene = new Scene({ kind: 'socks5' }).listen(
    [hex('0500'), hex('0505000100000000')],
    [hex('0500'), HANG_UP],
    [hex('0500')],
  );
  for (const reason of [/connection refused/, /closed the connection/, /does not answer/]) {
    const { events } = scene.dial();
    scene.clock.advance(15_000);
    t.match(events, [reason]);
  }
  t.same(scene.told, []);
  t.equal(scene.clock.pending, 0);
});

t.test('an unreachable proxy is reported once, and never bypassed', async (t) => {
  const scene = new Scene({});
  const { events } = scene.dial();
  scene.dial();
  scene.clock.advance(11_000);
  t.same(events, ['closed: the proxy cannot be reached: refused']);
  t.same(scene.told, ['unreachable']);
  t.match(scene.dialer.error, { code: 'unreachable', proxy: 'http://192.0.2.1:1080' });
  t.equal(scene.streams.dialled, 2);
  scene.listen([HTTP_OK]);
  scene.dial();
  scene.clock.advance(100);
  t.same(scene.told, ['unreachable', 'works']);
  t.equal(scene.dialer.error, undefined);
});

t.test('a proxy that returns and refuses is another error, reported once', async (t) => {
  const scene = new Scene({});
  scene.dial();
  scene.clock.advance(1_000);
  scene.listen([HTTP_FORBIDDEN], [HANG_UP], [HTTP_FORBIDDEN]);
  for (const _ of [1, 2, 3]) {
    scene.dial();
    scene.clock.advance(5_000);
  }
  t.same(scene.told, ['unreachable', 'refuses']);
});

t.test('an unusable proxy is tried rarely, however many destinations wait', async (t) => {
  const scene = new Scene({});
  for (let second = 0; second < 120; second += 1) {
    for (let relay = 0; relay < 10; relay += 1) scene.dial();
    scene.clock.advance(1_000);
  }
  t.ok(scene.streams.dialled <= 10 + 15, `${scene.streams.dialled} attempts of 1200`);
  t.same(scene.told, ['unreachable']);
  scene.listen([HTTP_OK]);
  scene.clock.advance(15_000);
  const { events } = scene.dial();
  scene.clock.advance(100);
  t.same(events, ['open'], 'and again within 15 s');
  t.same(scene.told, ['unreachable', 'works']);
});

t.test('an attempt that is not made fails like any other, but later', async (t) => {
  const scene = new Scene({});
  scene.dial();
  scene.clock.advance(100);
  const { events } = scene.dial();
  t.same(events, []);
  scene.clock.advance(0);
  t.same(events, ['closed: the proxy cannot be reached: refused']);
  const { socket, events: none } = scene.dial();
  socket.destroy();
  scene.clock.advance(100);
  t.same(none, []);
  t.equal(scene.streams.dialled, 1);
});

t.test('a proxy that never answers is unusable', async (t) => {
  const scene = new Scene({});
  scene.streams.blackHoles.add(PROXY.address);
  scene.dial();
  scene.clock.advance(11_000);
  t.same(scene.told, ['unreachable']);
});

t.test('wrong credentials and other services are reported at once', async (t) => {
  const credentials = { user: 'me', password: 'canary' };
  const cases: [Partial<ProxyServer>, Buffer[], string][] = [
    [{ kind: 'socks5' }, [hex('05ff')], 'credentials'],
    [{ kind: 'socks5', credentials }, [hex('0502'), hex('0101')], 'credentials'],
    [{ credentials }, [Buffer.from('HTTP/1.1 407 no\r\n\r\n')], 'credentials'],
    [{}, [Buffer.from('SSH-2.0-x\r\n\r\n')], 'not-a-proxy'],
    [{ kind: 'socks5' }, [Buffer.from('SSH-2.0-x\r\n')], 'not-a-proxy'],
  ];
  for (const [proxy, answers, code] of cases) {
    const scene = new Scene(proxy).listen(answers);
    scene.dial();
    scene.clock.advance(100);
    t.same(scene.told, [code]);
    t.notMatch(JSON.stringify(scene.dialer.error), 'canary');
  }
});

t.test('an error that may concern one destination counts only if nothing else works', async (t) => {
  const refusing = new Scene({}).listen([HTTP_FORBIDDEN], [HTTP_FORBIDDEN], [HANG_UP]);
  for (const _ of [1, 2, 3]) refusing.dial();
  refusing.clock.advance(1_000);
  t.same(refusing.told, []);
  refusing.clock.advance(3_000);
  t.same(refusing.told, ['refuses']);

  const choosy = new Scene({}).listen([HTTP_FORBIDDEN], [HTTP_OK]);
  for (const _ of [1, 2]) choosy.dial();
  choosy.clock.advance(5_000);
  t.same(choosy.told, []);

  const silent = new Scene({}).listen([], [HANG_UP]);
  const { events } = silent.dial();
  silent.clock.advance(14_000);
  t.same(events, ['closed: the proxy does not answer']);
  t.same(silent.told, ['silent']);
});

t.test(
  'an address of the proxy that does not answer costs 250 ms, and one that answers late is still heard',
  async (t) => {
    const [lost, late] = [at('192.0.2.9', PROXY.port), at('2001:db8::9', PROXY.port)];
    const scene = new Scene({ host: 'proxy.example' }, async () => [lost, PROXY]).listen([HTTP_OK]);
    scene.streams.blackHoles.add(lost.address);
    const { events } = scene.dial();
    await new Promise((resolve) => setImmediate(resolve));
    scene.clock.advance(249);
    t.equal(scene.streams.dialled, 1);
    scene.clock.advance(101);
    t.same(events, ['open']);
    t.equal(scene.streams.connectionsOf('198.51.100.1'), 1, 'the other attempt is ended');

    const slow = new Scene({ host: 'proxy.example' }, async () => [PROXY, late]).listen([HTTP_OK]);
    slow.streams.delay = 300;
    slow.streams.blackHoles.add(late.address);
    const dialled = slow.dial();
    await new Promise((resolve) => setImmediate(resolve));
    slow.clock.advance(2_000);
    t.same(dialled.events, ['open']);
  },
);

t.test(
  'the name of a proxy is looked up each time, and an address that refuses has the next one tried at once',
  async (t) => {
    let lookups = 0;
    const scene = new Scene({ host: 'proxy.example' }, async () => {
      lookups += 1;
      return [at('192.0.2.9', PROXY.port), PROXY];
    }).listen([HTTP_OK], [HTTP_OK]);
    for (const _ of [1, 2]) {
      const { events } = scene.dial();
      await new Promise((resolve) => setImmediate(resolve));
      scene.clock.advance(100);
      t.same(events, ['open']);
    }
    t.equal(lookups, 2);
    t.same(scene.told, []);
  },
);

t.test('a name without an address is an error of the proxy', async (t) => {
  const scene = new Scene({ host: 'proxy.example' }, () => Promise.reject(new Error('cannot find proxy.example')));
  const { events } = scene.dial();
  await new Promise((resolve) => setImmediate(resolve));
  t.match(events, [/cannot find proxy\.example/]);
  t.same(scene.told, ['unreachable']);
});

t.test('destroy ends a connection in any state, and stop leaves no timer', async (t) => {
  const scene = new Scene({}).listen([HTTP_OK], [HTTP_OK], [HTTP_FORBIDDEN]);
  const early = scene.dial();
  early.socket.destroy();
  scene.clock.advance(11_000);
  t.same(early.events, []);
  const late = scene.dial();
  scene.clock.advance(100);
  late.socket.destroy();
  scene.clock.advance(11_000);
  t.same(late.events, ['open']);
  t.equal(scene.said.at(-1), 'closed');
  scene.dial();
  scene.clock.advance(100);
  scene.dialer.stop();
  t.equal(scene.clock.pending, 0);
});
