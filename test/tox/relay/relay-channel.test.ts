import t from 'tap';
import { sharedKey } from '../../../src/tox/crypto/box.js';
import { generateKeyPair } from '../../../src/tox/crypto/keys.js';
import { decodeRelayPacket, encodeRelayPacket, type RelayPacket } from '../../../src/tox/packet/relay.js';
import { answerHandshake, beginHandshake, type RelaySession } from '../../../src/tox/relay/handshake.js';
import { RelayChannel } from '../../../src/tox/relay/relay-channel.js';
import { SecureStream } from '../../../src/tox/relay/secure-stream.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const DATA: RelayPacket = { kind: 'data', slot: 19, data: Buffer.from('data') };

/** A line, and at its other end a relay that does what the test says. */
class Bench {
  readonly clock = new ManualClock();
  readonly random = new SeededRandom(1);
  readonly events: string[] = [];
  /** What the relay was told. */
  readonly heard: RelayPacket[] = [];
  /** Whether the relay answers pings. */
  isAlive = true;
  hasRoom = true;
  readonly line: RelayChannel;
  readonly #relay: SecureStream;

  constructor() {
    const { clock, random } = this;
    const [client, relay] = [generateKeyPair(random), generateKeyPair(random)];
    const begun = beginHandshake(random, client.publicKey, sharedKey(relay.publicKey, client.secretKey));
    const answered = answerHandshake(random, relay, begun.greeting);
    this.#relay = new SecureStream(
      { write: (bytes) => this.#deliver(bytes), onPacket: (plain) => this.#onPlain(plain) },
      answered?.session as RelaySession,
    );
    this.line = new RelayChannel(
      {
        clock,
        random,
        write: (bytes) => {
          this.#relay.receive(bytes);
          return this.hasRoom;
        },
        onHeard: () => this.events.push('heard'),
        onPacket: ({ kind }) => this.events.push(kind),
        onDrain: () => this.events.push('drain'),
        onStall: (bound) => this.events.push(`stall ${bound}`),
        onBroken: (reason) => this.events.push(`broken: ${reason}`),
      },
      begun.finish(answered?.reply as Buffer) as RelaySession,
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

  heardKinds(): string[] {
    return this.heard.splice(0).map(({ kind }) => kind);
  }

  #deliver(bytes: Buffer): boolean {
    this.line.receive(bytes);
    return true;
  }

  #onPlain(plain: Buffer): void {
    const packet = decodeRelayPacket(plain);
    if (packet === undefined || packet === 'ignored') return;
    this.heard.push(packet);
    if (packet.kind === 'ping' && this.isAlive) this.clock.after(20, () => this.say({ kind: 'pong', id: packet.id }));
  }
}

t.test('a ping is answered, and neither it nor a pong is told', async (t) => {
  const bench = new Bench();
  bench.say({ kind: 'ping', id: 7n });
  t.same(bench.heard, [{ kind: 'pong', id: 7n }]);
  bench.say({ kind: 'pong', id: 8n });
  t.same(bench.taken(), ['heard', 'heard']);
});

t.test('what else the relay says is told, after the fact that it said something', async (t) => {
  const bench = new Bench();
  bench.say({ kind: 'connected', slot: 19 });
  bench.say(DATA);
  t.same(bench.taken(), ['heard', 'connected', 'heard', 'data']);
});

t.test('packets go to the relay, and what was withdrawn does not', async (t) => {
  const bench = new Bench();
  bench.hasRoom = false;
  bench.line.send({ kind: 'data', slot: 19, data: Buffer.from('first') });
  bench.line.send(DATA);
  bench.line.withdraw(19);
  bench.hasRoom = true;
  bench.line.drained();
  t.same(bench.heardKinds(), ['data']);
});

t.test('a full line refuses what may get lost, and tells when there is room', async (t) => {
  const bench = new Bench();
  bench.hasRoom = false;
  let sent = 0;
  while (bench.line.send({ kind: 'data', slot: 19, data: Buffer.alloc(1_000) })) sent += 1;
  t.ok(sent > 1 && bench.line.isFull, `${sent}`);
  bench.hasRoom = true;
  bench.line.drained();
  bench.clock.advance(1_000);
  t.ok(bench.taken().includes('drain'));
  t.equal(bench.heard.filter(({ kind }) => kind === 'data').length, sent);
});

t.test('a relay that is silent for 10 s is gone, within 3 s when there is doubt', async (t) => {
  for (const [doubt, patience] of [
    [false, 10_000],
    [true, 3_000],
  ] as const) {
    const bench = new Bench();
    bench.isAlive = false;
    if (doubt) bench.line.doubt();
    else bench.line.ping();
    bench.clock.advance(patience - 1);
    t.same(bench.taken(), []);
    bench.clock.advance(1);
    t.same(bench.taken(), ['broken: silent for 10 s']);
  }
});

t.test('one that carried packets of a peer is asked and gone within seconds', async (t) => {
  const bench = new Bench();
  bench.say(DATA);
  bench.line.carried();
  bench.taken();
  bench.isAlive = false;
  bench.clock.advance(6_000);
  t.ok(bench.heardKinds().includes('ping'));
  t.same(bench.taken().slice(0, 1), ['broken: silent while it carried packets']);
});

t.test('one that reads no more is a stall, not only silence', async (t) => {
  const bench = new Bench();
  bench.isAlive = false;
  for (let count = 0; count < 20; count += 1) bench.line.send({ kind: 'data', slot: 19, data: Buffer.alloc(1_000) });
  bench.clock.advance(2_000);
  t.match(bench.taken(), [/^stall/]);
});

t.test('frames that cannot be read, or hold no packet, break the line', async (t) => {
  const one = new Bench();
  one.line.receive(Buffer.alloc(100));
  t.same(one.taken(), ['broken: what it says cannot be read']);
  const other = new Bench();
  other.sayBytes(Buffer.from([4]));
  t.same(other.taken(), ['broken: it sends what is no packet']);
});

t.test('a line that is stopped says and hears nothing, and leaves no timer', async (t) => {
  const bench = new Bench();
  bench.line.carried();
  bench.line.send(DATA);
  bench.line.ping();
  bench.line.stop();
  bench.heard.length = 0;
  bench.line.control({ kind: 'disconnected', slot: 19 });
  bench.say(DATA);
  bench.clock.advance(60_000);
  t.same(bench.heard, []);
  t.same(bench.taken(), []);
  t.equal(bench.clock.pending, 0);
});
