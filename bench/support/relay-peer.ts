/**
 * A peer without UDP, in a process of its own: a whole Tox stack that meets its friend at one relay, or a bare client of that
 * relay, which sends packets of the same size with nothing but the socket's word to hold it back. Speaks in lines of JSON.
 *
 *     node dist/bench/support/relay-peer.js tox|bare receive RELAY BYTES hashed|counted
 *     node dist/bench/support/relay-peer.js tox|bare send RELAY BYTES hashed|counted PEER
 *
 * RELAY is HOST:PORT:KEY, PEER what the receiver printed first. Receiving begins with the first packet and ends with
 * the last one of as many as were sent: the last ones of a bare sender bear a mark, for some of the others may be lost.
 */
import { createHash } from 'node:crypto';
import { systemClock } from '../../src/base/clock.js';
import { Endpoint } from '../../src/base/endpoint.js';
import { silentLogger } from '../../src/base/logger.js';
import { systemRandom } from '../../src/base/random.js';
import { sharedKey } from '../../src/tox/crypto/box.js';
import { generateKeyPair, type KeyPair } from '../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import { ToxId } from '../../src/tox/crypto/tox-id.js';
import type { Friend } from '../../src/tox/messenger.js';
import { dialTcp } from '../../src/tox/network/tcp.js';
import { RelayClient, type RelayClientHandlers } from '../../src/tox/relay/relay-client.js';
import { newSavedata } from '../../src/tox/savedata.js';
import { Tox } from '../../src/tox/tox.js';
import { content } from '../../test/support/exchange.js';
import { median, quantile } from './statistics.js';

/** What a full packet carries for the application, and with what net_crypto adds. */
const PAYLOAD = 1373;
const PACKET = PAYLOAD + 27;
const BULK = 162;
const ECHO = 163;
const LAST = 164;
const ROUND_TRIPS = 40;
/** The last packet of a bare sender, which can be lost like any other, is sent so often, every so many ms. */
const LAST_COPIES = 50;
const LAST_INTERVAL = 20;
/** ms without a packet after which a receiver gives up: a relay's socket may have stopped (docs/performance/notes.md). */
const STALL = 8_000;

/** Of the receiver. */
export interface RelayReceipt {
  readonly packets: number;
  readonly milliseconds: number;
  readonly digest: string;
}

/** ms. */
interface RoundTrips {
  readonly median: number;
  readonly most: number;
}

/** Of the sender; only a Tox peer measures round trips. */
export interface RelayDispatch {
  readonly packets: number;
  readonly digest: string;
  readonly idle?: RoundTrips;
  readonly busy?: RoundTrips;
}

const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const [kind, role, relay = '', bytes = '', check = '', peer = ''] = process.argv.slice(2);
const [host = '', port = '', key = ''] = relay.split(':');
const relayKey = PublicKey.parse(key) as PublicKey;
const total = Math.ceil(Number(bytes) / PAYLOAD);

/** Of all that passes; to compute it takes a tenth of the time that a packet does. */
class Digest {
  readonly #hash = check === 'hashed' ? createHash('sha256') : undefined;

  update(packet: Buffer): void {
    this.#hash?.update(packet);
  }

  /** Empty when it is not requested. */
  end(): string {
    return this.#hash?.digest('hex') ?? '';
  }
}

class Receipt {
  #packets = 0;
  #startedAt = 0;
  #lastAt = 0;
  #guard: NodeJS.Timeout | undefined;
  #isOver = false;
  readonly #digest = new Digest();

