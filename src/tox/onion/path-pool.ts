/**
 * The paths in use for one purpose, each with what is known of its working (c-toxcore onion_client.c: Onion_Client_Paths).
 * Those that stay silent are replaced when one is asked for next, so that no outage leaves anything stuck.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import type { FirstHop } from './first-hop.js';
import type { HopPicker } from './hop-picker.js';
import { type EntryNode, OnionPath } from './onion-path.js';
import { Scope, scopeOf } from './scope.js';

/** Specification (c-toxcore NUMBER_ONION_PATHS). */
const PATHS = 6;
/** Specification (c-toxcore ONION_PATH_MAX_LIFETIME), ms. */
const LIFETIME = 1_200_000;
/**
 * A path is dead after so many requests without an answer, the last of them so many ms ago. A path that
 * never answered gets less patience. c-toxcore waits 4 s and 10 s; nobody's answer takes that long.
 */
const FRESH = { uses: 2, patience: 2_500 };
const PROVEN = { uses: 4, patience: 8_000 };
/** Ms without an answer after which the nodes of the path are asked whether they live. */
const SUSPICION = 700;

interface PathSlot {
  readonly path: OnionPath;
  /** The widest one that its hops' addresses may have. */
  readonly scope: Scope;
  readonly createdAt: number;
  hasAnswered: boolean;
  /** Requests since the last answer. */
  unanswered: number;
  /** When the request was sent that made `unanswered` reach its limit, or the last one before that. */
  usedAt: number;
  /** Runs out when an answer is overdue. */
  suspicion: Timer | undefined;
}

export interface PathWish {
  /** Another one than this. */
  readonly except?: OnionPath | undefined;
  /** Preferably not leaving the onion at the very node that the packet is for. */
  readonly isExitAvoided?: boolean;
  /** Preferably one that answered: for what nobody will confirm. */
  readonly proven?: boolean;
}

export interface PathPoolDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly hops: HopPicker;
  readonly firstHop: (node: EntryNode) => FirstHop;
}

export class PathPool {
  readonly #deps: PathPoolDeps;
  /** For destinations of each scope six, made when such a one turns up. */
  readonly #shelves = new Map<Scope, (PathSlot | undefined)[]>();

  constructor(deps: PathPoolDeps) {
    this.#deps = deps;
  }

  /** A path by which one packet gets there; undefined only when no nodes are known. */
  pick(destination: Endpoint, wish: PathWish = {}): OnionPath | undefined {
    const scope = this.#scopeFor(destination);
    let secondBest: OnionPath | undefined;
    for (const index of this.#order(scope, wish.proven === true)) {
      const path = this.#at(scope, index);
      if (path === undefined || path === wish.except) continue;
      if (!wish.isExitAvoided || path.exit.endpoint.key !== destination.key) return path;
      secondBest ??= path;
    }
    return secondBest;
  }

  /** One that probably works and another one, for a packet that should arrive at once. */
  pickTwo(destination: Endpoint): OnionPath[] {
    const first = this.pick(destination, { isExitAvoided: true, proven: true });
    const second = this.pick(destination, { isExitAvoided: true, except: first });
    return [first, second].filter((path) => path !== undefined);
  }

  /** A request that will be answered leaves by this path. */
  noteRequest(path: OnionPath): void {
    const slot = this.#slotOf(path);
    if (slot === undefined) return;
    slot.unanswered += 1;
    slot.suspicion ??= this.#deps.clock.after(SUSPICION, () => this.#suspect(slot));
    if (slot.unanswered <= (slot.hasAnswered ? PROVEN : FRESH).uses) slot.usedAt = this.#deps.clock.now();
  }

  noteAnswer(path: OnionPath): void {
    this.#deps.hops.noteSuccess(path.hops);
    const slot = this.#slotOf(path);
    if (slot === undefined) return;
    slot.hasAnswered = true;
    slot.unanswered = 0;
    this.#calm(slot);
  }

  /** Something got lost on the path that was not a request: an answer does not make it good, a dead node makes it bad. */
  suspect(path: OnionPath): void {
    this.#deps.hops.suspect(path.hops);
  }

