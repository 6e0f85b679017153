/** Keeps a list of nodes alive and draws nearer and nearer nodes into it (spec: "Maintaining", c-toxcore do_DHT). */
import type { Clock } from '../../base/clock.js';
import { type Random, pick } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import { Lookup } from './lookup.js';
import type { Hearing, NodeList } from './node-list.js';

// Specification: PING_INTERVAL, NODES_REQUEST_INTERVAL, MAX_BOOTSTRAP_TIMES.
const ASK_EACH_MS = 60_000;
const ASK_RANDOM_MS = 20_000;
const QUICK_ROUNDS = 5;

export interface ListKeeperDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly ask: (node: NodeInfo, target: PublicKey) => void;
}

export class ListKeeper {
  readonly list: NodeList;
  readonly #deps: ListKeeperDeps;
  readonly #lookup: Lookup;
  #askedRandomAt = Number.NEGATIVE_INFINITY;
  #quickRounds = QUICK_ROUNDS;

  constructor(deps: ListKeeperDeps, options: { readonly list: NodeList }) {
    this.#deps = deps;
    this.list = options.list;
    this.#lookup = new Lookup(
      {
        clock: deps.clock,
        ask: (node) => deps.ask(node, this.list.target),
        wants: ({ publicKey, endpoint }) => this.list.wants(publicKey, endpoint, deps.clock.now()),
      },
      { target: this.list.target },
    );
  }

  /** Hearsay: asks the node if the list would take it. */
  offer(node: NodeInfo): void {
    this.#lookup.offer(node);
  }

  /** Asks the node in any case. */
  insist(node: NodeInfo): void {
    this.#lookup.insist(node);
  }

  /** The node has answered a request about `asked`, or a ping. One that is new to the list is asked onwards at once. */
  heard(node: NodeInfo, asked: PublicKey | undefined, now: number): Hearing {
    const hearing = this.list.heard(node.publicKey, node.endpoint, now);
    const association = this.list.find(node.publicKey)?.association(node.endpoint.family);
    if (hearing === 'new' && association !== undefined) association.askedAt = now;
    if (asked?.equals(this.list.target)) this.#lookup.answered(node);
    else if (hearing === 'new') this.#lookup.insist(node);
    return hearing;
  }

  /** Once a second. */
  tick(now: number): void {
    const { ask, random } = this.#deps;
    const good: NodeInfo[] = [];
    let isMute = true;
    const nodes = this.list.nodes();
    for (const node of nodes) {
      for (const association of node.associations) {
        if (association.isDead(now)) continue;
        isMute = false;
        const info = { publicKey: node.publicKey, endpoint: association.endpoint };
        if (association.isGood(now)) good.push(info);
        if (now - association.askedAt < ASK_EACH_MS) continue;
        association.askedAt = now;
        ask(info, this.list.target);
      }
    }
    if (good.length > 0 && (this.#quickRounds > 0 || now - this.#askedRandomAt >= ASK_RANDOM_MS)) {
      this.#quickRounds -= 1;
      this.#askedRandomAt = now;
      ask(pick(random, good), this.list.target);
    }
    // When all are dead it is our own line that was: keep asking, for once a minute it costs nothing.
    if (isMute) for (const node of nodes) for (const association of node.associations) association.revive(now);
  }

  close(): void {
    this.#lookup.close();
  }
}
