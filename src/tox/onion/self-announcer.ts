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
/** As many as keep a slow network busy without flooding it. */
const PARALLELISM = 8;
/** Specification (c-toxcore ANNOUNCE_INTERVAL_ANNOUNCED, TIME_TO_STABLE, ANNOUNCE_INTERVAL_STABLE), ms. */
const REFRESH_OFTEN = 15_000;
const YOUTH = 90_000;
const REFRESH = 120_000;
/** Gaps between tries with all known nodes while few answer, ms. */
const POPULATE_GAPS = [700, 1_500, 3_000, 3_000, 3_000, 3_000, 3_000, 6_000, 15_000];
/** c-toxcore ANNOUNCE_INTERVAL_NOT_ANNOUNCED, doubled with each refusal so that a full node is not pestered, ms. */
const FIRST_REFUSAL_DELAY = 3_000;
const MAX_REFUSAL_DELAY = 60_000;

/** What a node wants to see next time, from the exit of this path. */
interface Ticket {
  readonly pingId: Buffer;
  readonly path: OnionPath;
}

interface Slot {
  ticket: Ticket;
  /** Where the announcement that the node stores came from, and since when it has. */
  stored: { readonly path: OnionPath; readonly since: number } | undefined;
  /** Between the decision to announce and its confirmation; an answer at any other time is a late double. */
  isRenewing: boolean;
  /** What came through the node of late did not reach us. */
  isUnreachable: boolean;
  refusals: number;
  timer: Timer | undefined;
}

export interface SelfAnnouncerDeps {
  readonly clock: Clock;
  readonly requests: AnnounceRequests;
  readonly paths: PathPool;
  /** Nodes to begin with. */
  readonly seeds: () => readonly NodeInfo[];
  readonly onChange: (isAnnounced: boolean) => void;
  /** A node has confirmed, by this path, that it stores us, again or for the first time. */
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

  /** True while a node confirmed that it stores us. */
  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  /** Nodes that confirmed that they store us. */
  get storingNodes(): number {
    return [...this.#slots.values()].filter((slot) => slot.stored !== undefined).length;
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

  /** Another way to all nodes has turned up. @param nodes some that live */
  askAgain(nodes: readonly NodeInfo[]): void {
    this.#search.askAgain(nodes);
  }

  /** Nodes that confirmed that they store us. */
  get storing(): readonly NodeInfo[] {
    return this.#search.nodes.filter(({ publicKey }) => this.#slots.get(publicKey.hex)?.stored !== undefined);
  }

  /** By which a node that stores us reaches us. */
  pathTo({ publicKey }: NodeInfo): OnionPath | undefined {
    return this.#slots.get(publicKey.hex)?.stored?.path;
  }

  /** What a node passes on does not reach us: we are announced there anew, by another path. */
  renew(node: NodeInfo): void {
    const slot = this.#slots.get(node.publicKey.hex);
    if (slot?.stored === undefined) return;
    this.#deps.paths.suspect(slot.stored.path);
    slot.isUnreachable = true;
    this.#renewAfter(0, node, slot);
  }

  /**
   * Everything is announced anew.
   * @param nodes some that live
   * @param isProven whether that we are reached is believed meanwhile
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

  /** A node is gone: whoever sends to us through it does not reach us, so that another path is announced, at once. */
  noteDoubt(key: PublicKey): void {
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
    // No answer: the path may be broken, so a fresh start is made by another one besides.
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

  /** A ticket that just came is used by the way it came; an old one only if its path is still one that we want. */
  #isGood({ ticket, stored, isUnreachable }: Slot): boolean {
    return ticket.path !== stored?.path || (!isUnreachable && this.#deps.paths.isUsable(ticket.path));
  }

  #send(node: NodeInfo, path: OnionPath, pingId: Buffer): void {
    const { requests, paths } = this.#deps;
    const onAnswer = (answer: RequestAnswer): void => this.#onAnswer(answer);
    requests.send({ requester: this.#requester, node, path, pool: paths, pingId, onAnswer });
  }

  #onAnswer({ node, path, pingId, outcome, nodes }: RequestAnswer): void {
    // Nobody else announces our key: a node that found somebody lies, and shall fall silent for us.
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
      // It has been run again, and with its memory its ping ids are gone: the new one counts at once.
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
    // Where few nodes store us, nobody stands in for one that is run again and has forgotten us.
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
    const isAnnounced = this.storingNodes > 0;
    if (isAnnounced === this.#isAnnounced) return;
    this.#isAnnounced = isAnnounced;
    this.#deps.onChange(isAnnounced);
  }
}
