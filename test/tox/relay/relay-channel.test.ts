import t from 'tap';
import { sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import { decodeRelayPacket, encodeRelayPacket, type RelayPacket } from '../../../src/tox/packet/relay.js';
import { answerHandshake, beginHandshake, type SessionKeys } from '../../../src/tox/relay/handshake.js';
import { RelayChannel } from '../../../src/tox/relay/relay-channel.js';
import { SecureStream } from '../../../src/tox/relay/secure-stream.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const DATA: RelayPacket = { kind: 'data', slot: 19, data: Buffer.from('data') };

/** A channel, and at its other end a relay that does what the test says. */
class Bench {
  readonly clock = new ManualClock();
  readonly random = new SeededRandom(1);
  readonly events: string[] = [];
  /** What the relay has received. */
  readonly received: RelayPacket[] = [];
  /** Whether the relay answers pings. */
  isAlive = true;
  hasRoom = true;
  readonly channel: RelayChannel;
  readonly #relay: SecureStream;

  constructor() {
    const { clock, random } = this;
    const [client, relay] = [generateKeyPair(random), generateKeyPair(random)];
    const begun = beginHandshake(random, client.publicKey, sharedKey(relay.publicKey, client.secretKey));
    const answered = answerHandshake(random, relay, begun.greeting);
    this.#relay = new SecureStream(
      { write: (bytes) => this.#deliver(bytes), onPacket: (plain) => this.#onPlain(plain) },
      answered?.session as SessionKeys,
    );
    this.channel = new RelayChannel(
      {
        clock,
        random,
        write: (bytes) => {
          this.#relay.receive(bytes);
          return this.hasRoom;
        },
        onReceived: () => this.events.push('received'),
        onPacket: ({ kind }) => this.events.push(kind),
        onDrain: () => this.events.push('drain'),
        onBroken: (reason) => this.events.push(`broken: ${reason}`),
      },
      begun.finish(answered?.reply as Buffer) as SessionKeys,
      { rtt: 10, bound: undefined },
    );
  }

  /** The relay says something. */
  say(packet: RelayPacket): void {
    this.#relay.sendControl(encodeRelayPacket(packet));
  }

  sayBytes(plain: Buffer): void {
    this.#relay.sendControl(plain);
  }

  taken(): string[] {
    return this.events.splice(0);
  }

  receivedKinds(): string[] {
    return this.received.splice(0).map(({ kind }) => kind);
  }

  #deliver(bytes: Buffer): boolean {
    this.channel.receive(bytes);
    return true;
  }

  #onPlain(plain: Buffer): void {
    const packet = decodeRelayPacket(plain);
    if (packet === undefined || packet === 'ignored') return;
    this.received.push(packet);
    if (packet.kind === 'ping' && this.isAlive) this.clock.after(20, () => this.say({ kind: 'pong', id: packet.id }));
  }
}

t.test('a ping is answered, and neither pings nor pongs are passed on', async (t) => {
  const bench = new Bench();
  bench.say({ kind: 'ping', id: 7n });
  t.same(bench.received, [{ kind: 'pong', id: 7n }]);
  bench.say({ kind: 'pong', id: 8n });
  t.same(bench.taken(), ['received', 'received']);
});

t.test('other packets of the relay are passed on, after the event that something has arrived', async (t) => {
  const bench = new Bench();
  bench.say({ kind: 'connected', slot: 19 });
  bench.say(DATA);
  t.same(bench.taken(), ['received', 'connected', 'received', 'data']);
});

t.test('packets are sent to the relay, but those that were withdrawn are not', async (t) => {
  const bench = new Bench();
  bench.hasRoom = false;
  bench.channel.send({ kind: 'data', slot: 19, data: Buffer.from('first') });
  bench.channel.send(DATA);
  bench.channel.withdraw(19);
  bench.hasRoom = true;
  bench.channel.drained();
  t.same(bench.receivedKinds(), ['data']);
});

t.test('a full channel refuses packets that may get lost, and reports when there is room', async (t) => {
  const bench = new Bench();
  bench.hasRoom = false;
  let sent = 0;
  while (bench.channel.send({ kind: 'data', slot: 19, data: Buffer.alloc(1_000) })) sent += 1;
  t.ok(sent > 1 && bench.channel.isFull, `${sent}`);
  bench.hasRoom = true;
  bench.channel.drained();
  bench.clock.advance(1_000);
  t.ok(bench.taken().includes('drain'));
  t.equal(bench.received.filter(({ kind }) => kind === 'data').length, sent);
});

t.test('a relay that does not answer a ping is given up after 10 s, and after a disruption within 3 s', async (t) => {
  for (const [isDisrupted, patience] of [
    [false, 10_000],
    [true, 3_000],
  ] as const) {
    const bench = new Bench();
    bench.isAlive = false;
    if (isDisrupted) bench.channel.check();
    else bench.channel.ping();
    bench.clock.advance(patience - 1);
    t.same(bench.taken(), []);
    bench.clock.advance(1);
    t.same(bench.taken(), ['broken: silent for 10 s']);
  }
});

t.test('a relay that carried packets of a peer and falls silent is pinged and given up within seconds', async (t) => {
  const bench = new Bench();
  bench.say(DATA);
  bench.channel.onPeerPacket();
  bench.taken();
  bench.isAlive = false;
  bench.clock.advance(6_000);
  t.ok(bench.receivedKinds().includes('ping'));
  t.same(bench.taken().slice(0, 1), ['broken: silent while it carried packets']);
});

t.test('a relay that stops reading is reported as such, not as silent', async (t) => {
  const bench = new Bench();
  bench.isAlive = false;
  for (let count = 0; count < 20; count += 1) bench.channel.send({ kind: 'data', slot: 19, data: Buffer.alloc(1_000) });
  bench.clock.advance(2_000);
  t.same(bench.taken(), ['broken: it has stopped reading']);
});

t.test('a frame that does not open or holds no packet breaks the channel', async (t) => {
  const one = new Bench();
  one.channel.receive(Buffer.alloc(100));
  t.same(one.taken(), ['broken: it sent a frame that does not open']);
  const other = new Bench();
  other.sayBytes(Buffer.from([4]));
  t.same(other.taken(), ['broken: it sent an invalid packet']);
});

t.test('a stopped channel sends and receives nothing, and leaves no timer', async (t) => {
  const bench = new Bench();
  bench.channel.onPeerPacket();
  bench.channel.send(DATA);
  bench.channel.ping();
  bench.channel.stop();
  bench.received.length = 0;
  bench.channel.control({ kind: 'disconnected', slot: 19 });
  bench.say(DATA);
  bench.clock.advance(60_000);
  t.same(bench.received, []);
  t.same(bench.taken(), []);
  t.equal(bench.clock.pending, 0);
});
