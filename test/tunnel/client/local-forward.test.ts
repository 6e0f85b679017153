import { connect } from 'node:net';
import t from 'tap';
import { FloodLog } from '../../../src/base/flood-log.js';
import { silentLogger } from '../../../src/base/logger.js';
import { LocalForward } from '../../../src/tunnel/client/local-forward.js';
import { type Opener, PeerOpener } from '../../../src/tunnel/client/peer-opener.js';
import type { OpenHandlers } from '../../../src/tunnel/link/outgoing-requests.js';
import { ManualClock } from '../../support/manual-clock.js';
import { howItEnds, until, World } from '../support/world.js';

const target = { host: 'h', port: 1 };

/** A link that keeps what it is asked. */
class FakeLink implements Opener {
  readonly asked: OpenHandlers[] = [];
  cancelled = 0;

  open(_: typeof target, handlers: OpenHandlers) {
    this.asked.push(handlers);
    return {
      cancel: () => {
        this.cancelled += 1;
      },
    };
  }
}

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

t.test('a connection that ends before its tunnel is there is forgotten', async (t) => {
  const world = new World(t);
  const link = new FakeLink();
  const forward = new LocalForward(
    {
      clock: world.clock,
      opener: link,
      log: silentLogger,
      said: new FloodLog({ clock: world.clock, log: silentLogger }),
      hasRoom: () => true,
    },
    { spec: { bind: '127.0.0.1', port: 0, target } },
  );
  await forward.listen();
  t.teardown(() => forward.close());
  const gone = await world.connect(forward.port);
  await until(() => link.asked.length === 1);
  gone.resetAndDestroy();
  await until(() => {
    world.clock.advance(5_000);
    return link.cancelled === 1;
  });
  const first = await world.connect(forward.port);
  await until(() => link.asked.length === 2);
  forward.close();
  t.equal(await howItEnds(first), 'ECONNRESET', 'when the forward is closed');
  await until(() => link.cancelled === 2);
  world.clock.advance(5_000);
  t.equal(world.clock.pending, 0);
});

t.test(
  'any number of connections that are refused fill the log up to a bound, and are counted beyond it',
  async (t) => {
    const world = new World(t);
    const lines: string[] = [];
    const log = { ...silentLogger, warn: (text: string) => void lines.push(text) };
    const opener: Opener = {
      open: (_target, { onRefused }) => {
        onRefused('peer-away');
        return { cancel: () => {} };
      },
    };
    const said = new FloodLog({ clock: world.clock, log });
    const forward = new LocalForward(
      { clock: world.clock, opener, log, said, hasRoom: () => true },
      { spec: { bind: '127.0.0.1', port: 0, target } },
    );
    await forward.listen();
    t.teardown(() => forward.close());
    for (let count = 0; count < 300; count += 1) {
      const socket = connect({ host: '127.0.0.1', port: forward.port }).on('error', () => {});
      await new Promise((resolve) => socket.once('close', resolve));
    }
    t.equal(lines.length, 200);
    world.clock.advance(60_000);
    t.match(lines.slice(200), [/also 100 connections refused$/]);
  },
);

t.test('what is asked while the peer is away waits for it', async (t) => {
  const opener = new PeerOpener(new ManualClock());
  const { handlers } = refusals();
  opener.open(target, handlers);
  const given = opener.open(target, handlers);
  given.cancel();
  const link = new FakeLink();
  opener.onLink(link);
  t.same(link.asked.length, 1, 'without those that were given up');
});

t.test('a request whose link is lost before the answer waits for the next', async (t) => {
  const opener = new PeerOpener(new ManualClock());
  const { reasons, handlers } = refusals();
  const first = new FakeLink();
  opener.onLink(first);
  opener.open(target, handlers);
  opener.onLinkClosed(first);
  first.asked[0]?.onRefused('peer-gone');
  const second = new FakeLink();
  opener.onLink(second);
  t.equal(second.asked.length, 1);
  second.asked[0]?.onRefused('timeout');
  t.same(reasons, ['timeout']);
});

t.test('waiting is bounded in time and number', async (t) => {
  const clock = new ManualClock();
  const opener = new PeerOpener(clock);
  const { reasons, handlers } = refusals();
  for (let count = 0; count < 600; count += 1) opener.open(target, handlers);
  t.same(reasons, Array(88).fill('too-many-tunnels'));
  clock.advance(60_000);
  t.equal(reasons.length, 600);
  t.equal(reasons[599], 'peer-away');
  t.equal(clock.pending, 0);
});

t.test('when the service stops, what waits is refused', async (t) => {
  const clock = new ManualClock();
  const opener = new PeerOpener(clock);
  const { reasons, handlers } = refusals();
  opener.open(target, handlers);
  opener.close('shutting-down');
  t.same([reasons, clock.pending], [['shutting-down'], 0]);
});

t.test('connections made while the peer is away go through when it comes', async (t) => {
  const { channelPair } = await import('../support/channel-pair.js');
  const world = new World(t);
  const channels = channelPair();
  const client = world.service();
  const server = world.service();
  const port = await world.target((socket) => void socket.end('hello'));
  const spec = { bind: '127.0.0.1', port: 0, target: { host: '127.0.0.1', port } };
  const forward = await client.forward(channels.client.peerId, spec);
  const early = await world.connect(forward.port);
  const late = await world.connect(forward.port);
  const late2 = howItEnds(late);
  server.attach(channels.server);
  client.attach(channels.client);
  t.equal(await howItEnds(early), 'ended');
  t.equal(await late2, 'ended');
});

t.test('a connection is reset when the peer does not come', async (t) => {
  const world = new World(t);
  const client = world.service();
  const forward = await client.forward('away', { bind: '127.0.0.1', port: 0, target });
  const socket = await world.connect(forward.port);
  const ending = howItEnds(socket);
  await until(() => {
    world.clock.advance(10_000);
    return socket.destroyed || socket.errored !== null;
  });
  t.equal(await ending, 'ECONNRESET');
});
