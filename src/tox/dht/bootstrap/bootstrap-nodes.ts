/**
 * The bootstrap nodes. Each is asked repeatedly until it or other nodes have answered, and again when no node answers any more.
 * A dead one costs ten packets.
 */
import { Backoff } from '../../../base/backoff.js';
import type { Clock, Timer } from '../../../base/clock.js';
import type { Random } from '../../../base/random.js';
import type { NodeInfo } from '../../packet/node-info.js';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 64_000;
/**
 * While we are not connected a node is asked at least this often, so that a network that is back is noticed within seconds. With
 * many nodes the interval is longer, so that all of them together cost four packets a second.
 */
const LONGEST_WAIT_ALONE_MS = 2_000;
const WAIT_ALONE_MS_FOR_EACH_NODE = 250;
/** Once we are connected, a silent node is given up when its interval has grown to this. */
const LONGEST_WAIT_CONNECTED_MS = 4000;
/** The public list has under a hundred nodes, each with two addresses. */
const MAX_NODES = 256;

interface Entry {
  readonly node: NodeInfo;
  readonly backoff: Backoff;
  timer: Timer | undefined;
  /** Whether it has answered since it was added or since the last restart. */
  hasAnswered: boolean;
}

export interface BootstrapNodesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly ask: (node: NodeInfo) => void;
  readonly isConnected: () => boolean;
}

export class BootstrapNodes {
  readonly #deps: BootstrapNodesDeps;
  readonly #entries = new Map<string, Entry>();
  #isStopped = false;

  constructor(deps: BootstrapNodesDeps) {
    this.#deps = deps;
  }

  /** Asks the node now. When there are too many, the oldest is dropped. */
  add(node: NodeInfo): void {
    this.#forget(idOf(node));
    if (this.#entries.size >= MAX_NODES) this.#forget(this.#entries.keys().next().value as string);
    const backoff = new Backoff(this.#deps.random, { first: FIRST_WAIT_MS, most: LONGEST_WAIT_MS });
    const entry: Entry = { node, backoff, timer: undefined, hasAnswered: false };
    this.#entries.set(idOf(node), entry);
    this.#ask(entry);
  }

  /** The node has answered: it is not asked again until a restart. */
  answered(node: NodeInfo): void {
    const entry = this.#entries.get(idOf(node));
    if (entry === undefined) return;
    entry.timer?.cancel();
    entry.timer = undefined;
    entry.hasAnswered = true;
  }

  /** The number of nodes by key, since one may have two addresses, and how many of them have answered. */
  get counts(): { readonly known: number; readonly answering: number } {
    const keys = (entries: Iterable<Entry>): number => new Set([...entries].map(({ node }) => node.publicKey.hex)).size;
    const entries = [...this.#entries.values()];
    return { known: keys(entries), answering: keys(entries.filter(({ hasAnswered }) => hasAnswered)) };
  }

  /** Asks all nodes again, from the shortest interval. */
  restart(): void {
    for (const entry of this.#entries.values()) {
      entry.timer?.cancel();
      entry.backoff.reset();
      entry.hasAnswered = false;
      this.#ask(entry);
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const entry of this.#entries.values()) entry.timer?.cancel();
  }

  #ask(entry: Entry): void {
    if (this.#isStopped) return;
    const { clock, ask, isConnected } = this.#deps;
    ask(entry.node);
    const patience = entry.backoff.next();
    const most = Math.max(LONGEST_WAIT_ALONE_MS, WAIT_ALONE_MS_FOR_EACH_NODE * this.#entries.size);
    entry.timer = clock.after(Math.min(patience, most), () => {
      entry.timer = undefined;
      if (patience < LONGEST_WAIT_CONNECTED_MS || !isConnected()) this.#ask(entry);
    });
  }

  #forget(id: string): void {
    this.#entries.get(id)?.timer?.cancel();
    this.#entries.delete(id);
  }
}

const idOf = (node: NodeInfo): string => `${node.publicKey.hex}@${node.endpoint.key}`;
