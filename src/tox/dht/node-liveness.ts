/**
 * Decides whether the nodes near to us still answer, and whether our own line works. A node whose answer is overdue, or through
 * which no onion path works, is pinged. After three unanswered pings it is suspect until it answers, long before the 122 s after
 * which it counts as bad. When no node at all answers, our line is silent, and no single node is suspect.
 *
 * The loss of one node must not look like a silent line where few nodes are left. So an overdue answer makes us ask other nodes
 * as well, and the silence of suspect or bad nodes says nothing about our line.
 */
import type { Clock, Timer } from '../../base/clock.js';
import { pick, type Random } from '../../base/random.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import type { DhtNode } from './routing/dht-node.js';
import type { NodeList } from './routing/node-list.js';

// All times are ms.
/** Longer than almost every round trip. */
const OVERDUE = 1_500;
/** From each ping to the next, and from the last one until the node is suspect. */
const PING_GAPS = [300, 500, 700];
/** When a suspect node is pinged again; the last interval repeats. */
const SECOND_CHANCES = [3_000, 6_000, 12_000, 24_000, 48_000];
/** A node that answered so recently needs no ping. */
const JUST_ANSWERED = 1_500;
/** The line is silent after so many unanswered requests, the first of them so long ago. At 20 % loss five in a row are rare. */
const UNANSWERED = 5;
const SILENCE = 3_000;
/** Nodes pinged each second while answers are overdue, so that a network that is back is noticed within a second or two. */
const PROBES = 2;
/** The number of good nodes, those that answered last, that are pinged to tell whether our line is silent. */
const WITNESSES = 8;
/** From then until their silence counts. Each has been pinged three times by then. */
const WITNESS_PATIENCE = 1_000;

interface Check {
  readonly node: NodeInfo;
  sent: number;
  isSuspect: boolean;
  timer: Timer;
}

export interface NodeLivenessDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The close list. Nothing is stored about other nodes. */
  readonly close: NodeList;
  readonly ping: (node: NodeInfo) => void;
  /** Three pings to the node were not answered. */
  readonly onSuspect: (node: NodeInfo) => void;
}

export class NodeLiveness {
  readonly #deps: NodeLivenessDeps;
  /** The first unanswered request to each node near to us, by the key's hex. */
  readonly #awaited = new Map<string, { readonly node: NodeInfo; readonly since: number }>();
  /** The checks by the hex of the node's key. */
  readonly #checks = new Map<string, Check>();
  /** Requests since the last answer of any node, and when the first of them was sent. */
  #unanswered = 0;
  #unansweredSince = 0;
  /** When the witnesses should have answered; Infinity before they were asked. */
  #verdictAt = Number.POSITIVE_INFINITY;
  #wasSilent = false;

  constructor(deps: NodeLivenessDeps) {
    this.#deps = deps;
  }

  /** Whether no node has answered for some seconds although several were asked. */
  get isSilent(): boolean {
    const now = this.#deps.clock.now();
    return this.#unanswered >= UNANSWERED && now - this.#unansweredSince >= SILENCE && now >= this.#verdictAt;
  }

