/**
 * A network on one machine with a single bootstrap node, in which clients come and go while the node or the server is killed and
 * run again with its key and its port, or a process is stopped for some seconds: how long each new client needs until the server
 * has answered it. Repeatable from a seed.
 */
import { type Logger, silentLogger } from '../../src/base/logger.js';
import { NetworkEntry } from '../../src/engine/network/network-entry.js';
import { generateKeyPair, type KeyPair } from '../../src/tox/crypto/key-pair.js';
import { ToxId } from '../../src/tox/crypto/tox-id.js';
import { newSavedata, type Savedata } from '../../src/tox/savedata.js';
import { FIRST_PORT, IPV4, OneMachine, type OneMachineOptions } from './one-machine.js';
import type { SeededRandom } from './seeded-random.js';
import type { Peer, PeerOptions, World } from './world.js';

type Range = readonly [least: number, most: number];

export interface ChurnOptions extends OneMachineOptions {
  /** Who is killed in each round, at any time around the start of the new clients. */
  readonly victims: readonly ('node' | 'server')[];
  /** ms for which any process is stopped in each round. */
  readonly stop?: Range;
  /** Of each member by its name. */
  readonly logOf?: (name: string, now: () => number) => Logger;
}

const HELLO = Buffer.from('hi\0');
const CALL = Buffer.from([0xa0, 1]);
const ROUNDS = 2;
const RESIDENTS = 3;
/** ms of a round in which somebody is killed or stopped, and in which both new clients start. */
const TROUBLE: Range = [0, 6_000];
const ARRIVAL: Range = [3_000, 4_500];
/** ms from a kill until the process runs again. */
const AWAY: Range = [2_300, 4_500];
/** ms; a client that needs longer is not admitted. */
const LIMIT = 180_000;
/** ms without a connection after which a client starts its search again (engine/client/remote-server). */
const HINTS = [9_000, 27_000, 62_000, 132_000];
/** ms that pass at a time; in between, promises run. */
const SLICE = 25;

/** @returns ms that each new client needs; Infinity for never */
export async function visitsDuringChurn(options: ChurnOptions, seed: number): Promise<number[]> {
  return new ChurnNetwork(options, seed).play();
}

interface Member {
  readonly peer: Peer;
  /** Undefined for the node. */
  readonly entry: NetworkEntry | undefined;
}

class ChurnNetwork {
  readonly #options: ChurnOptions;
  readonly #machine: OneMachine;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #nodeKeys: KeyPair;
  /** Of the server and of the node, for all their runs. */
  readonly #savedata: Savedata;
  readonly #members = new Map<string, Member>();
  readonly #took: number[] = [];
  #port = FIRST_PORT + 2;

  constructor(options: ChurnOptions, seed: number) {
    this.#options = options;
    this.#machine = new OneMachine(options, seed);
    this.#world = this.#machine.world;
    this.#random = this.#machine.random;
    this.#nodeKeys = generateKeyPair(this.#world.random);
    this.#savedata = newSavedata(this.#world.random);
  }

  async play(): Promise<number[]> {
    await this.#start('node');
    await this.#start('server');
    for (let index = 1; index <= RESIDENTS; index += 1) {
      await this.#pass(2_000, 5_000);
      await this.#visit(`resident ${index}`, () => {});
    }
    await this.#pass(5_000, 40_000);
    for (let round = 1; round <= ROUNDS; round += 1) await this.#round(`client ${round}`);
    return this.#took;
  }

