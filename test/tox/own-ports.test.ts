import t from 'tap';
import { Endpoint } from '../../src/base/endpoint.js';
import { silentLogger } from '../../src/base/logger.js';
import { systemRandom } from '../../src/base/random.js';
import { LISTENING_PORTS } from '../../src/tox/dht/bootstrap/lan-discovery.js';
import type { DatagramHandler } from '../../src/tox/network/datagram-socket.js';
import { openUdpSocket } from '../../src/tox/network/udp-socket.js';
import {
  type KeepPorts,
  OwnPorts,
  type OwnPortsDeps,
  type OwnPortsOptions,
  openLanListener,
} from '../../src/tox/own-ports.js';
import { encodeLanDiscovery } from '../../src/tox/packet/dht.js';
import { ManualClock } from '../support/manual-clock.js';
import { at, keyOf } from '../support/nodes.js';
import { SeededRandom } from '../support/seeded-random.js';

const PROXY = { kind: 'http', host: '192.0.2.1', port: 8080 } as const;

/** Ports of a machine that takes notes, where the TCP ports of `taken` belong to others already. */
class Bench {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  readonly received: string[] = [];
  readonly outside = { udp: undefined as Endpoint | undefined, tcp: undefined as Endpoint | undefined };
  readonly taken = new Set<number>();
  loops = false;
  refuses = false;
  tellOutside = (): void => {};
  #receive: DatagramHandler = () => {};

  readonly #keepPorts: KeepPorts = async (_deps, ports, onChange) => {
    this.tellOutside = onChange;
    this.events.push(...ports.map(({ protocol, port }) => `map ${protocol} ${port}`));
    return {
      external: (protocol) => this.outside[protocol],
      by: () => 'PCP',
      stop: async () => void this.events.push('unmap'),
    };
  };

  readonly #deps: OwnPortsDeps = {
    clock: this.clock,
    random: new SeededRandom(1),
    log: silentLogger,
    keepPorts: this.#keepPorts,
    openSocket: async (onDatagram) => {
      this.#receive = onDatagram;
      this.events.push('open udp');
      return {
        localPort: 7,
        hasIpv6: false,
        fragmentsMade: () => 0,
        mtuTowards: async () => undefined,
        send: (packet, to, onRefused) => {
          if (this.refuses) onRefused?.();
          if (this.loops) this.#receive(packet, to);
        },
        close: () => this.events.push('close udp'),
      };
    },
    listen: async (_accept, port) => {
      if (this.taken.has(port)) throw new Error(`${port} is taken`);
      const real = port === 0 ? 99 : port;
      this.events.push(`open tcp ${real}`);
      return { port: real, close: () => this.events.push(`close tcp ${real}`) };
    },
  };

  open(options: Partial<OwnPortsOptions> = {}): Promise<OwnPorts> {
    return OwnPorts.open(
      this.#deps,
      { ports: { first: 1, last: 9 }, ipv6: false, lanDiscovery: true, ...options },
      { onDatagram: (packet) => this.received.push(packet.toString()), onStream: () => undefined },
    );
  }

  receive(packet: Buffer): void {
    this.#receive(packet, at('192.0.2.1'));
  }
}

t.test('the relay uses the number of the UDP port', async (t) => {
  const bench = new Bench();
  const ports = await bench.open();
  t.same(bench.events, ['open udp', 'open tcp 7']);
  t.equal(ports.relayPort, 7);
});

t.test('when that port is taken the relay uses another one, unless a port was given', async (t) => {
  const bench = new Bench();
  bench.taken.add(7);
  t.equal((await bench.open()).relayPort, 99);
  bench.events.length = 0;
  await t.rejects(bench.open({ relayPort: 7 }), /7 is taken/);
  t.same(bench.events, ['open udp', 'close udp'], 'and then nothing stays open');
});

t.test('without any TCP port there is no relay, unless a port was given', async (t) => {
  const bench = new Bench();
  bench.taken.add(7).add(0);
  t.equal((await bench.open()).relayPort, undefined);
  t.same(bench.events, ['open udp']);
});

t.test('port 0 disables the relay, and with a proxy no port is open', async (t) => {
  const bench = new Bench();
  t.equal((await bench.open({ relayPort: 0 })).relayPort, undefined);
  bench.events.length = 0;
  const ports = await bench.open({ proxy: PROXY, portMapping: true });
  ports.askRouter(() => {});
  t.same(bench.events, []);
  t.equal(ports.socket.localPort, 0);
});

