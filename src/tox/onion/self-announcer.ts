/**
 * Keeps ourselves announced at the nodes closest to our real key (spec: "Onion announce"). Two steps at each node: the
 * first answer brings a ping id, which goes back at once through the same path, for it is bound to the path's exit.
 */
import { ownedCopy } from '../../base/bytes.js';
import type { Clock, Timer } from '../../base/clock.js';
import { Repeater } from '../../base/repeater.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import { type AnnounceRequests, NO_PING_ID, type RequestAnswer, type Requester } from './announce-requests.js';
import { AnnounceSearch, type SearchOwner } from './announce-search.js';
import type { OnionPath } from './onion-path.js';
import type { PathPool } from './path-pool.js';

/** Specification (c-toxcore MAX_ONION_CLIENTS_ANNOUNCE). */
const NODES = 12;
/** Requests at a time: enough to keep a slow network busy without flooding it. */
const PARALLELISM = 8;
/** Specification (c-toxcore ANNOUNCE_INTERVAL_ANNOUNCED, TIME_TO_STABLE, ANNOUNCE_INTERVAL_STABLE), ms. */
const REFRESH_OFTEN = 15_000;
const YOUTH = 90_000;
const REFRESH = 120_000;
/** ms between attempts with all known nodes while few answer. */
const POPULATE_GAPS = [700, 1_500, 3_000, 3_000, 3_000, 3_000, 3_000, 6_000, 15_000];
/** c-toxcore ANNOUNCE_INTERVAL_NOT_ANNOUNCED, doubled with each refusal so that a full node is asked less, ms. */
const FIRST_REFUSAL_DELAY = 3_000;
const MAX_REFUSAL_DELAY = 60_000;

/** The ping id that a node expects next time, from the exit of this path. */
interface Ticket {
  readonly pingId: Buffer;
  readonly path: OnionPath;
}

interface Slot {
  ticket: Ticket;
  /** The path of the announcement that the node stores, and since when it stores it. */
  stored: { readonly path: OnionPath; readonly since: number } | undefined;
  /** True from the decision to announce until its confirmation; an answer at any other time is a late duplicate. */
  isRenewing: boolean;
  /** Data sent through the node did not reach us lately. */
  isUnreachable: boolean;
  refusals: number;
  timer: Timer | undefined;
}

export interface SelfAnnouncerDeps {
  readonly clock: Clock;
  readonly requests: AnnounceRequests;
  readonly paths: PathPool;
  /** Returns nodes with which the search begins. */
  readonly seeds: () => readonly NodeInfo[];
  readonly onChange: (isAnnounced: boolean) => void;
  /** A node has confirmed by this path that it stores us, again or for the first time. */
  readonly onStored: (path: OnionPath) => void;
}

export class SelfAnnouncer implements SearchOwner {
  readonly #deps: SelfAnnouncerDeps;
  readonly #requester: Requester;
  readonly #search: AnnounceSearch;
  readonly #populating: Repeater;
  readonly #slots = new Map<string, Slot>();
  #isAnnounced = false;

  constructor(deps: SelfAnnouncerDeps, requester: Requester) {
    this.#deps = deps;
    this.#requester = requester;
    const options = { target: requester.searchedKey, size: NODES, parallelism: PARALLELISM };
    this.#search = new AnnounceSearch({ clock: deps.clock, owner: this }, options);
    this.#populating = new Repeater(deps.clock, POPULATE_GAPS, () => this.#populate());
  }

  /** Whether a node has confirmed that it stores us. */
  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  start(): void {
    this.#search.offer(this.#deps.seeds());
    this.#populating.start();
  }

