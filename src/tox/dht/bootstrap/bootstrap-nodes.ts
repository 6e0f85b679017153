/**
 * The nodes that we begin with. Each is asked again and again until it answers or others have; then it rests until we lose
 * everybody. A dead one costs ten packets.
 */
import { Backoff } from '../../../base/backoff.js';
import type { Clock, Timer } from '../../../base/clock.js';
import type { Random } from '../../../base/random.js';
import type { NodeInfo } from '../../packet/node-info.js';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 64_000;
/**
 * However long the network was away, we are to know within seconds that it is back: while we are not connected a node waits
 * at most so long, with many nodes longer, so that all of them together cost four packets a second.
 */
const LONGEST_WAIT_ALONE_MS = 2_000;
const WAIT_ALONE_MS_FOR_EACH_NODE = 250;
/** Once we are connected nobody waits longer than so for a node that stays silent. */
const LONGEST_WAIT_CONNECTED_MS = 4000;
/** The public list has under a hundred nodes, each with two addresses. */
const MAX_NODES = 256;

interface Entry {
  readonly node: NodeInfo;
  readonly backoff: Backoff;
  timer: Timer | undefined;
  /** Since it was asked for the first time, or for the first time after everybody was lost. */
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

  /** Asks the node now. When there are too many, the oldest is forgotten. */
  add(node: NodeInfo): void {
    this.#forget(idOf(node));
    if (this.#entries.size >= MAX_NODES) this.#forget(this.#entries.keys().next().value as string);
    const backoff = new Backoff(this.#deps.random, { first: FIRST_WAIT_MS, most: LONGEST_WAIT_MS });
    const entry: Entry = { node, backoff, timer: undefined, hasAnswered: false };
    this.#entries.set(idOf(node), entry);
    this.#ask(entry);
  }

  /** The node has answered: it rests. */
  answered(node: NodeInfo): void {
    const entry = this.#entries.get(idOf(node));
    if (entry === undefined) return;
    entry.timer?.cancel();
    entry.timer = undefined;
    entry.hasAnswered = true;
  }

  /** Nodes by their keys, for one may have two addresses; and how many of them answered when they were asked last. */
  get counts(): { readonly known: number; readonly answering: number } {
    const keys = (entries: Iterable<Entry>): number => new Set([...entries].map(({ node }) => node.publicKey.hex)).size;
    const entries = [...this.#entries.values()];
    return { known: keys(entries), answering: keys(entries.filter(({ hasAnswered }) => hasAnswered)) };
  }

  /** Everybody is lost: begins again with all of them. */
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
