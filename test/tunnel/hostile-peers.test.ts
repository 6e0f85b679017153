/** Whatever peers do in whatever order, what they hold here is bounded, and freed when they go offline. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import t from 'tap';
import type { Dialer } from '../../src/tunnel/server/dialer.js';
import { encodeFrame } from '../../src/tunnel/wire/frame.js';
import { encodeHello } from '../../src/tunnel/wire/hello.js';
import type { PeerChannel, PeerChannelHandlers } from '../../src/tunnel/wire/peer-channel.js';
import { encodeEarly, encodeRequest } from '../../src/tunnel/wire/request.js';
import { SeededRandom } from '../support/seeded-random.js';
import { World } from './support/world.js';

const DESCRIPTORS = 60;
const PEERS = 4;
const FULL_FRAME = Buffer.alloc(1365);
const HELLO = encodeFrame(0x0108, 0, encodeHello({ kind: 'hello', version: 2, initialWindow: 65536 }));
/** EOF, RESET, TCP_FIN and WINDOW of an opener, and a fin of upstream's. */
const ENDS = [0x0621, 0x0622, 0x0601, 0x0620] as const;

/** A target that belongs to the peer. It takes nothing or everything; some end at once, some write, some break off. */
class OwnTarget extends Duplex {
  readonly #takes: boolean;

  constructor(random: SeededRandom) {
    super();
    this.#takes = random.below(3) === 0;
    const kind = random.below(4);
    if (kind === 0) this.push(null);
    else if (kind === 1) this.push(Buffer.alloc(1 + random.below(100_000)));
    else if (kind === 2 && random.below(4) === 0) setImmediate(() => this.destroy(new Error('reset')));
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#takes) done();
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  resetAndDestroy(): this {
    return this.destroy();
  }
}

class HostilePeer implements PeerChannel {
  readonly peerId: string;
  readonly maxPacketSize = 1373;
  readonly silence = 0;
  readonly #random: SeededRandom;
  readonly #ids: number[] = [];
  readonly #forwardIds: number[] = [];
  #handlers: PeerChannelHandlers | undefined;

  constructor(name: string, random: SeededRandom) {
    this.peerId = name.repeat(32);
    this.#random = random;
  }

  get isHere(): boolean {
    return this.#handlers !== undefined;
  }

  send(packet: Buffer): boolean {
    if (this.#random.below(8) === 0) return false;
    if (packet.readUInt16BE(2) === 0x0610) this.#ids.push(packet.readUInt16BE(4));
    return true;
  }

  sendLossy(): boolean {
    return this.#random.below(8) > 0;
  }

  receive(handlers: PeerChannelHandlers): void {
    this.#handlers = handlers;
    if (this.#random.below(2) === 0) this.#send(HELLO);
  }

  leave(): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#ids.length = 0;
    handlers?.onClose();
  }

  act(): void {
    const random = this.#random;
    const kind = random.below(10);
    const id = random.below(10) === 0 ? random.below(0x10000) : (this.#ids[random.below(this.#ids.length || 1)] ?? 0);
    if (kind < 2) {
      const forwardId = random.below(0x1_0000_0000);
      this.#send(encodeRequest(forwardId, { host: '192.0.2.1', port: 1 + random.below(9) }));
      this.#forwardIds.push(forwardId);
    } else if (kind === 2) {
      const forwardId = this.#forwardIds[random.below(this.#forwardIds.length + 1)] ?? 0;
      for (let count = random.below(30); count >= 0; count -= 1)
        this.#send(encodeEarly(forwardId, random.bytes(random.below(1_400))));
    } else if (kind < 7)
      for (let count = random.below(100); count >= 0; count -= 1) this.#send(encodeFrame(0x0600, id, FULL_FRAME));
    else if (kind < 9)
      this.#send(encodeFrame(ENDS[random.below(ENDS.length)] as number, id, random.bytes(random.below(6))));
    else this.#handlers?.onDrain();
  }

  #send(packet: Buffer): void {
    this.#handlers?.onPacket(packet);
  }
}

for (const seed of [1, 2, 3, 4]) {
  t.test(`four hostile peers, seed ${seed}`, async (t) => {
    const random = new SeededRandom(seed);
    const world = new World(t, seed);
    const dialer: Dialer = {
      dial: (_peerId, _target, { onConnected, onFailed }) => {
        const isThere = random.below(8) > 0;
        const timer = world.clock.after(random.below(3_000), () => {
          if (isThere) onConnected(new OwnTarget(random) as unknown as Socket, '192.0.2.1');
          else onFailed('timeout');
        });
        return () => timer.cancel();
      },
    };
    const server = world.service(undefined, dialer, undefined, DESCRIPTORS);
    const peers = Array.from({ length: PEERS }, (_, index) => new HostilePeer(`a${index}`, random));
    let most = 0;
    for (let round = 0; round < 6_000; round += 1) {
      const peer = peers[random.below(PEERS)] as HostilePeer;
      if (!peer.isHere) server.attach(peer);
      else if (random.below(300) === 0) peer.leave();
      else peer.act();
      if (round % 20 === 0) {
        world.clock.advance(random.below(1_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const used = [...server.list(), ...server.connecting()];
      for (const { peerId } of peers) most = Math.max(most, used.filter((one) => one.peerId === peerId).length);
      if (used.length > DESCRIPTORS) t.fail(`${used.length} descriptors in round ${round}`);
    }
    t.ok(most <= DESCRIPTORS / 2, `${most} of one peer`);
    t.ok(most > DESCRIPTORS / PEERS, 'the limits were reached');
    for (const peer of peers) peer.leave();
    for (let minute = 0; minute < 12; minute += 1) {
      world.clock.advance(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.same([server.list(), server.connecting()], [[], []], 'everything is freed when the peers are offline');
    t.equal(world.clock.pending, 0);
  });
}
