import t from 'tap';
import type { Endpoint } from '../../src/base/endpoint.js';
import { silentLogger } from '../../src/base/logger.js';
import type { DatagramHandler, DatagramSocket } from '../../src/tox/network/datagram-socket.js';
import type { LocalInterface } from '../../src/tox/network/interfaces.js';
import type { ProxyServer } from '../../src/tox/network/proxies.js';
import { newSavedata } from '../../src/tox/savedata.js';
import { Tox, type ToxOptions } from '../../src/tox/tox.js';
import { ManualClock } from '../support/manual-clock.js';
import { at } from '../support/nodes.js';
import { SeededRandom } from '../support/seeded-random.js';
import { acceptAll, type Peer, World } from '../support/world.js';

/** A stack whose socket opens when the test says so. */
function make(options: Partial<ToxOptions> = {}, { interfaces = (): LocalInterface[] => [] } = {}) {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const events: string[] = [];
  const outside = { udp: undefined as Endpoint | undefined, tcp: undefined as Endpoint | undefined };
  let onChange = (): void => {};
  let open = (): void => {};
  let refuse = (_error: Error): void => {};
  let receive: DatagramHandler = () => {};
  const tox = new Tox(
    {
      clock,
      random,
      log: silentLogger,
      interfaces,
      listen: async (_accept, port) => ({ port: port + 1, close: () => void events.push('close relay') }),
      keepPorts: async (_deps, ports, change) => {
        onChange = change;
        events.push(...ports.map(({ protocol, port }) => `map ${protocol} ${port}`));
        return {
          external: (protocol) => outside[protocol],
          by: () => 'PCP',
          stop: async () => void events.push('unmap'),
        };
      },
      openSocket: (onDatagram) => {
        receive = onDatagram;
        return new Promise<DatagramSocket>((resolve, reject) => {
          const socket = {
            localPort: 1,
            hasIpv6: false,
            fragmentsMade: () => 0,
            mtuTowards: async () => undefined,
            send: () => events.push('send'),
            close: () => events.push('close'),
          };
          open = () => resolve(socket);
          refuse = reject;
        });
      },
    },
    { savedata: newSavedata(random), ports: { first: 1, last: 1 }, ipv6: false, lanDiscovery: true, ...options },
  );
  return {
    clock,
    events,
    outside,
    tellOutside: () => onChange(),
    tox,
    open: () => open(),
    refuse: () => refuse(new Error('no port')),
    receive: (packet: Buffer) => receive(packet, at('127.0.0.1')),
  };
}

const packetOf = (text: string): Buffer => Buffer.from(`\xa0${text}`, 'latin1');

/** Runs what `soon` has put off, as `stop` waits for it. */
async function stopped(stop: Promise<void>, clock: ManualClock): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(setImmediate);
    clock.advance(1);
  }
  await stop;
}

t.test('a stack that is stopped while its socket is being opened closes it', async (t) => {
  const { tox, open, events, clock } = make();
  const started = tox.start();
  const stop = tox.stop();
  open();
  await started;
  await stopped(stop, clock);
  t.equal(events.at(-1), 'close');
  t.equal(clock.pending, 0);
});

t.test('a stack starts once, but can be started again after a failure and after a stop', async (t) => {
  const { tox, open, refuse, clock } = make();
  const first = tox.start();
  await t.rejects(tox.start(), /already/);
  refuse();
  await t.rejects(first, /no port/);
  const second = tox.start();
  open();
  await second;
  await t.rejects(tox.start(), /already/);
  await stopped(tox.stop(), clock);
  const third = tox.start();
  open();
  await third;
  await stopped(tox.stop(), clock);
  t.equal(clock.pending, 0);
});

t.test('a start that fails closes what it opened, and can be repeated', async (t) => {
  let isOut = true;
  const interfaces = (): LocalInterface[] => {
    if (isOut) throw new Error('no descriptor');
    return [];
  };
  const { tox, open, events, clock } = make({}, { interfaces });
  const first = tox.start();
  open();
  const refused = t.rejects(first, /no descriptor/);
  await stopped(Promise.resolve(), clock);
  await refused;
  t.same(
    events.filter((event) => event !== 'send'),
    ['close relay', 'close'],
  );
  t.equal(clock.pending, 0);
  isOut = false;
  const second = tox.start();
  open();
  await second;
  await stopped(tox.stop(), clock);
  t.equal(clock.pending, 0);
});

