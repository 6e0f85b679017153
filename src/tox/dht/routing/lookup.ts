/**
 * Asks nodes that lie nearer and nearer to a target, several at a time, as soon as it hears of them. A node that stays silent
 * gives its place to others after half a second and is asked again later, for the answer may have been lost.
 */
import type { Clock, Timer } from '../../../base/clock.js';
import { ExpiringMap } from '../../../base/expiring-map.js';
import { compareDistance } from '../../crypto/distance.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';

/** Requests in flight: enough to outrun a list of dead nodes, too few to flood a line. */
const PARALLEL = 8;
/** Longer than almost every round trip; each further wait is twice as long, up to the one below. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 3000;
const ATTEMPTS = 3;
/** The node we look for may sit behind a NAT that opens only when it too has begun to send to us. */
const TARGET_ATTEMPTS = 8;
/** Nodes that wait for their turn, the nearest ones. */
const MAX_CANDIDATES = 32;
/** Addresses of one key among them: no liar shall fill the list with addresses of the key we look for. */
const MAX_ADDRESSES_OF_A_KEY = 4;
/** A node that never answered is left alone so long, however many others name it. */
const SILENT_MS = 30_000;
const MAX_SILENT = 256;

interface Candidate {
  readonly node: NodeInfo;
  /** Asked even when the list would not take it. */
  isWanted: boolean;
  attempts: number;
  /** ms of the clock: before that it is in flight. */
  waitsUntil: number;
}

export interface LookupDeps {
  readonly clock: Clock;
  readonly ask: (node: NodeInfo) => void;
  /** Whether asking a node that others named still is worth it when its turn comes. */
  readonly wants: (node: NodeInfo) => boolean;
}

export class Lookup {
  readonly #deps: LookupDeps;
  readonly #target: PublicKey;
  readonly #candidates = new Map<string, Candidate>();
  readonly #silent = new ExpiringMap<string, true>(SILENT_MS, MAX_SILENT);
  #timer: Timer | undefined;

  constructor(deps: LookupDeps, options: { readonly target: PublicKey }) {
    this.#deps = deps;
    this.#target = options.target;
  }

  /** Another node has named this one: asks it if the list wants it and it has not just been silent. */
  offer(node: NodeInfo): void {
    // Most nodes that are named are in the list already.
    if (!this.#deps.wants(node) || this.#silent.get(idOf(node), this.#deps.clock.now()) !== undefined) return;
    this.#add(node, false);
  }

  /** Asks the node in any case: its source is reliable. */
  askNow(node: NodeInfo): void {
    this.#silent.delete(idOf(node));
    this.#add(node, true);
  }

  /** The node has answered what it was asked about the target. */
  answered(node: NodeInfo): void {
    const id = idOf(node);
    this.#silent.delete(id);
    if (this.#candidates.delete(id)) this.#pump();
  }

  close(): void {
    this.#timer?.cancel();
    this.#candidates.clear();
  }

  #add(node: NodeInfo, isWanted: boolean): void {
    const known = this.#candidates.get(idOf(node));
    if (known !== undefined) {
      known.isWanted ||= isWanted;
      return;
    }
    const others = [...this.#candidates.values()].filter((other) => other.node.publicKey.equals(node.publicKey));
    if (others.length >= MAX_ADDRESSES_OF_A_KEY) {
      if (!isWanted) return;
      this.#candidates.delete(idOf((others[0] as Candidate).node));
    }
    this.#candidates.set(idOf(node), { node, isWanted, attempts: 0, waitsUntil: 0 });
    if (this.#candidates.size > MAX_CANDIDATES) this.#dropFarthest();
    this.#pump();
  }

  #dropFarthest(): void {
    const waiting = [...this.#candidates.values()].filter((candidate) => candidate.attempts === 0);
    const farthest = waiting.sort(this.#byDistance).at(-1) ?? [...this.#candidates.values()][0];
    if (farthest !== undefined) this.#candidates.delete(idOf(farthest.node));
  }

  readonly #byDistance = (a: Candidate, b: Candidate): number =>
    a.attempts - b.attempts || compareDistance(this.#target, a.node.publicKey, b.node.publicKey);

  /** Asks as many as may be in flight, those asked least first, and of those the nearest. */
  #pump(): void {
    const now = this.#deps.clock.now();
    const all = [...this.#candidates.values()];
    const ready = all.filter((candidate) => candidate.waitsUntil <= now).sort(this.#byDistance);
    let free = PARALLEL - (all.length - ready.length);
    for (const candidate of ready) {
      if (this.#isSpent(candidate)) {
        this.#candidates.delete(idOf(candidate.node));
        if (candidate.attempts > 0) this.#silent.set(idOf(candidate.node), true, now);
      } else if (free > 0) {
        free -= 1;
        candidate.waitsUntil = now + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** candidate.attempts);
        candidate.attempts += 1;
        this.#deps.ask(candidate.node);
      }
    }
    this.#wakeAtNextWait(now);
  }

  #isSpent({ node, attempts, isWanted }: Candidate): boolean {
    if (attempts >= (node.publicKey.equals(this.#target) ? TARGET_ATTEMPTS : ATTEMPTS)) return true;
    return !isWanted && !this.#deps.wants(node);
  }

  #wakeAtNextWait(now: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    let next = Number.POSITIVE_INFINITY;
    for (const { waitsUntil } of this.#candidates.values()) if (waitsUntil > now) next = Math.min(next, waitsUntil);
    if (next < Number.POSITIVE_INFINITY) this.#timer = this.#deps.clock.after(next - now, () => this.#pump());
  }
}

const idOf = (node: NodeInfo): string => `${node.publicKey.hex}@${node.endpoint.key}`;
