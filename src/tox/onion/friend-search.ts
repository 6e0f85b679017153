/**
 * The search for one friend (spec: "Onion client"): where it is announced, and the sending of data to there. It asks under
 * a key made for this search, and again and again, quickly at first, until the friend is online and the search pauses.
 */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { Repeater } from '../../base/repeater.js';
import { generateKeyPair, type KeyPair, type PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import {
  type AnnounceRequests,
  NO_PING_ID,
  type RequestAnswer,
  type Requester,
  searcher,
} from './announce-requests.js';
import { AnnounceSearch, type SearchOwner } from './announce-search.js';
import { type InnerBox, sealInner, sealOuter } from './data-box.js';
import type { PathPool } from './path-pool.js';

/** Specification (c-toxcore MAX_ONION_CLIENTS). */
const NODES = 8;
/** Below so many storing nodes, data goes to each by two paths. */
const FEW = 3;
/**
 * c-toxcore's first rounds are 3 s apart (ANNOUNCE_FRIEND_NEW_INTERVAL). Ours begin sooner: a friend that starts in the same
 * moment is announced two round trips later. ms.
 */
const QUICK_ROUNDS = [300, 700, 1_500, 3_000, 3_000, 3_000, 3_000, 3_000];

/**
 * How a search goes on that found nothing: `eager` when somebody waits for the friend, never more than a minute apart;
 * `patient` like c-toxcore, up to an hour apart and with fewer packets, for the many friends of a server.
 */
export type Persistence = 'eager' | 'patient';

const WAYS = {
  eager: { rounds: [...QUICK_ROUNDS, 6_000, 12_000, 24_000, 48_000, 60_000], parallelism: 8, firstCopies: 2 },
  patient: {
    rounds: [...QUICK_ROUNDS, ...Array.from({ length: 9 }, (_, round) => 8_000 * 2 ** round), 3_600_000],
    parallelism: 3,
    firstCopies: 1,
  },
} as const;

/** A node that stores the friend. */
export interface StoredFriend {
  /** Sends onion data there, 1 to 948 bytes. It may get lost, and nobody tells. @throws RangeError for other lengths */
  readonly send: (data: Buffer) => void;
}

export interface FriendSearchHandlers {
  /** Another node stores the friend, or one has a new data key of the friend, which then has started anew. */
  readonly onFound: (stored: StoredFriend) => void;
}

/** Our own node's part as one that stores others: in a network of two, the friend is announced nowhere else. */
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
  /** Nodes to begin with. */
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

  /** Begins with `begin()`, which the onion client calls. */
  constructor(deps: FriendSearchDeps, options: FriendSearchOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#state = 'off';
    this.#requester = searcher(generateKeyPair(deps.random), options.friend);
    const { rounds, parallelism } = WAYS[options.persistence];
    const search = { target: options.friend, size: NODES, parallelism };
    this.#search = new AnnounceSearch({ clock: deps.clock, owner: this }, search);
    this.#rounds = new Repeater(deps.clock, rounds, () => this.#nextRound());
  }

  /** Nodes that said that they store the friend. */
  get storedNodes(): number {
    return this.#stored.size + (this.#ownDataKey === undefined ? 0 : 1);
  }

  /**
   * Sends onion data, 1 to 948 bytes, to every node that stores the friend. It may get lost, and nobody tells.
   * @returns the number of nodes @throws RangeError for other lengths
   */
  send(data: Buffer): number {
    const inner = this.#seal(data);
    for (const { node, dataKey } of this.#stored.values()) this.#sendTo(node, dataKey, inner);
    if (this.#ownDataKey !== undefined) this.#deliver(this.#ownDataKey, inner);
    return this.storedNodes;
  }

  /** Stops searching, because the friend is online; the nodes found are asked first after `resume`. */
  pause(): void {
    if (this.#state === 'running') this.#halt();
    if (this.#state !== 'closed') this.#state = 'paused';
  }

  /** Searches again, quickly at first; each node found is reported anew. Harmless when it was not paused. */
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

  /** Called by the onion client when it starts. */
  begin(): void {
    if (this.#state !== 'off') return;
    this.#state = 'running';
    this.#rounds.start();
    this.#search.offer([...this.#remembered, ...this.#deps.seeds(this.#options.friend)]);
    this.noteOwnStore();
  }

  /** Called by the onion client when the friend has announced itself at our own node. */
  noteOwnStore(): void {
    const dataKey = this.#deps.ownStore.dataKeyOf(this.#options.friend);
    if (this.#state !== 'running' || dataKey === undefined || this.#ownDataKey?.equals(dataKey)) return;
    this.#ownDataKey = dataKey;
    this.#options.handlers.onFound({ send: (data) => this.#deliver(dataKey, this.#seal(data)) });
  }

  /** Called by the onion client when it stops. */
  end(): void {
    if (this.#state !== 'running') return;
    this.#halt();
    this.#state = 'off';
  }

  /** Called by the onion client when we are announced again: quick rounds again. */
  hurry(): void {
    if (this.#state !== 'running') return;
    this.#rounds.stop();
    this.#rounds.start();
    this.#nextRound();
  }

  noteNode(node: NodeInfo): void {
    if (this.#state === 'running') this.#search.offer([node]);
  }

  /** Another way to all nodes has turned up. @param nodes some that live */
  askAgain(nodes: readonly NodeInfo[]): void {
    if (this.#state === 'running') this.#search.askAgain(nodes);
  }

  /** Everything that is known may be wrong: quick rounds again, and each node found is reported anew. */
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
    const isCold = this.#stored.size === 0 && WAYS[this.#options.persistence].firstCopies === 2;
    const ways = isCold ? paths.pickTwo(node.endpoint) : [paths.pick(node.endpoint, { isExitAvoided: true })];
    for (const path of ways) {
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
    // An answer on its way when the search paused; or a lie, as nobody announces the key that we search with.
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
    const ways = this.#stored.size < FEW ? paths.pickTwo(node.endpoint) : [paths.pick(node.endpoint, { proven: true })];
    for (const path of ways) path?.send(packet, node.endpoint);
  }
}
