/**
 * Whether the nodes near to us still live, and our own line. A node whose answer is overdue, or through which no onion path
 * works, is pinged; when three pings bring nothing it is in doubt until it is heard of again, long before the 122 s after
 * which it counts as bad. When nobody at all answers, it is our line that is silent, and nobody in particular is in doubt.
 *
 * The death of one must not look like that where few are left, so an answer that is overdue makes us ask others whether they
 * hear us, and the silence of those who are in doubt, or bad, says nothing about our line.
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
/** From each ping to the next, and from the last one to the verdict. */
const PING_GAPS = [300, 500, 700];
/** A node in doubt may come back: when it is pinged again, the last one repeats. */
const SECOND_CHANCES = [3_000, 6_000, 12_000, 24_000, 48_000];
/** Who was heard so lately needs no ping. */
const JUST_ANSWERED = 1_500;
/** Silence of the line: so many requests without any answer, the first so long ago. Loss of a fifth makes five in a row rare. */
const UNANSWERED = 5;
const SILENCE = 3_000;
/** Nodes pinged each second while answers are overdue: we are to know within a second or two that the network is back. */
const PROBES = 2;
/** Good nodes, those heard last, that are asked once whether it is our line: in a small network that is everybody. */
const WITNESSES = 8;
/** From then on, until their silence counts; each has three pings by then. */
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
  /** Nodes near to us; of no other is anything kept. */
  readonly close: NodeList;
  readonly ping: (node: NodeInfo) => void;
  /** Three pings brought nothing. */
  readonly onSuspect: (node: NodeInfo) => void;
}

export class NodeLiveness {
  readonly #deps: NodeLivenessDeps;
  /** Requests to nodes near to us without an answer: the first one to each. By key. */
  readonly #awaited = new Map<string, { readonly node: NodeInfo; readonly since: number }>();
  /** By key. */
  readonly #checks = new Map<string, Check>();
  /** Requests since anybody answered, and when the first of them was sent. */
  #unanswered = 0;
  #unansweredSince = 0;
  /** When the witnesses should have answered; Infinity before they were asked. */
  #verdictAt = Number.POSITIVE_INFINITY;
  #wasSilent = false;

  constructor(deps: NodeLivenessDeps) {
    this.#deps = deps;
  }

  /** Nobody has answered for some seconds although several were asked. */
  get isSilent(): boolean {
    const now = this.#deps.clock.now();
    return this.#unanswered >= UNANSWERED && now - this.#unansweredSince >= SILENCE && now >= this.#verdictAt;
  }

  isSuspect(key: PublicKey): boolean {
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

  /** Somebody has a reason to think that the node is gone. */
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
    // Whoever seems to be gone may well live.
    if (isSilent && !this.#wasSilent) this.stop();
    this.#wasSilent = isSilent;
    if (this.#unanswered === 0 || now - this.#unansweredSince < OVERDUE) return;
    if (isSilent) this.#probe(this.#deps.close.nodes(), now);
    else this.#askWitnesses(now);
  }

  /** Forgets all doubts. */
  stop(): void {
    for (const key of [...this.#checks.keys()]) this.#end(key);
    this.#awaited.clear();
  }

  #count(now: number): void {
    if (this.#unanswered === 0) this.#unansweredSince = now;
    this.#unanswered += 1;
  }

  /** Whether the node should answer: it did lately, and not three pings were in vain since. */
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
    // The verdict itself needs no ping; but a second chance does, and it costs nothing to give the first at once.
    ping(check.node);
  }

  #end(key: string): void {
    this.#checks.get(key)?.timer.cancel();
    this.#checks.delete(key);
  }
}
