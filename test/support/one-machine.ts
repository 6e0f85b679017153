/** A world whose processes are on one machine: each has an address of it and one of its local network, and a port of its own. */
import { BusyMachine, type Load } from './busy-machine.js';
import { SeededRandom } from './seeded-random.js';
import { type Peer, type PeerOptions, World } from './world.js';

export const IPV4 = '127.0.0.1';
const IPV6 = 'fd00::2';
/** Below those of all processes. */
export const FIRST_PORT = 20_000;

export interface OneMachineOptions {
  readonly load?: Load | undefined;
  /** Fraction of datagrams lost. */
  readonly loss?: number | undefined;
}

export class OneMachine {
  readonly world: World;
  readonly random: SeededRandom;
  readonly #busy: BusyMachine;

  constructor({ load, loss = 0 }: OneMachineOptions, seed: number) {
    this.world = new World(seed);
    this.random = new SeededRandom(seed + 3);
    this.#busy = new BusyMachine({ clock: this.world.clock, random: this.random }, load);
    Object.assign(this.world.network.faults, { delay: 0.2, jitter: 0.3, loss });
    this.world.streams.delay = 0.3;
  }

  /** A process starts, also where one was killed. */
  async start(options: PeerOptions & { readonly port: number }): Promise<Peer> {
    for (const place of placesOf(options)) this.world.network.blackHoles.delete(place);
    const peer = await this.world.peer({ ...options, address: IPV4, secondAddress: IPV6 });
    this.#busy.run(peer.clock);
    return peer;
  }

  /** What a process that was killed still sends is lost. */
  silence(peer: Peer): void {
    for (const place of placesOf(peer)) this.world.network.blackHoles.add(place);
  }
}

const placesOf = ({ port }: { readonly port: number }): string[] =>
  [IPV4, `[${IPV6}]`].map((address) => `${address}:${port}`);
