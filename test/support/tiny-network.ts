/**
 * A network of few members on one machine, all with an address of it and one of its local network, most of which die or leave;
 * and how long a client needs that starts then. Repeatable from a seed.
 */
import type { Logger } from '../../src/base/logger.js';
import { ToxId } from '../../src/tox/crypto/tox-id.js';
import { newSavedata } from '../../src/tox/savedata.js';
import type { Load } from './busy-machine.js';
import { FIRST_PORT, OneMachine, type OneMachineOptions } from './one-machine.js';
import type { SeededRandom } from './seeded-random.js';
import type { Peer, PeerOptions, World } from './world.js';

export interface TinyNetworkOptions extends OneMachineOptions {
  /** False: all enter through the server. */
  readonly hasNode: boolean;
  /** How the others go: by kill -9, or in an orderly way. */
  readonly end: 'killed' | 'left';
  /** Of each member by its name. */
  readonly logOf?: (name: string) => Logger;
}

/** A machine with four times as much to do as it has processors. */
export const BUSY: Load = { wait: [10, 300], run: [5, 150] };

const MEMBERS = 4;
const HELLO = Buffer.from('hi\0');
const WRONG = Buffer.from('no\0');
/** ms; a client that needs longer is not admitted. */
const LIMIT = 120_000;
/** ms without a connection after which a client starts its search again (engine/client/remote-server). */
const HINTS = [10_000, 30_000, 70_000];

/** @returns ms that each of one or two new clients needs; Infinity for never */
export async function newcomersAmongTheDead(options: TinyNetworkOptions, seed: number): Promise<number[]> {
  return new TinyNetwork(options, seed).play();
}

class TinyNetwork {
  readonly #options: TinyNetworkOptions;
  readonly #machine: OneMachine;
  readonly #world: World;
  readonly #random: SeededRandom;
  #port = FIRST_PORT;

  constructor(options: TinyNetworkOptions, seed: number) {
    this.#options = options;
    this.#machine = new OneMachine(options, seed);
    this.#world = this.#machine.world;
    this.#random = this.#machine.random;
  }

  async play(): Promise<number[]> {
    const node = this.#options.hasNode ? await this.#start('node', { role: 'node' }) : undefined;
    const server = await this.#start('server');
    server.tox.onFriendRequest((request) => {
      if (request.message.equals(HELLO)) request.accept();
    });
    if (node !== undefined) server.join(node);
    const bootstrapNode = node ?? server;
    await this.#pass(0, 5_000);
    const mortals: Peer[] = [];
    for (let index = 0; index < MEMBERS; index += 1) {
      mortals.push(await this.#mortal(`mortal ${index}`, bootstrapNode, server, index));
      await this.#pass(0, 500);
    }
    // Half of them soon, the others when most announcements are about to be repeated.
    await this.#pass(1_000, 3_000);
    for (const mortal of mortals.splice(0, MEMBERS / 2)) await this.#end(mortal);
    await this.#pass(11_000, 14_000);
    for (const mortal of mortals) await this.#end(mortal);
    await this.#pass(0, 1_500);
    return this.#meet(bootstrapNode, server);
  }

  async #start(name: string, options: PeerOptions = {}): Promise<Peer> {
    this.#port += 1;
    const log = this.#options.logOf?.(name);
    const isRelay = name === 'node' || name === 'server';
    return this.#machine.start({
      ...options,
      port: this.#port,
      ...(isRelay ? { relayPort: this.#port } : {}),
      ...(log === undefined ? {} : { log }),
    });
  }

  /** Every fourth client has a wrong secret, every fourth searches for no server; the others are admitted. */
  async #mortal(name: string, bootstrapNode: Peer, server: Peer, index: number): Promise<Peer> {
    const mortal = (await this.#start(name)).join(bootstrapNode);
    const { identity } = newSavedata(this.#world.random);
    const nobody = new ToxId(identity.publicKey, identity.nospam);
    mortal.tox.addFriend(index === 2 ? nobody : server.tox.id, index === 3 ? WRONG : HELLO);
    return mortal;
  }

  async #end(peer: Peer): Promise<void> {
    if (this.#options.end === 'killed') this.#machine.silence(peer);
    void peer.tox.stop();
    await this.#pass(0, 50);
  }

  async #meet(bootstrapNode: Peer, server: Peer): Promise<number[]> {
    const start = this.#world.clock.now();
    const newcomers = await Promise.all(
      Array.from({ length: 1 + this.#random.below(2) }, async (_, index) => {
        const client = (await this.#start(`newcomer ${index}`)).join(bootstrapNode);
        const friend = client.tox.addFriend(server.tox.id, HELLO);
        const seek = (): void => {
          client.join(bootstrapNode);
          friend.seek();
        };
        for (const hint of HINTS) client.clock.after(hint, seek);
        return { friend, took: Number.POSITIVE_INFINITY };
      }),
    );
    await this.#world.until(() => {
      for (const newcomer of newcomers)
        if (newcomer.friend.isOnline) newcomer.took = Math.min(newcomer.took, this.#world.clock.now() - start);
      return newcomers.every(({ took }) => took < Number.POSITIVE_INFINITY);
    }, LIMIT);
    return newcomers.map(({ took }) => took);
  }

  /** Lets so many ms pass. */
  async #pass(least: number, most: number): Promise<void> {
    await this.#world.settle();
    this.#world.clock.advance(least + this.#random.fraction() * (most - least));
  }
}
