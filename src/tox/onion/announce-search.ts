/**
 * The lookup of a real public key: finds the nodes closest to it that answer, and remembers them (spec: "Onion announce"). Each new
 * node that may belong to the closest is asked at once, up to a number at a time.
 *
 *     waiting --ask--> asked --answer--> resting --ask--> asked …
 *
 * A node that does not answer the last attempt is forgotten, unless all nodes are silent.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { ExpiringMap } from '../../base/expiring-map.js';
import { compareDistance } from '../crypto/distance.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';

/** ms until the next attempt. Answers come over eight hops, most within half a second. */
const RETRIES_OF_NEW_NODES = [700, 1_500, 3_000];
/** Nodes that have answered before get more attempts, since packets of good ones get lost. */
const RETRIES_OF_KNOWN_NODES = [700, 1_500, 3_000, 3_000, 3_000];
/** Nodes that wait to be asked, at most: a node can name any number of others. */
const MAX_WAITING = 32;
/** ms between further attempts while no node answers, since then the network is probably down. */
const GAP_IN_SILENCE = 3_000;
/** After so many attempts it is an outage, and attempts are this many ms apart. */
const TRIES_IN_SILENCE = 12;
const GAP_IN_OUTAGE = 15_000;
/** Nodes that are asked further while no node answers, at most. */
const MAX_IN_SILENCE = 64;
/** Specification (c-toxcore MIN_NODE_PING_TIME), ms for which a silent node is not asked. */
const SILENCE_MEMORY = 10_000;
const MAX_SILENT = 128;

type Phase =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'asked'; readonly attempt: number; readonly timer: Timer }
  | { readonly kind: 'resting' };

interface Entry {
  readonly node: NodeInfo;
  hasAnswered: boolean;
  phase: Phase;
}

export interface SearchOwner {
  /** Sends a request. @param attempt 0, and then one more each time, while no answer comes */
  ask(node: NodeInfo, attempt: number): void;
  /** A node that had answered is not among the closest any more, or has become silent. */
  onForgotten(node: NodeInfo): void;
}

export interface SearchOptions {
  readonly target: PublicKey;
  /** Nodes to remember. */
  readonly size: number;
  /** First attempts at new nodes at a time. */
  readonly parallelism: number;
}

export class AnnounceSearch {
  readonly #clock: Clock;
  readonly #owner: SearchOwner;
  readonly #options: SearchOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #silent = new ExpiringMap<string, true>(SILENCE_MEMORY, MAX_SILENT);

  constructor(deps: { readonly clock: Clock; readonly owner: SearchOwner }, options: SearchOptions) {
    this.#clock = deps.clock;
    this.#owner = deps.owner;
    this.#options = options;
  }

  /** The closest nodes that have answered, the closest first. */
  get nodes(): NodeInfo[] {
    return this.#closest().map(({ node }) => node);
  }

  /** Whether few nodes have answered, so that more are needed. */
  get isSparse(): boolean {
    return this.#closest().length <= this.#options.size / 2;
  }

