/**
 * The search for one friend (spec: "Onion client"): finds the nodes that store it and sends data through them. It asks under a key
 * made for this search, repeatedly and quickly at first, until the friend is online and the search pauses.
 */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { Repeater } from '../../base/repeater.js';
import { generateKeyPair, type KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import {
  type AnnounceRequests,
  NO_PING_ID,
  type RequestAnswer,
  type Requester,
  requester,
} from './announce-requests.js';
import { AnnounceSearch, type SearchOwner } from './announce-search.js';
import { type InnerBox, sealInner, sealOuter } from './data-box.js';
import type { PathPool } from './path-pool.js';

/** Specification (c-toxcore MAX_ONION_CLIENTS). */
const NODES = 8;
/** When fewer nodes store the friend, data is sent to each by two paths. */
const FEW = 3;
/** ms between the first rounds; c-toxcore's are 3 s. A friend that starts with us is announced two round trips later. */
const QUICK_ROUNDS = [300, 700, 1_500, 3_000, 3_000, 3_000, 3_000, 3_000];

/**
 * The rounds of a search that has found nothing: `eager` ones, for a client that waits for the friend, are at most a minute apart;
 * `patient` ones, for the many friends of a server, are up to an hour apart as in c-toxcore, with fewer packets.
 */
export type Persistence = 'eager' | 'patient';

const PACES = {
  eager: { rounds: [...QUICK_ROUNDS, 6_000, 12_000, 24_000, 48_000, 60_000], parallelism: 8, firstCopies: 2 },
  patient: {
    rounds: [...QUICK_ROUNDS, ...Array.from({ length: 9 }, (_, round) => 8_000 * 2 ** round), 3_600_000],
    parallelism: 3,
    firstCopies: 1,
  },
} as const;

/** A node that stores the friend. */
export interface StoredFriend {
  /** Sends onion data through the node, 1 to 948 bytes, without confirmation. @throws RangeError for other lengths */
  readonly send: (data: Buffer) => void;
}

export interface FriendSearchHandlers {
  /** Another node stores the friend, or a node has a new data key of the friend, which has restarted. */
  readonly onFound: (stored: StoredFriend) => void;
}

/** The announcements that our own node stores: in a network of two, the friend is announced nowhere else. */
export interface OwnStore {
  dataKeyOf(friend: PublicKey): PublicKey | undefined;
  /** Takes a data request (0x85). */
  deliver(packet: Buffer): boolean;
}

export interface FriendSearchDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly identity: KeyPair;
  readonly requests: AnnounceRequests;
  readonly paths: PathPool;
  readonly ownStore: OwnStore;
  /** Returns nodes with which the search begins. */
  readonly seeds: (target: PublicKey) => readonly NodeInfo[];
}

export interface FriendSearchOptions {
  readonly friend: PublicKey;
  readonly persistence: Persistence;
  readonly handlers: FriendSearchHandlers;
  readonly onClosed: () => void;
}

export class FriendSearch implements SearchOwner {
  readonly #deps: FriendSearchDeps;
  readonly #options: FriendSearchOptions;
  readonly #requester: Requester;
  readonly #search: AnnounceSearch;
  readonly #rounds: Repeater;
  readonly #stored = new Map<string, { readonly node: NodeInfo; readonly dataKey: PublicKey }>();
  /** The friend's data key in our own store, as last reported. */
  #ownDataKey: PublicKey | undefined;
  /** The closest nodes when the search paused. */
  #remembered: readonly NodeInfo[] = [];
  #state: 'off' | 'running' | 'paused' | 'closed';

  constructor(deps: FriendSearchDeps, options: FriendSearchOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#state = 'off';
    this.#requester = requester(generateKeyPair(deps.random), { searchedKey: options.friend });
    const { rounds, parallelism } = PACES[options.persistence];
    const search = { target: options.friend, size: NODES, parallelism };
    this.#search = new AnnounceSearch({ clock: deps.clock, owner: this }, search);
    this.#rounds = new Repeater(deps.clock, rounds, () => this.#nextRound());
  }

  /** The number of nodes that store the friend. */
  get storedNodes(): number {
    return this.#stored.size + (this.#ownDataKey === undefined ? 0 : 1);
  }

