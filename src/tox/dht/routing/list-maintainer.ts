/** Pings the nodes of a list and looks for nearer nodes to put into it (spec: "Maintaining", c-toxcore do_DHT). */
import type { Clock, Timer } from '../../../base/clock.js';
import { pick, type Random } from '../../../base/random.js';
import type { PublicKey } from '../../crypto/keys.js';
import type { NodeInfo } from '../../packet/node-info.js';
import type { DhtNode } from './dht-node.js';
import { Lookup } from './lookup.js';
import type { InsertResult, NodeList } from './node-list.js';

// Specification: PING_INTERVAL, NODES_REQUEST_INTERVAL.
const ASK_EACH_MS = 60_000;
const ASK_RANDOM_MS = 20_000;
// A settled list, one whose target needs no finding, does not ask a node that has answered another list, and looks for nearer
// nodes less often. The close list asks at 60 s, before the settled lists. Each of these asks at a second of its own, which depends on
// its key, so that the first one spares the others. A node that has not answered is asked again soon enough that one lost packet does
// not make it bad: at 119 s at the latest, and a third time before it is dead.
const SETTLED = { askEach: 62_000, seconds: 8, askAgain: 50_000, askRandom: 60_000 };
// Most nodes of a list are found within a second. Each is asked again at a second of its own, which depends on its key: 40 requests in one
// turn of the event loop, and their answers, hold up the data of tunnels for about a millisecond.
const SPREAD_SECONDS = 16;
// c-toxcore asks five more times, one second apart, once a list has a node (MAX_BOOTSTRAP_TIMES). The first
// answer often comes before that node has heard of those that start together with us, so the first rounds follow quickly.
const QUICK_ROUNDS_MS: readonly number[] = [100, 200, 400, 800, 1600];

export interface ListMaintainerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly ask: (node: NodeInfo, target: PublicKey) => void;
}

export class ListMaintainer {
  readonly list: NodeList;
  readonly #deps: ListMaintainerDeps;
  readonly #isSettled: (now: number) => boolean;
  readonly #lookup: Lookup;
  #askedRandomAt = Number.NEGATIVE_INFINITY;
  #quickRounds = 0;
  #quickTimer: Timer | undefined;

  /** @param options.isSettled whether the target needs no finding, so that the list only has to know which of its nodes answer */
  constructor(
    deps: ListMaintainerDeps,
    options: { readonly list: NodeList; readonly isSettled?: (now: number) => boolean },
  ) {
    this.#deps = deps;
    this.list = options.list;
    this.#isSettled = options.isSettled ?? (() => false);
    this.#lookup = new Lookup(
      {
        clock: deps.clock,
        ask: (node) => deps.ask(node, this.list.target),
        wants: ({ publicKey, endpoint }) => this.list.wants(publicKey, endpoint, deps.clock.now()),
      },
      { target: this.list.target },
    );
  }

  /** Asks a node that another one named, if the list would take it. */
  offer(node: NodeInfo): void {
    this.#lookup.offer(node);
  }

  /** Asks the node even if the list would not take it. */
  askNow(node: NodeInfo): void {
    this.#lookup.askNow(node);
  }

  /** The node has answered a request about `asked`, or a ping. A node that is new to the list is asked for our target at once. */
  answered(node: NodeInfo, asked: PublicKey | undefined, now: number): InsertResult {
    const result = this.list.insert(node.publicKey, node.endpoint, now);
    const association = this.list.find(node.publicKey)?.association(node.endpoint.family);
    if (result === 'new' && association !== undefined) association.askedAt = now - spreadOf(node.publicKey);
    if (asked?.equals(this.list.target)) this.#lookup.answered(node);
    else if (result === 'new') this.#lookup.askNow(node);
    this.#awaitQuickRound();
    return result;
  }

  /** Once a second. */
  tick(now: number): void {
    let isMute = true;
    const isSettled = this.#isSettled(now);
    const nodes = this.list.nodes();
    for (const node of nodes) {
      for (const association of node.associations) {
        if (association.isDead(now)) continue;
        isMute = false;
        const isUnanswered = association.answeredAt < association.askedAt;
        if (now - association.askedAt < (isSettled && isUnanswered ? SETTLED.askAgain : ASK_EACH_MS)) continue;
        if (isSettled && now - association.answeredAt < this.#spared) continue;
        association.askedAt = now;
        this.#deps.ask({ publicKey: node.publicKey, endpoint: association.endpoint }, this.list.target);
      }
    }
    if (now - this.#askedRandomAt >= (isSettled ? SETTLED.askRandom : ASK_RANDOM_MS)) this.#askRandom(now);
    // When all nodes are dead our own line was down: go on asking, which costs little once a minute.
    if (isMute) for (const node of nodes) for (const association of node.associations) association.revive(now);
    else for (const node of nodes) if (this.#isGone(node, now)) this.list.remove(node);
  }

  /** Asks every node, dead or alive, and repeats the quick rounds. */
  refresh(): void {
    const now = this.#deps.clock.now();
    for (const node of this.list.nodes()) {
      for (const association of node.associations) {
        association.askedAt = now - spreadOf(node.publicKey);
        this.#deps.ask({ publicKey: node.publicKey, endpoint: association.endpoint }, this.list.target);
      }
    }
    this.#quickRounds = 0;
  }

  close(): void {
    this.#quickTimer?.cancel();
    this.#lookup.close();
  }

  /** Whether a node is dead and was asked so long ago that it would have answered even after an outage of our own line. */
  #isGone(node: DhtNode, now: number): boolean {
    return node.isDead(now) && node.associations.every(({ askedAt }) => now - askedAt >= ASK_EACH_MS);
  }

  /** ms after any answer of a node in which it need not be asked. */
  get #spared(): number {
    return SETTLED.askEach + 1000 * ((this.list.target.bytes[0] as number) % SETTLED.seconds);
  }

  #askRandom(now: number): void {
    const good = this.list.nodes().flatMap((node) => node.info(now) ?? []);
    if (good.length === 0) return;
    this.#askedRandomAt = now;
    this.#deps.ask(pick(this.#deps.random, good), this.list.target);
  }

  #awaitQuickRound(): void {
    const wait = QUICK_ROUNDS_MS[this.#quickRounds];
    if (wait === undefined || this.#quickTimer !== undefined) return;
    this.#quickRounds += 1;
    this.#quickTimer = this.#deps.clock.after(wait, () => {
      this.#quickTimer = undefined;
      this.#askRandom(this.#deps.clock.now());
      this.#awaitQuickRound();
    });
  }
}

/** Returns by how many ms the first interval of a node is shorter than the others. */
const spreadOf = ({ bytes }: PublicKey): number => 1000 * ((bytes.at(-1) as number) % SPREAD_SECONDS);