  add(packet: Buffer): void {
    if (this.#isOver) return;
    this.#lastAt = performance.now();
    if (this.#packets === 0) this.#startedAt = this.#lastAt;
    this.#packets += 1;
    this.#digest.update(packet);
    if (this.#guard === undefined) this.#guard = setTimeout(() => this.finish(), STALL);
    else this.#guard.refresh();
  }

  get packets(): number {
    return this.#packets;
  }

  /** Says what came, and takes no more. */
  finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#guard);
    const milliseconds = this.#lastAt - this.#startedAt;
    const report: RelayReceipt = { packets: this.#packets, milliseconds, digest: this.#digest.end() };
    say(report);
  }
}

async function startTox(): Promise<Tox> {
  const tox = new Tox(
    { clock: systemClock, random: systemRandom, log: silentLogger },
    {
      savedata: newSavedata(systemRandom),
      udp: false,
      relayPort: 0,
      ports: { first: 0, last: 0 },
      ipv6: false,
      lanDiscovery: false,
    },
  );
  await tox.start();
  tox.bootstrap({ host, port: Number(port), publicKey: relayKey });
  return tox;
}

async function receiveByTox(): Promise<void> {
  const tox = await startTox();
  const receipt = new Receipt();
  tox.onFriendRequest((request) => {
    const friend = request.accept();
    friend.onLossless((packet) => {
      if (packet[0] === ECHO) return void friend.sendLossless(packet);
      receipt.add(packet);
      if (receipt.packets === total) receipt.finish();
    });
  });
  await new Promise<void>((resolve) => (tox.isOnline ? resolve() : tox.onOnlineChange(() => resolve())));
  say({ peer: tox.id.toString() });
}

/** One after the other, the first ones not counted. */
async function roundTrips(friend: Friend, isOver: (count: number) => boolean): Promise<number[]> {
  const times: number[] = [];
  let onEcho = (): void => {};
  let onRoom = (): void => {};
  friend.onLossless(() => onEcho());
  friend.onDrain(() => onRoom());
  for (let count = 0; !isOver(count); count += 1) {
    const startedAt = performance.now();
    const echo = new Promise<void>((resolve) => {
      onEcho = resolve;
    });
    while (!friend.sendLossless(Buffer.alloc(64, ECHO))) {
      await new Promise<void>((resolve) => {
        onRoom = resolve;
      });
    }
    await echo;
    times.push(performance.now() - startedAt);
  }
  return times;
}

async function sendByTox(): Promise<void> {
  const tox = await startTox();
  const friend = tox.addFriend(ToxId.parse(peer) as ToxId, Buffer.from('bench\0'));
  await new Promise<void>((resolve) => friend.onPresence((presence) => presence === 'online' && resolve()));
  const idle = await roundTrips(friend, (count) => count >= ROUND_TRIPS);
  const digest = new Digest();
  let sent = 0;
  let waiting: Buffer | undefined;
  let onAllTaken = (): void => {};
  const isTaken = new Promise<void>((resolve) => {
    onAllTaken = resolve;
  });
  const packets = cutIntoPackets();
  const more = (): void => {
    while (sent < total) {
      waiting ??= packets.next().value as Buffer;
      if (!friend.sendLossless(waiting)) return;
      digest.update(waiting);
      waiting = undefined;
      sent += 1;
    }
    onAllTaken();
  };
  friend.onDrain(more);
  more();
  const busy = await roundTrips(friend, () => sent >= total);
  await isTaken;
  const spreadOf = (times: number[]): RoundTrips => ({ median: median(times), most: quantile(times, 0.95) });
  const report: RelayDispatch = {
    packets: sent,
    digest: digest.end(),
    idle: spreadOf(idle),
    busy: spreadOf(busy),
  };
  say(report);
}

/** Bytes that no two stretches of are alike, in packets of the application. */
function* cutIntoPackets(): Generator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for (const chunk of content('relay', Number.POSITIVE_INFINITY)) {
    rest = Buffer.concat([rest, chunk]);
    let at = 0;
    for (; rest.length - at >= PAYLOAD - 1; at += PAYLOAD - 1) {
      const packet = Buffer.allocUnsafe(PAYLOAD);
      packet[0] = BULK;
      rest.copy(packet, 1, at, at + PAYLOAD - 1);
      yield packet;
    }
    rest = rest.subarray(at);
  }
}

function openBare(keys: KeyPair, handlers: Partial<RelayClientHandlers>): RelayClient {
  const nothing = (): void => {};
  return new RelayClient(
    {
      clock: systemClock,
      random: systemRandom,
      dial: dialTcp,
      ownKey: keys.publicKey,
      sharedKey: sharedKey(relayKey, keys.secretKey),
    },
    { publicKey: relayKey, endpoint: Endpoint.of(host, Number(port)) as Endpoint },
    {
      onConfirmed: nothing,
      onPeerStatus: nothing,
      onData: nothing,
      onOob: nothing,
      onOnion: nothing,
      onDrain: nothing,
      onClosed: (reason) => {
        throw new Error(reason);
      },
      ...handlers,
    },
  );
}

function receiveBare(): void {
  const keys = generateKeyPair(systemRandom);
  const receipt = new Receipt();
  const client = openBare(keys, {
    onConfirmed: () => say({ peer: keys.publicKey.hex }),
    onOob: (sender) => client.ask(sender),
    onData: (_peer, packet) => {
      if (packet[0] === LAST) receipt.finish();
      else receipt.add(packet);
    },
  });
}

function sendBare(): void {
  const keys = generateKeyPair(systemRandom);
  const receiver = PublicKey.parse(peer) as PublicKey;
  let sent = 0;
  const more = (): void => {
    // A packet of its own each time, as a tunnel has it.
    while (sent < total && client.sendData(receiver, Buffer.alloc(PACKET, BULK))) sent += 1;
    if (sent < total || isOver) return;
    isOver = true;
    const report: RelayDispatch = { packets: sent, digest: '' };
    say(report);
    for (let copy = 0; copy < LAST_COPIES; copy += 1) {
      systemClock.after(copy * LAST_INTERVAL, () => void client.sendData(receiver, Buffer.alloc(1, LAST)));
    }
  };
  let isOver = false;
  const client = openBare(keys, {
    onConfirmed: () => {
      client.ask(receiver);
      client.sendOob(receiver, Buffer.alloc(1));
    },
    onPeerStatus: (_peer, status) => {
      if (status === 'online') more();
    },
    onDrain: more,
  });
}

process.stdin.once('close', () => process.exit()).resume();
if (kind === 'tox') await (role === 'receive' ? receiveByTox() : sendByTox());
else if (role === 'receive') receiveBare();
else sendBare();