  async #round(client: string): Promise<void> {
    const names = [`${client} a`, `${client} b`];
    const now = this.#world.clock.now();
    const plan: { readonly at: number; readonly act: () => unknown }[] = [];
    const open = new Set(names);
    for (const name of names) {
      const onAnswer = (took: number): void => {
        if (open.delete(name)) this.#took.push(took);
      };
      plan.push({ at: now + this.#draw(ARRIVAL), act: () => this.#visit(name, onAnswer) });
    }
    for (const victim of this.#options.victims) {
      const at = now + this.#draw(TROUBLE);
      plan.push({ at, act: () => this.#kill(victim) });
      plan.push({ at: at + this.#draw(AWAY), act: () => this.#start(victim) });
    }
    if (this.#options.stop !== undefined) {
      const at = now + this.#draw(TROUBLE);
      const who = ['node', 'server', 'resident 1', ...names][this.#random.below(5)] as string;
      plan.push({ at, act: () => this.#members.get(who)?.peer.clock.freeze() });
      plan.push({ at: at + this.#draw(this.#options.stop), act: () => this.#members.get(who)?.peer.clock.thaw() });
    }
    for (const { at, act } of plan.sort((a, b) => a.at - b.at)) {
      await this.#advanceTo(at);
      await act();
    }
    const end = this.#world.clock.now() + LIMIT;
    while (open.size > 0 && this.#world.clock.now() < end) await this.#advanceTo(this.#world.clock.now() + SLICE);
    for (const _ of open) this.#took.push(Number.POSITIVE_INFINITY);
    for (const [index, name] of names.entries()) await this.#end(name, index === 0);
    await this.#pass(3_000, 20_000);
  }

  /** A client starts. @param onAnswer called with the ms that it took, at each answer */
  async #visit(name: string, onAnswer: (took: number) => void): Promise<void> {
    const { peer, entry } = await this.#start(name);
    const startedAt = this.#world.clock.now();
    const { publicKey, nospam } = this.#savedata.identity;
    const friend = peer.tox.addFriend(new ToxId(publicKey, nospam), HELLO);
    friend.onPresence((presence) => presence === 'online' && friend.sendLossless(CALL));
    friend.onLossless(() => onAnswer(this.#world.clock.now() - startedAt));
    for (const hint of HINTS) {
      peer.clock.after(hint, () => {
        if (friend.isOnline || this.#members.get(name)?.peer !== peer) return;
        entry?.ask();
        friend.seek();
      });
    }
  }

  async #start(name: string): Promise<Member> {
    const options = this.#optionsOf(name);
    const log = this.#options.logOf?.(name, () => this.#world.clock.now()) ?? silentLogger;
    const peer = await this.#machine.start({ ...options, log });
    const member = { peer, entry: name === 'node' ? undefined : this.#enter(peer) };
    this.#members.set(name, member);
    if (name === 'server') {
      peer.tox.onFriendRequest((request) => {
        const friend = request.accept();
        friend.onLossless((packet) => friend.sendLossless(packet));
      });
    }
    return member;
  }

  #optionsOf(name: string): PeerOptions & { readonly port: number } {
    const [node, server] = [FIRST_PORT + 1, FIRST_PORT + 2];
    if (name === 'node') return { role: 'node', port: node, relayPort: node, dhtKeys: this.#nodeKeys };
    if (name === 'server') return { port: server, relayPort: server, savedata: this.#savedata };
    this.#port += 1;
    return { port: this.#port };
  }

  #enter({ tox, clock }: Peer): NetworkEntry {
    const node = { host: IPV4, port: FIRST_PORT + 1, publicKey: this.#nodeKeys.publicKey };
    const entry = new NetworkEntry({ clock, random: this.#random, tox }, [node]);
    tox.onOnlineChange((isOnline) => entry.onOnlineChange(isOnline));
    entry.ask();
    return entry;
  }

  #kill(name: string): Promise<void> {
    return this.#end(name, true);
  }

  /** @param isKilled without a word to the others */
  async #end(name: string, isKilled: boolean): Promise<void> {
    const { peer, entry } = this.#members.get(name) as Member;
    this.#members.delete(name);
    if (isKilled) this.#machine.silence(peer);
    entry?.close();
    peer.clock.thaw();
    void peer.tox.stop();
    await this.#pass(1, 50);
  }

  #draw([least, most]: Range): number {
    return least + this.#random.fraction() * (most - least);
  }

  #pass(least: number, most: number): Promise<void> {
    return this.#advanceTo(this.#world.clock.now() + this.#draw([least, most]));
  }

  async #advanceTo(end: number): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const left = end - this.#world.clock.now();
      if (left <= 0) return;
      this.#world.clock.advance(Math.min(SLICE, left));
    }
  }
}
