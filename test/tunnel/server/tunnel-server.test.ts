/** A server whose clients, dialer and tunnels are made by the test. */
import { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { FloodLog } from '../../../src/base/flood-log.js';
import { silentLogger } from '../../../src/base/logger.js';
import type { PeerLink } from '../../../src/tunnel/link/peer-link.js';
import { PeerLinks } from '../../../src/tunnel/link/peer-links.js';
import { PeerLog } from '../../../src/tunnel/link/peer-log.js';
import { TunnelList } from '../../../src/tunnel/link/tunnel-list.js';
import type { DialHandlers } from '../../../src/tunnel/server/dialer.js';
import { NO_ACCESS, type ServerPolicy } from '../../../src/tunnel/server/server-policy.js';
import { TunnelServer } from '../../../src/tunnel/server/tunnel-server.js';
import type { CarriedTunnel, TunnelIdentity } from '../../../src/tunnel/stream/tunnel.js';
import { reverseTarget } from '../../../src/tunnel/wire/listen.js';
import type { Target } from '../../../src/tunnel/wire/target.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { TestChannel } from '../support/channel-pair.js';

const TARGET: Target = { host: '127.0.0.1', port: 22 };
const PLACE = { bind: '127.0.0.1', port: 8080 };
const ALLOWED = { allowed: true } as const;

class Server {
  readonly clock = new ManualClock();
  readonly tunnels = new TunnelList(this.clock);
  readonly dials: DialHandlers[] = [];
  cancelled = 0;
  pendingOfPorts = 0;
  limit = Number.POSITIVE_INFINITY;
  readonly refusals: string[] = [];
  readonly server: TunnelServer;
  readonly links: PeerLinks;

  constructor(policy: Partial<ServerPolicy> = {}) {
    const { clock, tunnels } = this;
    const random = new SeededRandom(1);
    this.links = new PeerLinks({
      clock,
      random,
      log: silentLogger,
      handlersOf: (link) => ({
        ...this.server.handlersOf(link),
        onEnd: () => {},
        onTunnelOpened: () => {},
        onTunnelClosed: () => {},
        onBacklog: () => {},
      }),
    });
    this.server = new TunnelServer(
      {
        clock,
        log: new PeerLog(new FloodLog({ clock, log: silentLogger }), (peerId) => peerId),
        links: this.links,
        tunnels,
        dialer: {
          dial: (_peerId, _target, handlers) => {
            this.dials.push(handlers);
            return () => {
              this.cancelled += 1;
            };
          },
        },
        openPort: (_, { place }) => ({
          at: { kind: 'port', ...place },
          port: place.port,
          pending: this.pendingOfPorts,
          listen: async () => {},
          close: () => {},
        }),
        descriptors: () => ({ limit: this.limit, used: tunnels.size + this.server.pending }),
      },
      { ...NO_ACCESS, mayReach: () => ALLOWED, mayListen: () => ALLOWED, ...policy },
    );
    this.server.refused.add((peerId, _, reason, detail) => void this.refusals.push(`${peerId} ${reason}: ${detail}`));
  }

  connect(peerId: string): PeerLink {
    const [here, there] = ['a', 'b'].map(() => new TestChannel(peerId, new SeededRandom(1), {})) as [
      TestChannel,
      TestChannel,
    ];
    TestChannel.connect(here, there);
    this.links.attach(here, false);
    return this.links.find(peerId) as PeerLink;
  }

  /** A client requests a tunnel. @returns what it is told; `accepted` for a tunnel */
  request(link: PeerLink, target = TARGET): { answer: string | undefined } {
    const asked: { answer: string | undefined } = { answer: undefined };
    this.server.handlersOf(link).onRequest({
      peerId: link.peerId,
      target,
      answer: (answer) => {
        asked.answer = typeof answer === 'string' ? answer : 'accepted';
      },
    });
    return asked;
  }

  /** A tunnel that a client has. @returns why it was closed */
  tunnel(link: PeerLink, identity: Partial<TunnelIdentity> = {}): { reason: string | undefined } {
    const closed: { reason: string | undefined } = { reason: undefined };
    const tunnel = {
      identity: { id: 1, side: 'acceptor', target: TARGET, ...identity },
      openedAt: 0,
      close: (reason: string) => {
        closed.reason = reason;
        this.server.onTunnelClosed(this.tunnels.remove(tunnel));
      },
    } as unknown as CarriedTunnel;
    this.tunnels.add(tunnel, {
      peerId: link.peerId,
      listener: this.server.portOf(link.peerId, tunnel.identity.target),
    });
    return closed;
  }

  /** A client asks for a port. */
  async listen(link: PeerLink, forwardId: number): Promise<void> {
    this.server.handlersOf(link).onListen(forwardId, { ...PLACE, port: PLACE.port + forwardId });
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const socketOf = (t: Test): Socket => {
  const socket = new Socket();
  t.teardown(() => socket.destroy());
  return socket;
};

t.test('a target that is being connected to is pending, until its request is answered', async (t) => {
  const bench = new Server();
  const asked = bench.request(bench.connect('aa'));
  bench.clock.advance(300);
  t.equal(bench.server.pending, 1);
  t.match(bench.server.connecting(), [{ number: 1, peerId: 'aa', target: TARGET, age: 300 }]);
  bench.dials[0]?.onConnected(socketOf(t), '127.0.0.1');
  t.equal(asked.answer, 'accepted');
  t.equal(bench.server.pending, 0);
});

t.test('a client has as many tunnels as its owner allows, those under way included', async (t) => {
  const bench = new Server({ limitsOf: () => ({ rate: undefined, maxTunnels: 2 }) });
  const [link, other] = [bench.connect('aa'), bench.connect('bb')];
  bench.tunnel(link);
  bench.request(link);
  t.equal(bench.request(link).answer, 'too-many-tunnels');
  t.equal(bench.request(other).answer, undefined);
  t.same(bench.refusals, ['aa too-many-tunnels: this client may have 2 tunnels (--max-tunnels)']);
});

t.test('a client with half of the descriptors gets no other', async (t) => {
  const bench = new Server();
  bench.limit = 4;
  const link = bench.connect('aa');
  bench.request(link);
  bench.request(link);
  t.equal(bench.request(link).answer, 'too-many-tunnels');
  t.match(bench.refusals, [/^aa too-many-tunnels: this client has 2 connections, and 2 of the 4/]);
});

t.test('each client is told the services that it may reach', async (t) => {
  const bench = new Server({ servicesFor: (peerId) => [{ name: peerId, port: 22 }] });
  t.same(bench.server.handlersOf(bench.connect('aa')).services(), [{ name: 'aa', port: 22 }]);
});

t.test('the tunnels of a client share a rate, and those that we have with it as a server do not', async (t) => {
  const bench = new Server({ limitsOf: () => ({ rate: 1000, maxTunnels: undefined }) });
  const { limits } = bench.server.handlersOf(bench.connect('aa'));
  const ofClient = limits({ id: 1, side: 'acceptor', target: TARGET });
  t.equal(ofClient?.toPeer.isLimited, true);
  t.equal(limits({ id: 2, side: 'acceptor', target: TARGET }), ofClient);
  t.equal(limits({ id: 3, side: 'opener', target: TARGET }), undefined);
});

t.test('a client without a limit is forgotten with its last tunnel, which may end after its link', async (t) => {
  const bench = new Server();
  const link = bench.connect('aa');
  const rates = () => bench.server.handlersOf(link).limits({ id: 1, side: 'acceptor', target: TARGET });
  const before = rates();
  bench.tunnel(link);
  link.close('connection-lost');
  t.equal(rates(), before);
  bench.tunnels.tunnels[0]?.close('connection-lost');
  t.not(rates(), before);
});

t.test('when a client may have fewer tunnels, it loses the newest', async (t) => {
  let maxTunnels = 3;
  const bench = new Server({ limitsOf: () => ({ rate: undefined, maxTunnels }) });
  const link = bench.connect('aa');
  const closed = [1, 2, 3].map(() => bench.tunnel(link));
  maxTunnels = 1;
  bench.server.review();
  t.same(
    closed.map(({ reason }) => reason),
    [undefined, 'too-many-tunnels', 'too-many-tunnels'],
  );
});

t.test('when a client may not have its port any more, the tunnels from there are closed', async (t) => {
  let forbidden = 0;
  const bench = new Server({
    mayListen: (_, { port }) => (port === forbidden ? { allowed: false, reason: 'not any more' } : ALLOWED),
  });
  const link = bench.connect('aa');
  for (const forwardId of [1, 2]) await bench.listen(link, forwardId);
  const closed = [1, 2].map((forwardId) => bench.tunnel(link, { side: 'opener', target: reverseTarget(forwardId) }));
  t.same(bench.server.portOf('aa', reverseTarget(1)), { bind: '127.0.0.1', port: 8081 });
  forbidden = 8081;
  bench.server.review();
  t.match(bench.server.openPorts(), [{ port: 8082 }]);
  t.same(
    closed.map(({ reason }) => reason),
    ['not-allowed', undefined],
  );
});

t.test('a number ends the request or the port that has it', async (t) => {
  const bench = new Server();
  const link = bench.connect('aa');
  const asked = bench.request(link);
  await bench.listen(link, 1);
  t.equal(bench.server.end(1, 'closed-by-owner'), true);
  t.equal(asked.answer, 'closed-by-owner');
  t.equal(bench.cancelled, 1);
  t.equal(bench.server.end(2, 'closed-by-owner'), true);
  t.same(bench.server.openPorts(), []);
  t.equal(bench.server.end(3, 'closed-by-owner'), false);
});

t.test('a client that is disconnected loses its requests and ports, and no other client does', async (t) => {
  const bench = new Server();
  const [link, other] = [bench.connect('aa'), bench.connect('bb')];
  const asked = [bench.request(link), bench.request(other)];
  await bench.listen(link, 1);
  await bench.listen(other, 2);
  bench.server.endPeer('aa', 'closed-by-owner');
  t.same(
    asked.map(({ answer }) => answer),
    ['closed-by-owner', undefined],
  );
  t.match(bench.server.openPorts(), [{ peerId: 'bb' }]);
});

t.test('a client whose link closes loses its ports', async (t) => {
  const bench = new Server();
  const link = bench.connect('aa');
  await bench.listen(link, 1);
  link.close('connection-lost');
  t.same(bench.server.openPorts(), []);
});

t.test(
  'a closed server refuses the requests that it has and those that come, and a stopped one says nothing',
  async (t) => {
    const [closed, stopped] = [new Server(), new Server()];
    const [link, other] = [closed.connect('aa'), stopped.connect('aa')];
    const asked = [closed.request(link), stopped.request(other)];
    closed.server.close('shutting-down');
    stopped.server.stop('shutting-down');
    t.same(
      asked.map(({ answer }) => answer),
      ['shutting-down', undefined],
    );
    t.equal(closed.request(link).answer, 'shutting-down');
    t.equal(stopped.cancelled, 1);
  },
);

t.test('connections at a port that have no tunnel yet are pending', async (t) => {
  const bench = new Server();
  bench.pendingOfPorts = 3;
  await bench.listen(bench.connect('aa'), 1);
  t.equal(bench.server.pending, 3);
});
