/** A client whose servers come and go as the test says. */
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { FloodLog } from '../../../src/base/flood-log.js';
import { silentLogger } from '../../../src/base/logger.js';
import { TunnelClient } from '../../../src/tunnel/client/tunnel-client.js';
import { PeerLinks } from '../../../src/tunnel/link/peer-links.js';
import { reverseTarget } from '../../../src/tunnel/wire/listen.js';
import type { Target } from '../../../src/tunnel/wire/target.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { channelPair } from '../support/channel-pair.js';
import { localSpec } from '../support/local-spec.js';
import { SocketClock } from '../support/socket-clock.js';
import { howItEnds, until, World } from '../support/world.js';

const TARGET: Target = { host: '127.0.0.1', port: 22 };
const REVERSE = { kind: 'reverse', at: { kind: 'port', bind: '127.0.0.1', port: 0 }, target: TARGET } as const;

/** A client, and a server of ours that refuses everything. */
class Bench {
  readonly clock = new SocketClock();
  readonly channels = channelPair();
  readonly serverId = this.channels.client.peerId;
  readonly links: PeerLinks;
  readonly client: TunnelClient;
  readonly #server: ReturnType<World['service']>;

  constructor(t: Test) {
    const { clock } = this;
    const random = new SeededRandom(1);
    this.links = new PeerLinks({
      clock,
      random,
      log: silentLogger,
      handlersOf: () => ({
        services: () => [],
        limits: () => undefined,
        onListen: () => {},
        onUnlisten: () => {},
        onRequest: ({ answer }) => answer('not-allowed'),
        onEnd: () => {},
        onTunnelOpened: () => {},
        onTunnelClosed: () => {},
        onBacklog: () => {},
      }),
    });
    this.client = new TunnelClient({
      clock,
      random,
      log: silentLogger,
      floodLog: new FloodLog({ clock, log: silentLogger }),
      links: this.links,
      dialer: { dial: () => () => {} },
      hasRoom: () => true,
    });
    this.#server = new World(t).service(() => ({ allowed: false, reason: 'no rule' }));
    t.teardown(() => this.client.stop());
  }

  online(): void {
    this.links.attach(this.channels.client, true);
    this.#server.attach(this.channels.server);
  }

  /** Requests a tunnel. @returns the reason of the refusal, when it has come */
  request(peerId = this.serverId): { reason: string | undefined } {
    const asked: { reason: string | undefined } = { reason: undefined };
    this.client.opener(peerId).open(TARGET, {
      onAccepted: () => {
        throw new Error('accepted');
      },
      onRefused: (reason) => {
        asked.reason = reason;
      },
    });
    return asked;
  }
}

t.test('requests to a peer that is offline are sent when it has come, and those to another one wait on', async (t) => {
  const bench = new Bench(t);
  const [asked, other] = [bench.request(), bench.request('00')];
  bench.online();
  await until(() => asked.reason !== undefined);
  t.same([asked.reason, other.reason], ['not-allowed', undefined]);
});

t.test('a peer that is online is asked at once, also by an opener that is made late', async (t) => {
  const bench = new Bench(t);
  bench.online();
  const asked = bench.request();
  await until(() => asked.reason === 'not-allowed');
  t.equal(bench.client.opener(bench.serverId), bench.client.opener(bench.serverId), 'one for each peer');
});

t.test('connections of forwards that have no tunnel yet are pending', async (t) => {
  const bench = new Bench(t);
  const forwards = [1, 2].map(() => bench.client.forward(bench.serverId, localSpec(TARGET)));
  for (const { port } of await Promise.all(forwards)) connect({ host: '127.0.0.1', port }).on('error', () => {});
  await until(() => bench.client.pending === 2);
  bench.online();
  await until(() => bench.client.pending === 0);
});

t.test('closed forwards listen no longer, and lose the connections that wait', async (t) => {
  const bench = new Bench(t);
  const { port } = await bench.client.forward(bench.serverId, localSpec(TARGET));
  const socket = connect({ host: '127.0.0.1', port });
  await until(() => bench.client.pending === 1);
  bench.client.closeForwards();
  t.equal(await howItEnds(socket), 'ECONNRESET');
  t.equal(await howItEnds(connect({ host: '127.0.0.1', port })), 'ECONNREFUSED');
});

t.test('a stopped client refuses what waits, and closes a forward that is opened afterwards', async (t) => {
  const bench = new Bench(t);
  const asked = bench.request();
  bench.client.stop();
  t.equal(asked.reason, 'shutting-down');
  const forward = await bench.client.forward(bench.serverId, localSpec(TARGET));
  t.equal(await howItEnds(connect({ host: '127.0.0.1', port: forward.port })), 'ECONNREFUSED');
});

t.test('a request of a server leads to a target only for a port that it has open for us', async (t) => {
  const bench = new Bench(t);
  const forward = await bench.client.forward(bench.serverId, REVERSE);
  t.equal(forward.remote?.state.kind, 'asking');
  for (const target of [TARGET, reverseTarget(1)]) {
    t.equal(bench.client.destinationOf(bench.serverId, target), undefined);
    t.equal(bench.client.portOf(bench.serverId, target), undefined);
  }
});