  stop(): void {
    this.#populating.stop();
    this.#search.clear();
    for (const slot of this.#slots.values()) slot.timer?.cancel();
    this.#slots.clear();
    this.#isAnnounced = false;
  }

  noteNode(node: NodeInfo): void {
    this.#search.offer([node]);
  }

  /** Repeats unanswered requests: another first hop is available. @param nodes nodes that are alive */
  askAgain(nodes: readonly NodeInfo[]): void {
    this.#search.askAgain(nodes);
  }

  /** The nodes that have confirmed that they store us. */
  get storing(): readonly NodeInfo[] {
    return this.#search.nodes.filter(({ publicKey }) => this.#slots.get(publicKey.hex)?.stored !== undefined);
  }

  /** Returns the path by which a node that stores us reaches us. */
  pathTo({ publicKey }: NodeInfo): OnionPath | undefined {
    return this.#slots.get(publicKey.hex)?.stored?.path;
  }

  /** Announces us at a node again by another path, because what it passes on does not reach us. */
  renew(node: NodeInfo): void {
    const slot = this.#slots.get(node.publicKey.hex);
    if (slot?.stored === undefined) return;
    this.#deps.paths.suspect(slot.stored.path);
    slot.isUnreachable = true;
    this.#renewAfter(0, node, slot);
  }

  /**
   * Announces us everywhere again.
   * @param nodes nodes that are alive
   * @param isProven whether we count as announced meanwhile
   */
  refresh(nodes: readonly NodeInfo[], isProven: boolean): void {
    for (const slot of this.#slots.values()) slot.timer?.cancel();
    if (!isProven) this.#slots.clear();
    for (const node of this.#search.nodes) {
      const slot = this.#slots.get(node.publicKey.hex);
      if (slot !== undefined) this.#renewAfter(0, node, slot);
    }
    this.#populating.stop();
    this.#populating.start();
    this.#search.refresh(nodes);
    this.#noteChange();
  }

  /** Announces us again where the path goes through this node, which is gone. */
  noteSuspect(key: PublicKey): void {
    for (const node of this.#search.nodes) {
      const slot = this.#slots.get(node.publicKey.hex);
      if (slot?.stored?.path.hops.some((hop) => hop.publicKey.equals(key))) this.#renewAfter(0, node, slot);
    }
  }

  ask(node: NodeInfo, attempt: number): void {
    const slot = this.#slots.get(node.publicKey.hex);
    const { paths } = this.#deps;
    if (slot === undefined || !this.#isGood(slot)) {
      for (const path of paths.pickTwo(node.endpoint)) this.#send(node, path, NO_PING_ID);
      return;
    }
    const { path, pingId } = slot.ticket;
    this.#send(node, path, pingId);
    // Without an answer the path may be broken: starts again by another one as well.
    const other = attempt > 0 ? paths.pick(node.endpoint, { isExitAvoided: true, except: path }) : undefined;
    if (other !== undefined) this.#send(node, other, NO_PING_ID);
  }

  onForgotten(node: NodeInfo): void {
    this.#slots.get(node.publicKey.hex)?.timer?.cancel();
    this.#slots.delete(node.publicKey.hex);
    this.#noteChange();
  }

  #populate(): void {
    if (this.#search.isSparse) this.#search.offer(this.#deps.seeds());
  }

  /** Whether the ticket can be used: a new one by the path on which it came, an old one only if that path still works. */
  #isGood({ ticket, stored, isUnreachable }: Slot): boolean {
    return ticket.path !== stored?.path || (!isUnreachable && this.#deps.paths.isUsable(ticket.path));
  }

  #send(node: NodeInfo, path: OnionPath, pingId: Buffer): void {
    const { requests, paths } = this.#deps;
    const onAnswer = (answer: RequestAnswer): void => this.#onAnswer(answer);
    requests.send({ requester: this.#requester, node, path, pool: paths, pingId, onAnswer });
  }

  #onAnswer({ node, path, pingId, outcome, nodes }: RequestAnswer): void {
    // No other peer announces our key: the node lies, and its answers are ignored.
    if (outcome.status === 'found') return;
    if (!this.#search.noteAnswer(node, nodes)) return;
    const ticket = { pingId: ownedCopy(outcome.pingId), path };
    const slot = this.#slots.get(node.publicKey.hex) ?? this.#newSlot(node, ticket);
    if (!slot.isRenewing) return;
    slot.ticket = ticket;
    if (pingId === NO_PING_ID) {
      this.#search.ask(node);
    } else if (outcome.status === 'announced') {
      this.#onStored(node, slot);
    } else if (slot.stored !== undefined) {
      // The node was restarted and has lost its ping ids: the new one is used at once.
      slot.stored = undefined;
      this.#search.ask(node);
      this.#noteChange();
    } else {
      this.#renewAfter(Math.min(FIRST_REFUSAL_DELAY * 2 ** slot.refusals, MAX_REFUSAL_DELAY), node, slot);
      slot.refusals += 1;
    }
  }

  #onStored(node: NodeInfo, slot: Slot): void {
    const now = this.#deps.clock.now();
    const { path } = slot.ticket;
    if (slot.stored?.path !== path) slot.stored = { path, since: now };
    slot.isRenewing = false;
    slot.isUnreachable = false;
    slot.refusals = 0;
    // Where few nodes store us, one that restarts and forgets us is missed.
    const isOften = now - slot.stored.since < YOUTH || this.#search.isSparse;
    this.#renewAfter(isOften ? REFRESH_OFTEN : REFRESH, node, slot);
    this.#deps.onStored(path);
    this.#noteChange();
  }

  #newSlot(node: NodeInfo, ticket: Ticket): Slot {
    const slot = { ticket, stored: undefined, isRenewing: true, isUnreachable: false, refusals: 0, timer: undefined };
    this.#slots.set(node.publicKey.hex, slot);
    return slot;
  }

  #renewAfter(delay: number, node: NodeInfo, slot: Slot): void {
    slot.timer?.cancel();
    slot.timer = this.#deps.clock.after(delay, () => {
      slot.isRenewing = true;
      this.#search.ask(node);
    });
  }

  #noteChange(): void {
    const isAnnounced = [...this.#slots.values()].some((slot) => slot.stored !== undefined);
    if (isAnnounced === this.#isAnnounced) return;
    this.#isAnnounced = isAnnounced;
    this.#deps.onChange(isAnnounced);
  }
}