  /**
   * Sends onion data, 1 to 948 bytes, through every node that stores the friend, without confirmation.
   * @returns the number of nodes @throws RangeError for other lengths
   */
  send(data: Buffer): number {
    const inner = this.#seal(data);
    for (const { node, dataKey } of this.#stored.values()) this.#sendTo(node, dataKey, inner);
    if (this.#ownDataKey !== undefined) this.#deliver(this.#ownDataKey, inner);
    return this.storedNodes;
  }

  /** Stops searching, because the friend is online; `resume` begins with the nodes found. */
  pause(): void {
    if (this.#state === 'running') this.#halt();
    if (this.#state !== 'closed') this.#state = 'paused';
  }

  /** Searches again, quickly at first, and reports each node found again; does nothing unless paused. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'off';
    this.begin();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#halt();
    this.#state = 'closed';
    this.#options.onClosed();
  }

  /** Starts; called by the onion client. */
  begin(): void {
    if (this.#state !== 'off') return;
    this.#state = 'running';
    this.#rounds.start();
    this.#search.offer([...this.#remembered, ...this.#deps.seeds(this.#options.friend)]);
    this.noteOwnStore();
  }

  /** The friend has announced itself at our own node. */
  noteOwnStore(): void {
    const dataKey = this.#deps.ownStore.dataKeyOf(this.#options.friend);
    if (this.#state !== 'running' || dataKey === undefined || this.#ownDataKey?.equals(dataKey)) return;
    this.#ownDataKey = dataKey;
    this.#options.handlers.onFound({ send: (data) => this.#deliver(dataKey, this.#seal(data)) });
  }

  /** Stops until `begin`; called by the onion client. */
  end(): void {
    if (this.#state !== 'running') return;
    this.#halt();
    this.#state = 'off';
  }

  /** Starts with the quick rounds again. */
  hurry(): void {
    if (this.#state !== 'running') return;
    this.#rounds.stop();
    this.#rounds.start();
    this.#nextRound();
  }

  noteNode(node: NodeInfo): void {
    if (this.#state === 'running') this.#search.offer([node]);
  }

  /** Repeats unanswered requests: another first hop is available. @param nodes nodes that are alive */
  askAgain(nodes: readonly NodeInfo[]): void {
    if (this.#state === 'running') this.#search.askAgain(nodes);
  }

  /** Asks all nodes again, in quick rounds, and reports each node found again. @param nodes nodes that are alive */
  refresh(nodes: readonly NodeInfo[]): void {
    if (this.#state !== 'running') return;
    this.#stored.clear();
    this.#ownDataKey = undefined;
    this.#rounds.stop();
    this.#rounds.start();
    this.#search.refresh(nodes);
    this.noteOwnStore();
  }

  ask(node: NodeInfo): void {
    const { paths, requests } = this.#deps;
    const onAnswer = (answer: RequestAnswer): void => this.#onAnswer(answer);
    const isCold = this.#stored.size === 0 && PACES[this.#options.persistence].firstCopies === 2;
    const chosen = isCold ? paths.pickTwo(node.endpoint) : [paths.pick(node.endpoint, { isExitAvoided: true })];
    for (const path of chosen) {
      if (path === undefined) continue;
      requests.send({ requester: this.#requester, node, path, pool: paths, pingId: NO_PING_ID, onAnswer });
    }
  }

  onForgotten(node: NodeInfo): void {
    this.#stored.delete(node.publicKey.hex);
  }

  #halt(): void {
    this.#rounds.stop();
    this.#remembered = this.#search.nodes;
    this.#search.clear();
    this.#stored.clear();
    this.#ownDataKey = undefined;
  }

  #nextRound(): void {
    for (const node of this.#search.nodes) this.#search.ask(node);
    if (this.#search.isSparse) this.#search.offer(this.#deps.seeds(this.#options.friend));
  }

  #onAnswer({ node, outcome, nodes }: RequestAnswer): void {
    // The answer is late, or a lie, since no client announces the key of our search.
    if (this.#state !== 'running' || outcome.status === 'announced') return;
    if (!this.#search.noteAnswer(node, nodes)) return;
    if (outcome.status === 'unknown') {
      this.#stored.delete(node.publicKey.hex);
      return;
    }
    const { dataKey } = outcome;
    if (this.#stored.get(node.publicKey.hex)?.dataKey.equals(dataKey)) return;
    this.#stored.set(node.publicKey.hex, { node, dataKey });
    this.#options.handlers.onFound({ send: (data) => this.#sendTo(node, dataKey, this.#seal(data)) });
  }

  #seal(data: Buffer): InnerBox {
    return sealInner(this.#deps.random, this.#deps.identity, this.#options.friend, data);
  }

  #deliver(dataKey: PublicKey, inner: InnerBox): void {
    this.#deps.ownStore.deliver(sealOuter(this.#deps.random, inner, dataKey));
  }

  #sendTo(node: NodeInfo, dataKey: PublicKey, inner: InnerBox): void {
    const packet = sealOuter(this.#deps.random, inner, dataKey);
    const { paths } = this.#deps;
    const chosen =
      this.#stored.size < FEW ? paths.pickTwo(node.endpoint) : [paths.pick(node.endpoint, { proven: true })];
    for (const path of chosen) path?.send(packet, node.endpoint);
  }
}
