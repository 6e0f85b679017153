/**
 * The lookup of a real public key: finds the nodes closest to it that answer, and keeps them (spec: "Onion announce").
 * Driven by events: each newly learnt node is asked at once when it may belong to the closest, up to a number at a time.
 *
 *     waiting --ask--> asked --answer--> resting --ask--> asked …
 *
 * No answer to the last try: forgotten, unless all are silent.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { ExpiringMap } from '../../base/expiring-map.js';
import { compareDistance } from '../crypto/distance.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';

/** Implementation, ms until the next try: answers come by eight hops, most within half a second. */
const RETRIES_OF_STRANGERS = [700, 1_500, 3_000];
/** Nodes that have answered before get more tries, or loss would have us give up good ones. */
const RETRIES_OF_ACQUAINTANCES = [700, 1_500, 3_000, 3_000, 3_000];
/** Nodes at most that wait to be asked; a remote can name as many as it likes. */
const MAX_WAITING = 32;
/** Implementation, ms: the gaps go on so while nobody at all answers, for then it is rather the network that is silent. */
const GAP_IN_SILENCE = 3_000;
/** After so many tries it is an outage, and the gap grows, ms. */
const TRIES_IN_SILENCE = 12;
const GAP_IN_OUTAGE = 15_000;
/** Nodes asked on in the silence; while an outage lasts, others may name new ones without end. */
const MAX_IN_SILENCE = 64;
/** Specification (c-toxcore MIN_NODE_PING_TIME), ms for which a silent node is left alone. */
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

/** Whoever runs the search. */
export interface SearchOwner {
  /** Sends a request; called again with a higher attempt, from 0, while no answer comes. */
  ask(node: NodeInfo, attempt: number): void;
  /** A node that had answered is no longer among the closest, or fell silent. */
  onForgotten(node: NodeInfo): void;
}

export interface SearchOptions {
  readonly target: PublicKey;
  /** Nodes to keep. */
  readonly size: number;
  /** Nodes asked for the first time and without an answer yet. */
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

  /** The nodes that answered, closest first. */
  get nodes(): NodeInfo[] {
    return this.#closest().map(({ node }) => node);
  }

  /** True while there are so few nodes that any is welcome. */
  get isSparse(): boolean {
    return this.#closest().length <= this.#options.size / 2;
  }

  /** Learns of nodes; those close enough are asked at once. */
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

  /** Another way to the nodes has turned up: those that have not answered are asked anew without waiting. */
  askAgain(nodes: readonly NodeInfo[]): void {
    this.#silent.clear();
    for (const entry of this.#entries.values()) {
      if (entry.phase.kind !== 'asked') continue;
      entry.phase.timer.cancel();
      this.#ask(entry, 0);
    }
    this.offer(nodes);
  }

  /** Everything that is known may be wrong: asks all nodes anew, those too that have answered. @param nodes some that live */
  refresh(nodes: readonly NodeInfo[]): void {
    for (const entry of [...this.#entries.values()]) if (entry.phase.kind === 'resting') this.#ask(entry, 0);
    this.askAgain(nodes);
  }

  /** Asks a node again that rests. Harmless for any other. */
  ask(node: NodeInfo): void {
    const entry = this.#entries.get(node.publicKey.hex);
    if (entry?.phase.kind === 'resting') this.#ask(entry, 0);
  }

  /** A node answered. @returns whether it is among the closest */
  noteAnswer(node: NodeInfo, learnt: readonly NodeInfo[]): boolean {
    const entry = this.#entries.get(node.publicKey.hex) ?? { node, hasAnswered: false, phase: { kind: 'waiting' } };
    if (entry.phase.kind === 'asked') entry.phase.timer.cancel();
    entry.phase = { kind: 'resting' };
    entry.hasAnswered = true;
    this.#entries.set(node.publicKey.hex, entry);
    this.offer(learnt);
    const excess = this.#closest().slice(this.#options.size);
    // Last, as the owner may do anything when it hears of it, such as end the search.
    for (const far of excess) this.#forget(far);
    return !excess.includes(entry);
  }

  /** Forgets everything without a word to the owner. */
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

  /** Those that are asked already stay, or a flood of newcomers would undo the limit of requests. */
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
      // One that missed its first deadline gives up its place, or a few dead nodes would stall the search.
      else if (phase.kind === 'asked' && phase.attempt === 0 && !entry.hasAnswered) underWay += 1;
    }
    waiting.sort(this.#byDistance);
    for (const entry of waiting.slice(0, Math.max(0, this.#options.parallelism - underWay))) this.#ask(entry, 0);
  }

  #ask(entry: Entry, attempt: number): void {
    const patience = (entry.hasAnswered ? RETRIES_OF_ACQUAINTANCES : RETRIES_OF_STRANGERS)[attempt];
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
