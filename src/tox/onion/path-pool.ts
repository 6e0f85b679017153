/**
 * The paths in use for one purpose, and which of them work (c-toxcore onion_client.c: Onion_Client_Paths). Dead ones are replaced
 * when a path is needed next, so that no outage leaves anything stuck.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { Random } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import type { HopPicker } from './hop-picker.js';
import { type EntryNode, type FirstHop, OnionPath } from './onion-path.js';
import { Scope, scopeOf } from './scope.js';

/** Specification (c-toxcore NUMBER_ONION_PATHS). */
const PATHS = 6;
/** Specification (c-toxcore ONION_PATH_MAX_LIFETIME), ms. */
const LIFETIME = 1_200_000;
/** A path is dead after so many unanswered requests, the last so many ms ago. c-toxcore waits 4 s and 10 s. */
const FRESH = { uses: 2, patience: 2_500 };
const PROVEN = { uses: 4, patience: 8_000 };
/** ms without an answer after which the nodes of the path are checked. */
const SUSPICION = 700;

interface PathSlot {
  readonly path: OnionPath;
  /** The widest scope of its hops' addresses. */
  readonly scope: Scope;
  readonly createdAt: number;
  hasAnswered: boolean;
  /** Requests since the last answer. */
  unanswered: number;
  /** When the last request was sent that `unanswered` counts up to its limit. */
  usedAt: number;
  /** Fires when an answer is overdue. */
  suspicion: Timer | undefined;
}

export interface PathPreferences {
  /** Excludes this path. */
  readonly except?: OnionPath | undefined;
  /** Prefers a path whose exit is not the destination. */
  readonly isExitAvoided?: boolean;
  /** Prefers a path that has answered, for packets without a confirmation. */
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
  /** Six paths for destinations of each scope, made when they are needed. */
  readonly #pathsByScope = new Map<Scope, (PathSlot | undefined)[]>();

  constructor(deps: PathPoolDeps) {
    this.#deps = deps;
  }

  /** Returns a path to the destination; undefined only when no nodes are known. */
  pick(destination: Endpoint, preferences: PathPreferences = {}): OnionPath | undefined {
    const scope = this.#scopeFor(destination);
    let secondBest: OnionPath | undefined;
    for (const index of this.#order(scope, preferences.proven === true)) {
      const path = this.#at(scope, index);
      if (path === undefined || path === preferences.except) continue;
      if (!preferences.isExitAvoided || path.exit.endpoint.key !== destination.key) return path;
      secondBest ??= path;
    }
    return secondBest;
  }

  /** Returns a path that probably works and another one, for a packet that should arrive at once. */
  pickTwo(destination: Endpoint): OnionPath[] {
    const first = this.pick(destination, { isExitAvoided: true, proven: true });
    const second = this.pick(destination, { isExitAvoided: true, except: first });
    return [first, second].filter((path) => path !== undefined);
  }

  /** A request that needs an answer is sent by this path. */
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
    this.#stopSuspicion(slot);
  }

  /** A packet other than a request got lost on the path: checks its nodes. */
  suspect(path: OnionPath): void {
    this.#deps.hops.suspect(path.hops);
  }

  /** Gives up all paths. */
  clear(): void {
    for (const slot of this.#all()) this.#stopSuspicion(slot);
    this.#pathsByScope.clear();
  }

  /** Gives up paths that never answered or wait for an answer. */
  forgetUnanswered(): void {
    for (const slot of this.#all()) if (!slot.hasAnswered || slot.unanswered > 0) this.#forget(slot);
  }

  /** Gives up the paths through a node that is gone. @returns whether there were any */
  forgetThrough(node: PublicKey): boolean {
    let isChanged = false;
    for (const slot of this.#all()) {
      if (!slot.path.hops.some(({ publicKey }) => publicKey.equals(node))) continue;
      this.#forget(slot);
      isChanged = true;
    }
    return isChanged;
  }

  /** Whether a ping id that is bound to the path can still be used. */
  isUsable(path: OnionPath): boolean {
    const slot = this.#slotOf(path);
    return slot !== undefined && !this.#isDead(slot) && !this.#isOutgrown(slot);
  }

  /** Returns the slots in random order. @param provenFirst puts those whose paths answered lately in front */
  #order(scope: Scope, provenFirst: boolean): number[] {
    const order = this.#slotsOf(scope).map((slot, index) => {
      const isProven = slot?.hasAnswered === true && slot.unanswered < PROVEN.uses;
      return { index, rank: this.#deps.random.below(1000) - (provenFirst && isProven ? 1000 : 0) };
    });
    return order.sort((a, b) => a.rank - b.rank).map(({ index }) => index);
  }

  #at(scope: Scope, index: number): OnionPath | undefined {
    const slots = this.#slotsOf(scope);
    const slot = slots[index];
    if (slot !== undefined && !this.#isDead(slot) && !this.#isOutgrown(slot)) return slot.path;
    if (slot !== undefined && !slot.hasAnswered && this.#isDead(slot)) this.#deps.hops.noteFailure(slot.path.hops);
    const hops = this.#deps.hops.pick(scope);
    if (hops === undefined) return slot?.path;
    const path = new OnionPath({ random: this.#deps.random, first: this.#deps.firstHop(hops[0]) }, hops);
    const now = this.#deps.clock.now();
    if (slot !== undefined) this.#stopSuspicion(slot);
    slots[index] = {
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

  #stopSuspicion(slot: PathSlot): void {
    slot.suspicion?.cancel();
    slot.suspicion = undefined;
  }

  /** Returns the scope for hops: that of the destination, or the widest if no node has so narrow an address. */
  #scopeFor(destination: Endpoint): Scope {
    const scope = scopeOf(destination);
    return scope !== Scope.World && this.#deps.hops.hasAny(scope) ? scope : Scope.World;
  }

  #slotsOf(scope: Scope): (PathSlot | undefined)[] {
    const known = this.#pathsByScope.get(scope);
    if (known !== undefined) return known;
    const slots = new Array<PathSlot | undefined>(PATHS).fill(undefined);
    this.#pathsByScope.set(scope, slots);
    return slots;
  }

  #all(): PathSlot[] {
    return [...this.#pathsByScope.values()].flat().filter((slot) => slot !== undefined);
  }

  #forget(slot: PathSlot): void {
    this.#stopSuspicion(slot);
    const slots = this.#slotsOf(slot.scope);
    slots[slots.indexOf(slot)] = undefined;
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

  /** Whether the path repeats nodes although there are enough, and is not needed: it never worked, or a better one does. */
  #isOutgrown(slot: PathSlot): boolean {
    if (!slot.path.isRepetitive || !this.#deps.hops.hasPlenty(slot.scope)) return false;
    const others = this.#slotsOf(slot.scope);
    return !slot.hasAnswered || others.some((other) => other?.hasAnswered && !other.path.isRepetitive);
  }
}
