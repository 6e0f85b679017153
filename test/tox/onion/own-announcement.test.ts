import t from 'tap';
import type { Endpoint } from '../../../src/base/endpoint.js';
import { generateKeyPair, type KeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import { type AnnounceRequests, NO_PING_ID, type OutgoingRequest } from '../../../src/tox/onion/announce-requests.js';
import { sealInner, sealOuter } from '../../../src/tox/onion/data-box.js';
import { sourceByRelay, sourceByUdp } from '../../../src/tox/onion/data-limit.js';
import type { OnionPath } from '../../../src/tox/onion/onion-path.js';
import { OwnAnnouncement } from '../../../src/tox/onion/own-announcement.js';
import type { PathPool } from '../../../src/tox/onion/path-pool.js';
import { decodeOnionDataRequest, encodeOnionDataResponse } from '../../../src/tox/packet/onion-data.js';
import { mutations } from '../../support/fuzz.js';
import { ManualClock } from '../../support/manual-clock.js';
import { node } from '../../support/nodes.js';
import { SeededRandom } from '../../support/seeded-random.js';

const DATA = Buffer.from('data');
const HOP = node('0a', '192.0.2.10');
/** Two more stand behind it, which nobody looks at. */
const FIRST_HOP = [HOP];
const OWN = sourceByUdp(HOP.endpoint);
const NODES = Array.from({ length: 4 }, (_, index) => node(`0${index + 1}`, `192.0.2.${index + 1}`));

/** Us above paths that lead straight to nodes which store us, and pass on what is sent there. */
class Bench {
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly identity: KeyPair;
  readonly events: string[] = [];
  readonly received: string[] = [];
  readonly ways: string[] = [];
  /** Whether the nodes pass on what comes for us. */
  doNodesDeliver = true;
  /** Under what key we are announced. */
  dataKey: PublicKey;
  calls = 0;
  readonly announcement: OwnAnnouncement;

  constructor(seed = 1, nodes = NODES) {
    this.random = new SeededRandom(seed);
    this.identity = generateKeyPair(this.random);
    this.dataKey = this.identity.publicKey;
    const path = {
      hops: FIRST_HOP,
      send: (packet: Buffer, _to: Endpoint) => this.#onCall(packet),
    } as unknown as OnionPath;
    const paths = {
      pick: () => path,
      pickTwo: () => [path],
      isUsable: () => true,
      suspect: () => this.events.push('suspect'),
    } as unknown as PathPool;
    this.announcement = new OwnAnnouncement(
      {
        clock: this.clock,
        random: this.random,
        identity: this.identity,
        requests: { send: (request: OutgoingRequest) => this.#onRequest(request) } as unknown as AnnounceRequests,
        paths,
        seeds: () => nodes,
      },
      {
        onAnnouncedChange: (isAnnounced) => this.events.push(isAnnounced ? 'announced' : 'forgotten'),
        onData: (_sender, data, way) => {
          this.received.push(data.toString());
          this.ways.push(way);
        },
        onUnreachable: () => this.events.push('unreachable'),
      },
    );
  }

  /** A data response with what somebody sends to us. */
  letter(data = DATA, sender = generateKeyPair(this.random)): Buffer {
    const inner = sealInner(this.random, sender, this.identity.publicKey, data);
    return this.#delivered(sealOuter(this.random, inner, this.dataKey));
  }

  #delivered(request: Buffer): Buffer {
    const opened = decodeOnionDataRequest(request);
    if (opened === undefined) throw new Error('no data request');
    return encodeOnionDataResponse(opened);
  }

  #onCall(packet: Buffer): void {
    this.calls += 1;
    if (this.doNodesDeliver) this.clock.after(100, () => this.announcement.receive(this.#delivered(packet), OWN));
  }

  /** In two steps: a ping id first, and who shows it is stored. */
  #onRequest({ node: asked, path, pingId, requester, onAnswer }: OutgoingRequest): void {
    const isStored = pingId !== NO_PING_ID;
    if (isStored) this.dataKey = requester.dataKey;
    const outcome = { status: isStored ? 'announced' : 'unknown', pingId: Buffer.alloc(32, 1) } as const;
    this.clock.after(50, () => onAnswer({ node: asked, path, pingId, outcome, nodes: [] }));
  }
}

t.test('the announcement is reported once', async (t) => {
  const bench = new Bench();
  t.notOk(bench.announcement.announcer.isAnnounced);
  bench.announcement.start();
  bench.clock.advance(1_000);
  t.same(bench.events, ['announced']);
  t.equal(bench.announcement.announcer.storing.length, NODES.length);
  bench.announcement.stop();
});

t.test('we are announced at no more than twelve nodes', async (t) => {
  const nodes = Array.from({ length: 20 }, (_, index) => node(`${10 + index}`, `192.0.2.${10 + index}`));
  const bench = new Bench(1, nodes);
  bench.announcement.start();
  bench.clock.advance(10_000);
  t.equal(bench.announcement.announcer.storing.length, 12);
  bench.announcement.stop();
});

t.test('data of others reaches us, and no other client can open it', async (t) => {
  const bench = new Bench();
  bench.announcement.start();
  bench.clock.advance(1_000);
  t.ok(bench.announcement.receive(bench.letter(), OWN));
  t.same(bench.received, ['data']);
  const other = new Bench(2);
  t.notOk(other.announcement.receive(bench.letter(), OWN));
});

t.test('data is reported with its first hop, or as coming from another source', async (t) => {
  const bench = new Bench();
  bench.announcement.start();
  bench.clock.advance(1_000);
  for (const source of [OWN, '192.0.2.77:1', '192.0.2.78:2']) bench.announcement.receive(bench.letter(), source);
  t.same(bench.ways, [OWN, 'others', 'others']);
});

t.test('probes that come back are proof, and not reported as data', async (t) => {
  const bench = new Bench();
  bench.announcement.start();
  bench.clock.advance(60_000);
  t.ok(bench.calls > 20);
  t.same(bench.received, []);
  t.same(bench.events, ['announced']);
});

t.test('a path by which nothing arrives is suspected, although its node stores us', async (t) => {
  const bench = new Bench();
  bench.announcement.start();
  bench.clock.advance(10_000);
  t.same(bench.events, ['announced']);
  bench.doNodesDeliver = false;
  bench.clock.advance(8_000);
  t.ok(bench.events.includes('suspect'));
  t.equal(bench.announcement.announcer.storing.length, NODES.length, 'and announced again');
});

/** Those opened of so many that come evenly within some seconds. */
function flood(bench: Bench, source: string, { each, seconds }: { each: number; seconds: number }): number {
  const letter = bench.letter(Buffer.from('flood'));
  const before = bench.received.length;
  for (let ms = 0; ms < seconds * 1_000; ms += 10) {
    for (let index = 0; index < each / 100; index += 1) bench.announcement.receive(letter, source);
    bench.clock.advance(10);
  }
  return bench.received.length - before;
}

t.test(
  'a flood from other sources is opened at a bounded rate, and does not keep out data from our first hop',
  async (t) => {
    const bench = new Bench();
    bench.announcement.start();
    bench.clock.advance(1_000);
    const opened = flood(bench, 'elsewhere', { each: 15_000, seconds: 2 });
    t.ok(opened > 380 && opened <= 200 + 2 * 100, `${opened}`);
    for (let index = 0; index < 20; index += 1) t.ok(bench.announcement.receive(bench.letter(), OWN));
    bench.announcement.receive(bench.letter(), 'elsewhere');
    t.notOk(bench.announcement.receive(bench.letter(), 'elsewhere'));
  },
);

t.test('a flood in the name of our first hop is opened at a bounded rate', async (t) => {
  const bench = new Bench();
  bench.announcement.start();
  bench.clock.advance(1_000);
  const opened = flood(bench, OWN, { each: 15_000, seconds: 2 });
  t.ok(opened > 2_000 && opened <= 1_000 + 50 + 2 * (500 + 25), `${opened}, beside our own calls`);
});

t.test('a flood from other sources does not hide a path by which nothing arrives', async (t) => {
  const bench = new Bench();
  bench.announcement.start();
  bench.clock.advance(10_000);
  bench.doNodesDeliver = false;
  flood(bench, 'elsewhere', { each: 1_000, seconds: 8 });
  t.ok(bench.events.includes('suspect'));
});

t.test('a relay is another source than its address by UDP', async (t) => {
  t.not(sourceByRelay(HOP), OWN);
});

t.test('hostile bytes are dropped', async (t) => {
  const bench = new Bench();
  bench.announcement.start();
  bench.clock.advance(1_000);
  const letter = bench.letter();
  for (const bytes of mutations(3, [letter], 300))
    if (!bytes.equals(letter)) t.notOk(bench.announcement.receive(bytes, OWN));
  t.same(bench.received, []);
});

t.test('after stop no timer is left, and friends cannot find us', async (t) => {
  const bench = new Bench();
  bench.announcement.start();
  bench.clock.advance(10_000);
  bench.announcement.stop();
  bench.clock.advance(200);
  t.equal(bench.clock.pending, 0);
  t.notOk(bench.announcement.announcer.isAnnounced);
});
