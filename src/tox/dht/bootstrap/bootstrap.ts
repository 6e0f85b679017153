/**
 * Enters the network. Each bootstrap node is asked repeatedly until it or other nodes have answered, and again when no node
 * answers any more; a dead one costs ten packets. Nodes of an earlier run (c-toxcore dht_connect_after_load) are asked eight a
 * second until we are connected.
 */
import { Backoff } from '../../../base/backoff.js';
import type { Clock, Timer } from '../../../base/clock.js';
import type { Random } from '../../../base/random.js';
import type { PublicKey } from '../../crypto/keys.js';
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

// Specification.
const SAVED_NODES_PER_SECOND = 8;
/** More than a full close list has in practice. */
const MAX_SAVED_NODES = 512;
/** The pause after each round of all saved nodes doubles up to this limit, which keeps the wait short when the network is back. */
const FIRST_REST_MS = 4000;
const LONGEST_REST_MS = 16_000;

interface Entry {
  readonly node: NodeInfo;
  readonly backoff: Backoff;
  timer: Timer | undefined;
  /** Whether it has answered since it was added or since the last restart. */
  hasAnswered: boolean;
}

export interface BootstrapDeps {
  readonly ownKey: PublicKey;
  readonly clock: Clock;
  readonly random: Random;
  /** Asks a node for nodes near to us. */
  readonly ask: (node: NodeInfo) => void;
  readonly isConnected: () => boolean;
  /** Whether we know nodes outside of our local network. */
  readonly isBeyondLan: () => boolean;
}

export class Bootstrap {
  readonly #deps: BootstrapDeps;
  readonly #entries = new Map<string, Entry>();
  #saved: readonly NodeInfo[] = [];
  #nextSaved = 0;
  #rest = FIRST_REST_MS;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #state: 'new' | 'running' | 'stopped' = 'new';

  constructor(deps: BootstrapDeps) {
    this.#deps = deps;
  }

  /** Starts to ask the nodes of an earlier run. */
  start(): void {
    this.#state = 'running';
    this.tick(this.#deps.clock.now());
  }

  /** Stops permanently. */
  stop(): void {
    this.#state = 'stopped';
    for (const entry of this.#entries.values()) entry.timer?.cancel();
  }

  /** Asks this node now, and again until it answers. When there are too many, the oldest is dropped. */
  addNode(node: NodeInfo): void {
    if (node.publicKey.equals(this.#deps.ownKey)) return;
    this.#forget(idOf(node));
    if (this.#entries.size >= MAX_NODES) this.#forget(this.#entries.keys().next().value as string);
    const backoff = new Backoff(this.#deps.random, { first: FIRST_WAIT_MS, most: LONGEST_WAIT_MS });
    const entry: Entry = { node, backoff, timer: undefined, hasAnswered: false };
    this.#entries.set(idOf(node), entry);
    this.#ask(entry);
  }

  /** Adds nodes of an earlier run. Eight of them a second are tried while we are not connected. */
  addSavedNodes(nodes: readonly NodeInfo[]): void {
    const others = nodes.filter((node) => !node.publicKey.equals(this.#deps.ownKey));
    this.#saved = [...others, ...this.#saved].slice(0, MAX_SAVED_NODES);
    this.#restartSaved();
    if (this.#state === 'running') this.tick(this.#deps.clock.now());
  }

  /** The node has answered: it is not asked again until a restart. */
  answered(node: NodeInfo): void {
    const entry = this.#entries.get(idOf(node));
    if (entry === undefined) return;
    entry.timer?.cancel();
    entry.timer = undefined;
    entry.hasAnswered = true;
  }

  /** No node answers any more: asks all bootstrap nodes again, from the shortest interval. */
  noteLost(): void {
    for (const entry of this.#entries.values()) {
      entry.timer?.cancel();
      entry.backoff.reset();
      entry.hasAnswered = false;
      this.#ask(entry);
    }
  }

  /** Asks bootstrap nodes and saved nodes again, from the beginning. */
  refresh(): void {
    this.noteLost();
    this.#restartSaved();
  }

  /** Asks the next saved nodes unless we are connected to more than a local network. Called once a second. */
  tick(now: number): void {
    const { ask, isConnected, isBeyondLan } = this.#deps;
    if (this.#saved.length === 0 || now < this.#restsUntil || (isConnected() && isBeyondLan())) return;
    for (const node of this.#saved.slice(this.#nextSaved, this.#nextSaved + SAVED_NODES_PER_SECOND)) ask(node);
    this.#nextSaved += SAVED_NODES_PER_SECOND;
    if (this.#nextSaved < this.#saved.length) return;
    this.#nextSaved = 0;
    this.#restsUntil = now + this.#rest;
    this.#rest = Math.min(LONGEST_REST_MS, this.#rest * 2);
  }

  /** The number of bootstrap nodes by key, since one may have two addresses, and how many of them have answered. */
  get counts(): { readonly known: number; readonly answering: number } {
    const keys = (entries: Iterable<Entry>): number => new Set([...entries].map(({ node }) => node.publicKey.hex)).size;
    const entries = [...this.#entries.values()];
    return { known: keys(entries), answering: keys(entries.filter(({ hasAnswered }) => hasAnswered)) };
  }

  /** Starts a new round of the saved nodes at once. */
  #restartSaved(): void {
    this.#nextSaved = 0;
    this.#rest = FIRST_REST_MS;
    this.#restsUntil = Number.NEGATIVE_INFINITY;
  }

  #ask(entry: Entry): void {
    if (this.#state === 'stopped') return;
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
