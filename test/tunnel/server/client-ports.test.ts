/** Ports of a server, with listeners that only count who has which port. */
import t from 'tap';
import { FloodLog } from '../../../src/base/flood-log.js';
import { Listeners } from '../../../src/base/listeners.js';
import { silentLogger } from '../../../src/base/logger.js';
import { ListenError } from '../../../src/tunnel/client/forward-spec.js';
import { PeerLog } from '../../../src/tunnel/link/peer-log.js';
import { ClientPorts, type MayListen, type PortLink } from '../../../src/tunnel/server/client-ports.js';
import type { ListenPlace } from '../../../src/tunnel/wire/listen.js';
import { ManualClock } from '../../support/manual-clock.js';
import { channelPair } from '../support/channel-pair.js';

const PLACE = { bind: '127.0.0.1', port: 8080 };

/** A client: what it was told, and for how many ms it has been silent. */
class Client {
  readonly told: string[] = [];
  pings = 0;
  readonly channel = channelPair().server;
  readonly link: PortLink;

  constructor(peerId: string) {
    this.link = {
      peerId,
      channel: this.channel,
      terms: 'extended',
      open: () => () => {},
      ping: async () => {
        this.pings += 1;
        return 1;
      },
      ports: {
        answer: (forwardId, answer) => void this.told.push(`${forwardId}: ${answer}`),
        end: (forwardId, reason) => void this.told.push(`${forwardId} ended: ${reason}`),
      },
    };
  }
}

class Server {
  readonly clock = new ManualClock();
  /** Addresses with a port that somebody listens at. */
  readonly taken = new Set<string>();
  readonly lines: string[] = [];
  readonly closed: string[] = [];
  readonly ports: ClientPorts;
  isAllowed: MayListen = () => ({ allowed: true });

  constructor() {
    const { clock, taken } = this;
    const log = { ...silentLogger, info: (text: string) => void this.lines.push(text) };
    this.ports = new ClientPorts({
      clock,
      log: new PeerLog(new FloodLog({ clock, log }), (peerId) => peerId),
      mayListen: (...asked) => this.isAllowed(...asked),
      tunnels: {
        nextNumber: () => 1,
        whyFull: () => undefined,
        close: (peerId, forwardId, reason) => void this.closed.push(`${peerId} ${forwardId} ${reason}`),
      },
      openPort: (_, { place: { bind, port } }) => {
        const at = `${bind}:${port}`;
        let hasIt = false;
        return {
          at: { kind: 'port', bind, port },
          port,
          pending: 0,
          listen: async () => {
            if (taken.has(at)) throw new ListenError('address-in-use', `${at} is in use`);
            taken.add(at);
            hasIt = true;
          },
          close: () => {
            if (hasIt) taken.delete(at);
            hasIt = false;
          },
        };
      },
      refused: new Listeners(),
    });
  }

  get owners(): string[] {
    return this.ports.list().map(({ peerId, port }) => `${peerId} ${port}`);
  }

  async open(client: Client, forwardId = 1, place: ListenPlace = PLACE): Promise<void> {
    this.ports.open(client.link, forwardId, place);
    await this.pass(0);
  }