t.test('a datagram that arrives during stop starts nothing', async (t) => {
  const { tox, open, receive, clock } = make();
  const started = tox.start();
  open();
  await started;
  const stop = tox.stop();
  // A call of LAN discovery, whose sender would be asked again and again.
  receive(Buffer.concat([Buffer.from([0x21]), Buffer.alloc(32, 7)]));
  await stopped(stop, clock);
  t.equal(clock.pending, 0);
});

t.test('the router is asked to map open ports, and the mappings are deleted on stop', async (t) => {
  const { tox, open, events, clock } = make({ portMapping: true });
  const started = tox.start();
  t.same(events, []);
  open();
  await started;
  t.same(
    events.filter((event) => event !== 'send'),
    ['map udp 1', 'map tcp 2'],
  );
  await stopped(tox.stop(), clock);
  t.ok(events.includes('unmap'));
  t.equal(clock.pending, 0);
});

t.test('stopped stacks leave no timer behind', async (t) => {
  const world = new World(20);
  const peers = await world.peers(4);
  const [node, server] = peers as [Peer, Peer];
  acceptAll(server);
  const client = (await world.peer()).join(node);
  const friend = client.tox.addFriend(server.tox.id, Buffer.from('hi'));
  await world.until(() => friend.isOnline, 60_000);
  const late = (await world.peer()).join(node);
  late.tox.addFriend(server.tox.id, Buffer.from('hi'));
  const stops = [...peers, client, late].map(({ tox }) => tox.stop());
  world.clock.advance(1);
  await Promise.all(stops);
  world.clock.advance(10);
  t.equal(world.clock.pending, 0);
});

t.test('packets sent once a friend is writable arrive before we know that it is online, in order', async (t) => {
  const world = new World(21);
  const peers = await world.peers(4);
  const [node, server] = peers as [Peer, Peer];
  const received: { readonly text: string; readonly at: number }[] = [];
  server.tox.onFriendRequest((request) => {
    const friend = request.accept();
    friend.onLossless((packet) => received.push({ text: packet.toString('latin1', 1), at: world.clock.now() }));
  });
  const client = (await world.peer()).join(node);
  const friend = client.tox.addFriend(server.tox.id, Buffer.from('hi'));
  t.notOk(friend.sendLossless(packetOf('too early')));
  let onlineAt = Number.NaN;
  friend.onPresence((presence) => {
    t.equal(friend.isOnline, presence === 'online');
    if (presence === 'online') onlineAt = world.clock.now();
    t.equal(friend.sendLossless(packetOf(presence)), presence !== 'offline');
  });
  await world.until(() => received.length === 2, 60_000);
  t.same(
    received.map(({ text }) => text),
    ['writable', 'online'],
  );
  t.ok((received[0]?.at ?? Number.NaN) < onlineAt);
  const stops = [...peers, client].map(({ tox }) => tox.stop());
  world.clock.advance(1);
  await Promise.all(stops);
});

t.test('a stack is alive while a datagram to ourselves arrives, or while others answer', async (t) => {
  const { tox, open, receive, events, clock } = make();
  t.equal(await tox.proveAlive(), false, 'not yet');
  const started = tox.start();
  open();
  await started;
  const deaf = tox.proveAlive();
  clock.advance(2_000);
  t.equal(await deaf, false);
  t.ok(events.includes('send'));
  receive(Buffer.from([0xff]));
  await stopped(tox.stop(), clock);
  const world = new World(23);
  // In the simulation nobody is at 127.0.0.1.
  const [node] = (await world.peers(2)) as [Peer, Peer];
  await world.until(() => node.tox.networkFacts.udp === 'works', 60_000);
  const answered = node.tox.proveAlive();
  world.clock.advance(2_000);
  t.equal(await answered, true);
});

t.test('with a proxy there is no UDP, and the facts name the proxy as the reason', async (t) => {
  const world = new World(22);
  const { clock, random } = world;
  const proxy: ProxyServer = { kind: 'socks5', host: '192.0.2.9', port: 1080 };
  const dial = world.streams.dialer('192.0.2.1');
  const tox = new Tox(
    { clock, random, log: silentLogger, dial },
    { savedata: newSavedata(random), ports: { first: 1, last: 1 }, ipv6: false, lanDiscovery: true, proxy },
  );
  await tox.start();
  t.match(tox.networkFacts, { isOnline: false, udp: 'proxy', relays: [], relayPort: undefined });
  await stopped(tox.stop(), clock);
  t.throws(() => tox.networkFacts, /not started/);
});