t.test('the router is asked to map the open ports, if the options say so', async (t) => {
  for (const [options, mapped] of [
    [{}, []],
    [{ portMapping: false }, []],
    [{ portMapping: true }, ['map udp 7', 'map tcp 7']],
    [{ portMapping: true, relayPort: 0 }, ['map udp 7']],
    [{ portMapping: true, udp: false, relayPort: 5 }, ['map tcp 5']],
    [{ portMapping: true, udp: false, relayPort: 0 }, []],
  ] as const) {
    const bench = new Bench();
    const ports = await bench.open(options);
    t.notOk(bench.events.some((event) => event.startsWith('map')));
    ports.askRouter(() => {});
    t.same(
      bench.events.filter((event) => event.startsWith('map')),
      mapped,
      JSON.stringify(options),
    );
  }
});

t.test('external addresses and their changes are reported', async (t) => {
  const bench = new Bench();
  const ports = await bench.open({ portMapping: true });
  let changes = 0;
  ports.askRouter(() => {
    changes += 1;
  });
  await new Promise(setImmediate);
  t.equal(ports.externalEndpoint('udp'), undefined);
  t.equal(ports.mapping, undefined);
  bench.outside.udp = at('198.51.100.1', 1024);
  bench.tellOutside();
  t.equal(changes, 1);
  t.equal(ports.externalEndpoint('udp')?.key, '198.51.100.1:1024');
  t.same(ports.mapping, { outside: '198.51.100.1:1024', by: 'PCP' });
});

t.test('a socket that carries a datagram to ourselves works, and the datagram is not passed on', async (t) => {
  const bench = new Bench();
  const ports = await bench.open();
  bench.loops = true;
  t.equal(await ports.probe(), 'returned');
  t.same(bench.received, []);
  bench.receive(Buffer.from('hello'));
  t.same(bench.received, ['hello']);
  bench.loops = false;
  const lost = ports.probe();
  bench.clock.advance(2_000);
  t.equal(await lost, 'lost');
  bench.refuses = true;
  t.equal(await ports.probe(), 'refused');
});

t.test('without UDP nothing is probed', async (t) => {
  t.equal(await (await new Bench().open({ udp: false })).probe(), undefined);
});

t.test('close closes everything except the socket, which is still needed for the last packets', async (t) => {
  const bench = new Bench();
  const ports = await bench.open({ portMapping: true });
  ports.askRouter(() => {});
  const probe = ports.probe();
  bench.events.length = 0;
  await ports.close();
  t.same(bench.events, ['close tcp 7', 'unmap']);
  t.equal(await probe, 'lost');
  t.equal(bench.clock.pending, 0);
});

const systemDeps = { random: systemRandom, log: silentLogger };
const COUNT = LISTENING_PORTS.last - LISTENING_PORTS.first + 1;

t.test('the listener receives discovery packets with their source, and nothing else', async (t) => {
  const sender = await openUdpSocket(systemDeps, { ports: 0, ipv6: false, onDatagram: () => {} });
  const discovery = encodeLanDiscovery(keyOf('0a'));
  const received = new Promise<{ packet: Buffer; source: Endpoint }>((resolve, reject) => {
    openLanListener(systemDeps, true, (packet, source) => resolve({ packet, source })).then((listener) => {
      t.teardown(() => listener?.close());
      for (let port = LISTENING_PORTS.first; port <= LISTENING_PORTS.last; port += 1) {
        const to = Endpoint.of('127.0.0.1', port) as Endpoint;
        sender.send(Buffer.from([0x00, ...discovery.subarray(1)]), to);
        sender.send(discovery, to);
      }
    }, reject);
  });
  const { packet, source } = await received;
  t.same(packet, discovery);
  t.equal(source.key, `127.0.0.1:${sender.localPort}`);
  sender.close();
});

t.test('when all ports are taken there is no listener, and no error', async (t) => {
  const others = [];
  for (let index = 0; index < COUNT; index += 1) {
    others.push(await openLanListener(systemDeps, false, () => {}));
  }
  t.equal(await openLanListener(systemDeps, false, () => {}), undefined);
  for (const other of others) other?.close();
});