  /** Lets time pass in which the clients stay as silent as they are, or send nothing. */
  async pass(duration: number, ...silent: Client[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (let left = duration; left > 0; left -= 100) {
      for (const { channel } of silent) channel.silence += 100;
      this.clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const setUp = async () => {
  const [server, killed, started] = [new Server(), new Client('killed'), new Client('started')];
  await server.open(killed);
  return { server, killed, started };
};

t.test('another client gets the port of one that has been silent for 5 s, which is told so', async (t) => {
  const { server, killed, started } = await setUp();
  await server.open(started);
  await server.pass(4_900, killed);
  t.same(server.owners, ['killed 8080']);
  await server.pass(200, killed);
  t.same(server.owners, ['started 8080']);
  t.same(started.told, ['1: 8080']);
  t.same(killed.told, ['1: 8080', '1 ended: address-in-use']);
  t.match(server.lines, [
    'killed: 127.0.0.1:8080 is open for it (-R)',
    'killed: 127.0.0.1:8080 is closed: the client does not answer, and another one asks for it',
    'started: 127.0.0.1:8080 is open for it (-R)',
  ]);
});

t.test('a client that sends something keeps its port, and the other one is refused', async (t) => {
  const { server, killed, started } = await setUp();
  killed.channel.silence = 60_000;
  await server.open(started);
  await server.pass(1_000, killed);
  killed.channel.silence = 0;
  await server.pass(600);
  t.same(server.owners, ['killed 8080']);
  t.same(started.told, ['1: address-in-use']);
});

t.test('a client that may not have the port does not get it from a silent one', async (t) => {
  const { server, killed, started } = await setUp();
  server.isAllowed = (peerId) => (peerId === 'killed' ? { allowed: true } : { allowed: false, reason: 'not its' });
  await server.open(started);
  await server.pass(10_000, killed);
  t.same(server.owners, ['killed 8080']);
  t.same(started.told, ['1: not-allowed']);
});

t.test('a client that asks for a port of its own twice is refused, however silent it is', async (t) => {
  const { server, killed } = await setUp();
  killed.channel.silence = 60_000;
  await server.open(killed, 2);
  t.same(killed.told, ['1: 8080', '2: address-in-use']);
});

t.test('a silent client keeps its port at an address that is not in the way', async (t) => {
  const { server, killed, started } = await setUp();
  server.taken.add('127.0.0.2:8080');
  await server.open(started, 1, { bind: '127.0.0.2', port: 8080 });
  await server.pass(10_000, killed);
  t.same(server.owners, ['killed 8080']);
  t.same(started.told, ['1: address-in-use'], 'another program has the address');
  t.equal(killed.pings, 0);
});

t.test('a client gets all addresses of a port when each of the clients that have one is silent', async (t) => {
  const { server, killed, started } = await setUp();
  const second = new Client('second');
  await server.open(second, 1, { bind: '127.0.0.2', port: 8080 });
  server.taken.add('undefined:8080');
  await server.open(started, 1, { bind: undefined, port: 8080 });
  await server.pass(4_900, killed, second);
  server.taken.delete('undefined:8080');
  await server.pass(200, killed, second);
  t.same(server.owners, ['started 8080']);
});

t.test('a client that has one address of a port does not take the others from a silent client', async (t) => {
  const { server, killed, started } = await setUp();
  await server.open(started, 1, { bind: '127.0.0.2', port: 8080 });
  server.taken.add('undefined:8080');
  await server.open(started, 2, { bind: undefined, port: 8080 });
  await server.pass(10_000, killed);
  t.same(server.owners, ['killed 8080', 'started 8080']);
});

t.test('of two clients that wait for a silent one, one gets the port', async (t) => {
  const { server, killed, started } = await setUp();
  const third = new Client('third');
  await server.open(started);
  await server.open(third);
  await server.pass(6_000, killed);
  t.same(server.owners, ['started 8080']);
  t.same(third.told, ['1: address-in-use']);
  t.equal(killed.pings, 1, 'which is asked once for both');
});

t.test('a client that goes while it waits gets nothing', async (t) => {
  const { server, killed, started } = await setUp();
  await server.open(started);
  await server.pass(1_000, killed);
  server.ports.onLinkClosed(started.link);
  await server.pass(6_000, killed);
  t.same(server.owners, ['killed 8080']);
  t.same(started.told, []);
});

t.test('the tunnels of a port end with its permission', async (t) => {
  const { server, killed } = await setUp();
  server.isAllowed = () => ({ allowed: false, reason: 'not any more' });
  server.ports.review();
  t.same(server.closed, ['killed 1 not-allowed']);
  t.same(server.owners, []);
  t.same(killed.told, ['1: 8080', '1 ended: not-allowed']);
});