  /** Adds nodes; those close enough are asked at once. */
  offer(nodes: readonly NodeInfo[]): void {
    const now = this.#clock.now();
    for (const node of nodes) {
      if (this.#entries.has(node.publicKey.hex) || !this.#isWanted(node)) continue;
      if (this.#silent.get(identityOf(node), now) && this.#hasAnswers()) continue;
      this.#entries.set(node.publicKey.hex, { node, hasAnswered: false, phase: { kind: 'waiting' } });
    }
    this.#dropFarWaiting();
    this.#askWaiting();
  }

  /** Asks nodes that have not answered again, without waiting: there is another path to them. */
  askAgain(nodes: readonly NodeInfo[]): void {
    this.#silent.clear();
    for (const entry of this.#entries.values()) {
      if (entry.phase.kind !== 'asked') continue;
      entry.phase.timer.cancel();
      this.#ask(entry, 0);
    }
    this.offer(nodes);
  }

  /** Asks all nodes again, including those that have answered. @param nodes nodes that are alive */
  refresh(nodes: readonly NodeInfo[]): void {
    for (const entry of [...this.#entries.values()]) if (entry.phase.kind === 'resting') this.#ask(entry, 0);
    this.askAgain(nodes);
  }

  /** Asks a node again if it is resting. */
  ask(node: NodeInfo): void {
    const entry = this.#entries.get(node.publicKey.hex);
    if (entry?.phase.kind === 'resting') this.#ask(entry, 0);
  }

  /** A node has answered. @returns whether it is among the closest */
  noteAnswer(node: NodeInfo, learnt: readonly NodeInfo[]): boolean {
    const entry = this.#entries.get(node.publicKey.hex) ?? { node, hasAnswered: false, phase: { kind: 'waiting' } };
    if (entry.phase.kind === 'asked') entry.phase.timer.cancel();
    entry.phase = { kind: 'resting' };
    entry.hasAnswered = true;
    this.#entries.set(node.publicKey.hex, entry);
    this.offer(learnt);
    const excess = this.#closest().slice(this.#options.size);
    // Last, since the owner may end the search in its handler.
    for (const far of excess) this.#forget(far);
    return !excess.includes(entry);
  }

  /** Forgets everything without calling the owner. */
  clear(): void {
    for (const { phase } of this.#entries.values()) if (phase.kind === 'asked') phase.timer.cancel();
    this.#entries.clear();
    this.#silent.clear();
  }

  #closest(): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.hasAnswered).sort(this.#byDistance);
  }

  readonly #byDistance = (a: Entry, b: Entry): number =>
    compareDistance(this.#options.target, a.node.publicKey, b.node.publicKey);

  #isWanted(node: NodeInfo): boolean {
    const farthest = this.#closest()[this.#options.size - 1];
    return farthest === undefined || compareDistance(this.#options.target, node.publicKey, farthest.node.publicKey) < 0;
  }

  /** Forgets the farthest nodes that wait. Those in flight stay, so that a flood of names cannot exceed the limit of requests. */
  #dropFarWaiting(): void {
    const waiting = [...this.#entries.values()].filter(({ phase }) => phase.kind === 'waiting').sort(this.#byDistance);
    waiting.forEach((entry, index) => {
      if (index >= MAX_WAITING || !this.#isWanted(entry.node)) this.#forget(entry);
    });
  }

  #askWaiting(): void {
    let underWay = 0;
    const waiting: Entry[] = [];
    for (const entry of this.#entries.values()) {
      const { phase } = entry;
      if (phase.kind === 'waiting') waiting.push(entry);
      // A node that missed its first deadline does not count, so that a few dead nodes cannot stall the search.
      else if (phase.kind === 'asked' && phase.attempt === 0 && !entry.hasAnswered) underWay += 1;
    }
    waiting.sort(this.#byDistance);
    for (const entry of waiting.slice(0, Math.max(0, this.#options.parallelism - underWay))) this.#ask(entry, 0);
  }

  #ask(entry: Entry, attempt: number): void {
    const patience = (entry.hasAnswered ? RETRIES_OF_KNOWN_NODES : RETRIES_OF_NEW_NODES)[attempt];
    if (patience !== undefined) this.#send(entry, attempt, patience);
    else this.#giveUp(entry, attempt);
    if (attempt > 0) this.#askWaiting();
  }

  #send(entry: Entry, attempt: number, patience: number): void {
    const timer = this.#clock.after(patience, () => this.#ask(entry, attempt + 1));
    entry.phase = { kind: 'asked', attempt, timer };
    this.#owner.ask(entry.node, attempt);
  }

  #giveUp({ node, hasAnswered }: Entry, attempt: number): void {
    this.#entries.delete(node.publicKey.hex);
    if (this.#hasAnswers() || this.#entries.size >= MAX_IN_SILENCE) {
      this.#silent.set(identityOf(node), true, this.#clock.now());
    } else {
      const again: Entry = { node, hasAnswered: false, phase: { kind: 'waiting' } };
      this.#entries.set(node.publicKey.hex, again);
      this.#send(again, attempt, attempt < TRIES_IN_SILENCE ? GAP_IN_SILENCE : GAP_IN_OUTAGE);
    }
    if (hasAnswered) this.#owner.onForgotten(node);
  }

  #hasAnswers(): boolean {
    for (const entry of this.#entries.values()) if (entry.hasAnswered) return true;
    return false;
  }

  #forget(entry: Entry): void {
    if (entry.phase.kind === 'asked') entry.phase.timer.cancel();
    this.#entries.delete(entry.node.publicKey.hex);
    if (entry.hasAnswered) this.#owner.onForgotten(entry.node);
  }
}

/** A node that was silent at one address may answer at another. */
function identityOf(node: NodeInfo): string {
  return `${node.publicKey.hex}@${node.endpoint.key}`;
}