  isSuspect(key: PublicKey): boolean {
    // Most of the time no node is, and the answer to each nodes request asks.
    if (this.#checks.size === 0) return false;
    return this.#checks.get(key.hex)?.isSuspect === true && !this.isSilent;
  }

  /** A request went to the node. */
  asked(node: NodeInfo): void {
    const now = this.#deps.clock.now();
    if (!this.#isExpected(this.#deps.close.find(node.publicKey), now)) return;
    this.#count(now);
    if (!this.#awaited.has(node.publicKey.hex)) this.#awaited.set(node.publicKey.hex, { node, since: now });
  }

  /** The node has answered. */
  answered({ publicKey }: NodeInfo): void {
    this.#unanswered = 0;
    this.#verdictAt = Number.POSITIVE_INFINITY;
    this.#awaited.delete(publicKey.hex);
    this.#end(publicKey.hex);
  }

  /** Pings the node: the caller has a reason to think that it is gone. */
  check(node: NodeInfo): void {
    const { clock, close } = this.#deps;
    const known = close.find(node.publicKey);
    const now = clock.now();
    if (known?.isGood(now) !== true || this.#checks.has(node.publicKey.hex)) return;
    if (known.associations.some(({ answeredAt }) => now - answeredAt < JUST_ANSWERED)) return;
    const check: Check = { node, sent: 0, isSuspect: false, timer: clock.soon(() => this.#ping(check)) };
    this.#checks.set(node.publicKey.hex, check);
  }

  /** Once a second. */
  tick(now: number): void {
    for (const [key, { node, since }] of this.#awaited) {
      if (now - since < OVERDUE) continue;
      this.#awaited.delete(key);
      this.check(node);
    }
    const { isSilent } = this;
    // Nodes that seem to be gone may only be unreachable for us.
    if (isSilent && !this.#wasSilent) this.stop();
    this.#wasSilent = isSilent;
    if (this.#unanswered === 0 || now - this.#unansweredSince < OVERDUE) return;
    if (isSilent) this.#probe(this.#deps.close.nodes(), now);
    else this.#askWitnesses(now);
  }

  /** Forgets all suspicions and pending checks. */
  stop(): void {
    for (const key of [...this.#checks.keys()]) this.#end(key);
    this.#awaited.clear();
  }

  #count(now: number): void {
    if (this.#unanswered === 0) this.#unansweredSince = now;
    this.#unanswered += 1;
  }

  /** Whether the node should answer: it did recently, and is not suspect. */
  #isExpected(node: DhtNode | undefined, now: number): node is DhtNode {
    return node?.isGood(now) === true && this.#checks.get(node.publicKey.hex)?.isSuspect !== true;
  }

  #askWitnesses(now: number): void {
    const latest = (node: DhtNode): number => Math.max(...node.associations.map(({ answeredAt }) => answeredAt));
    const expected = this.#deps.close.nodes().filter((node) => this.#isExpected(node, now));
    const witnesses = expected.sort((a, b) => latest(b) - latest(a)).slice(0, WITNESSES);
    if (this.#verdictAt === Number.POSITIVE_INFINITY) {
      this.#verdictAt = now + WITNESS_PATIENCE;
      for (const witness of witnesses) this.check(witness.info(now) as NodeInfo);
    }
    this.#probe(witnesses, now);
  }

  #probe(nodes: readonly DhtNode[], now: number): void {
    const { random, ping } = this.#deps;
    for (let count = 0; count < PROBES && nodes.length > 0; count += 1) {
      const { publicKey, associations } = pick(random, nodes);
      this.#count(now);
      ping({ publicKey, endpoint: pick(random, associations).endpoint });
    }
  }

  #ping(check: Check): void {
    const { clock, close, ping, onSuspect } = this.#deps;
    const now = clock.now();
    if (close.find(check.node.publicKey)?.isDead(now) !== false) {
      this.#end(check.node.publicKey.hex);
      return;
    }
    const gap = PING_GAPS[check.sent];
    if (!check.isSuspect) this.#count(now);
    if (gap === undefined && !check.isSuspect) {
      check.isSuspect = true;
      if (!this.isSilent) onSuspect(check.node);
    }
    const chance = check.sent - PING_GAPS.length;
    const wait = gap ?? (SECOND_CHANCES[Math.min(chance, SECOND_CHANCES.length - 1)] as number);
    check.sent += 1;
    check.timer = clock.after(wait, () => this.#ping(check));
    // The node is pinged as well when it becomes suspect: the first of the later pings is sent at once.
    ping(check.node);
  }

  #end(key: string): void {
    this.#checks.get(key)?.timer.cancel();
    this.#checks.delete(key);
  }
}
