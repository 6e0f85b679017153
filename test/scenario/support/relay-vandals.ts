/** Everything that a client can do to a relay, on several hundred connections at a time; a client that is disconnected reconnects. */
import type { Socket } from 'node:net';
import { systemRandom } from '../../../src/base/random.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import type { NodeInfo } from '../../../src/tox/packet/node-info.js';
import { at } from '../../support/nodes.js';
import { call, type Insider, shakeHands } from './relay-caller.js';

/** ms between the deeds of one vandal: in between all others have the processor. */
const INTERVAL = 40;
/** Packets that a flooding client sends in that time. */
const BURST = 10;
/** ms until one that was thrown out is back. */
const RETURN = 100;
/** Few hosts: what protects the others from one host protects them from these. */
const HOSTS = ['127.0.66.1', '127.0.66.2', '127.0.66.3', '127.0.66.4'];

const somebody = (): PublicKey => generateKeyPair(systemRandom).publicKey;
const pick = <T>(list: readonly T[]): T => list[systemRandom.below(list.length)] as T;

/** Makes one connection. @param repeat does something every so many ms until the connection ends */
type Vandal = (crowd: RelayVandals, host: string, repeat: (deed: () => void) => void) => Socket;

const strangers = generateKeyPair(systemRandom);
const keysInTurn = Array.from({ length: 64 }, somebody);

/** What the flooders say: each kind on its own is something that a client may say. */
const FLOOD: readonly ((insider: Insider, victims: readonly PublicKey[]) => boolean)[] = [
  ({ say }, victims) => say({ kind: 'oob send', publicKey: pick(victims), data: Buffer.alloc(1024, 1) }),
  ({ say }) => say({ kind: 'routing request', publicKey: pick(keysInTurn) }),
  ({ say }) => say({ kind: 'ping', id: 7n }),
  ({ say }) => say({ kind: 'onion request', data: systemRandom.bytes(400) }),
  ({ say }) => say({ kind: 'onion request', data: onionTo(2) }),
];

/** nonce, address and port of the next hop (19), key and sealed rest: sent on to a closed port of this machine. */
function onionTo(port: number): Buffer {
  const data = systemRandom.bytes(400);
  data.fill(0, 24, 24 + 19);
  data[24] = 2;
  data.set(at('127.0.0.1', port).toBytes(), 25);
  data.writeUInt16BE(port, 41);
  return data;
}

export const VANDALS: { readonly [name: string]: Vandal } = {
  'says nothing': ({ relay }, host) => call(relay, host),
  'says one byte at a time': ({ relay }, host, repeat) => {
    const socket = call(relay, host);
    repeat(() => socket.write(systemRandom.bytes(1)));
    return socket;
  },
  'says nonsense': ({ relay }, host) => {
    const socket = call(relay, host);
    socket.once('connect', () => socket.write(systemRandom.bytes(1 + systemRandom.below(4_000))));
    return socket;
  },
  'disconnects at once': ({ relay }, host) => {
    const socket = call(relay, host);
    socket.once('connect', () => socket.end(systemRandom.bytes(systemRandom.below(200))));
    return socket;
  },
  'shakes hands, then nonsense': ({ relay }, host) =>
    shakeHands(relay, host, ({ socket }) => socket.write(systemRandom.bytes(600))),
  'shakes hands, then a frame without an end': ({ relay }, host, repeat) =>
    shakeHands(relay, host, ({ socket }) => {
      socket.write(Buffer.from([0x08, 0x00]));
      repeat(() => socket.write(systemRandom.bytes(1)));
    }),
  'shakes hands, then a huge frame': ({ relay }, host) =>
    shakeHands(relay, host, ({ socket }) => socket.write(Buffer.alloc(65_537, 0xff))),
  'disconnects after the handshake': ({ relay }, host) => shakeHands(relay, host, ({ socket }) => socket.end()),
  'comes back with the same key': ({ relay }, host) => shakeHands(relay, host, () => {}, strangers),
  'comes back with new keys': ({ relay }, host) =>
    shakeHands(relay, host, ({ socket }) => setTimeout(() => socket.destroy(), 5)),
  'asks for everybody': ({ relay }, host, repeat) =>
    shakeHands(relay, host, ({ say }) => {
      repeat(() => void say({ kind: 'routing request', publicKey: somebody() }));
    }),
  'does not read': (crowd, host) =>
    shakeHands(crowd.relay, host, ({ socket, keys, say }) => {
      crowd.deaf.push(keys.publicKey);
      say({ kind: 'routing request', publicKey: strangers.publicKey });
      socket.pause();
    }),
  'floods those who do not read': (crowd, host, repeat) =>
    shakeHands(crowd.relay, host, (insider) => {
      repeat(() => {
        for (let left = BURST; left > 0 && flood(insider, crowd.deaf); left -= 1);
      });
    }),
  floods: (crowd, host, repeat) =>
    shakeHands(crowd.relay, host, (insider) => {
      repeat(() => {
        for (let left = BURST; left > 0 && pick(FLOOD)(insider, crowd.victims); left -= 1);
      });
    }),
};

const flood = (insider: Insider, victims: readonly PublicKey[]): boolean =>
  victims.length > 0 && (FLOOD[0] as (typeof FLOOD)[number])(insider, victims);

export class RelayVandals {
  readonly relay: NodeInfo;
  /** Who gets what the flooders send out of band. */
  readonly victims: readonly PublicKey[];
  /** Those of the vandals that do not read. */
  readonly deaf: PublicKey[] = [];
  readonly #open = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isOver = false;
  /** Connections that came to stand, by what they did. */
  readonly calls = new Map<string, number>();

  constructor(relay: NodeInfo, victims: readonly PublicKey[]) {
    this.relay = relay;
    this.victims = victims;
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Lets so many come, of each kind as many. */
  come(count: number): void {
    const kinds = Object.keys(VANDALS);
    for (let index = 0; index < count; index += 1) this.#call(kinds[index % kinds.length] as string);
  }

  /** All of them go, without a word. */
  leave(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#open) socket.destroy();
  }

  #call(kind: string): void {
    let timer: NodeJS.Timeout | undefined;
    const repeat = (deed: () => void): void => {
      timer = setInterval(deed, INTERVAL);
      this.#timers.add(timer);
    };
    const socket = (VANDALS[kind] as Vandal)(this, pick(HOSTS), repeat);
    this.#open.add(socket);
    socket.once('connect', () => this.calls.set(kind, (this.calls.get(kind) ?? 0) + 1));
    socket.once('close', () => {
      this.#open.delete(socket);
      if (timer !== undefined) {
        clearInterval(timer);
        this.#timers.delete(timer);
      }
      if (!this.#isOver) setTimeout(() => this.#isOver || this.#call(kind), RETURN);
    });
  }
}