  /** All paths are given up. */
  clear(): void {
    for (const slot of this.#all()) this.#calm(slot);
    this.#shelves.clear();
  }

  /** Another way to begin has turned up: paths that never answered, or wait for an answer, are given up. */
  forgetUnanswered(): void {
    for (const slot of this.#all()) if (!slot.hasAnswered || slot.unanswered > 0) this.#forget(slot);
  }

  /** A node is gone. @returns whether a path went through it */
  forgetThrough(node: PublicKey): boolean {
    let isChanged = false;
    for (const slot of this.#all()) {
      if (!slot.path.hops.some(({ publicKey }) => publicKey.equals(node))) continue;
      this.#forget(slot);
      isChanged = true;
    }
    return isChanged;
  }

  /** True while what is bound to the path, such as a ping id, is worth keeping. */
  isUsable(path: OnionPath): boolean {
    const slot = this.#slotOf(path);
    return slot !== undefined && !this.#isDead(slot) && !this.#isOutgrown(slot);
  }

  /** The slots at random; first those whose paths answered lately, when that matters. */
  #order(scope: Scope, provenFirst: boolean): number[] {
    const order = this.#shelf(scope).map((slot, index) => {
      const isProven = slot?.hasAnswered === true && slot.unanswered < PROVEN.uses;
      return { index, rank: this.#deps.random.below(1000) - (provenFirst && isProven ? 1000 : 0) };
    });
    return order.sort((a, b) => a.rank - b.rank).map(({ index }) => index);
  }

  #at(scope: Scope, index: number): OnionPath | undefined {
    const shelf = this.#shelf(scope);
    const slot = shelf[index];
    if (slot !== undefined && !this.#isDead(slot) && !this.#isOutgrown(slot)) return slot.path;
    if (slot !== undefined && !slot.hasAnswered && this.#isDead(slot)) this.#deps.hops.noteFailure(slot.path.hops);
    const hops = this.#deps.hops.pick(scope);
    if (hops === undefined) return slot?.path;
    const path = new OnionPath({ random: this.#deps.random, first: this.#deps.firstHop(hops[0]) }, hops);
    const now = this.#deps.clock.now();
    if (slot !== undefined) this.#calm(slot);
    shelf[index] = {
      path,
      scope,
      createdAt: now,
      hasAnswered: false,
      unanswered: 0,
      usedAt: now,
      suspicion: undefined,
    };
    return path;
  }

  #suspect(slot: PathSlot): void {
    slot.suspicion = undefined;
    this.#deps.hops.suspect(slot.path.hops);
  }

  #calm(slot: PathSlot): void {
    slot.suspicion?.cancel();
    slot.suspicion = undefined;
  }

  /** Without nodes whose addresses are so narrow there is no way that is sure. */
  #scopeFor(destination: Endpoint): Scope {
    const scope = scopeOf(destination);
    return scope !== Scope.World && this.#deps.hops.hasAny(scope) ? scope : Scope.World;
  }

  #shelf(scope: Scope): (PathSlot | undefined)[] {
    const known = this.#shelves.get(scope);
    if (known !== undefined) return known;
    const shelf = new Array<PathSlot | undefined>(PATHS).fill(undefined);
    this.#shelves.set(scope, shelf);
    return shelf;
  }

  #all(): PathSlot[] {
    return [...this.#shelves.values()].flat().filter((slot) => slot !== undefined);
  }

  #forget(slot: PathSlot): void {
    this.#calm(slot);
    const shelf = this.#shelf(slot.scope);
    shelf[shelf.indexOf(slot)] = undefined;
  }

  #slotOf(path: OnionPath): PathSlot | undefined {
    return this.#all().find((slot) => slot.path === path);
  }

  #isDead(slot: PathSlot): boolean {
    if (this.#deps.hops.isBroken(slot.path.hops)) return true;
    const now = this.#deps.clock.now();
    const { uses, patience } = slot.hasAnswered ? PROVEN : FRESH;
    return now - slot.createdAt >= LIFETIME || (slot.unanswered >= uses && now - slot.usedAt >= patience);
  }

  /** Paths that repeat nodes are for the first moments: they go when a better one is known to work, or if they never did. */
  #isOutgrown(slot: PathSlot): boolean {
    if (!slot.path.isRepetitive || !this.#deps.hops.hasPlenty(slot.scope)) return false;
    const others = this.#shelf(slot.scope);
    return !slot.hasAnswered || others.some((other) => other?.hasAnswered && !other.path.isRepetitive);
  }
}
