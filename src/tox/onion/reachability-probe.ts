/**
 * Checks that friends reach us: sends onion data to ourselves as a friend would, through one storing node after the other, by other
 * paths than those by which we are announced. A probe that comes back has taken every step that a friend's data takes. A lost one
 * shows a broken path, although the node stores us.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { OnionDataKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';

/** ms between probes. Each costs a packet of 400 bytes each way: some 200 bytes a second, however many nodes store us. */
const INTERVAL = 2_500;
/** ms after which a probe is repeated by another path; after the last one it has failed. */
const PATIENCE = [1_000, 1_000, 2_000];
/**
 * We are unreachable after so many ms without a proof, in which so many probes failed. When a tenth of all packets is lost, over
 * sixteen hops, every fifth probe fails with all its repetitions.
 */
const LOST_AFTER = 15_000;
const FAILURES = 4;
const ID_SIZE = 8;

interface Probe {
  readonly node: NodeInfo;
  readonly packet: Buffer;
  attempt: number;
  timer: Timer;
}

export interface ReachabilityProbeDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Returns the nodes that store us. */
  readonly storing: () => readonly NodeInfo[];
  /** Sends onion data to ourselves through the node. */
  readonly send: (node: NodeInfo, data: Buffer) => void;
  /** A probe through this node got lost. */
  readonly onUnanswered: (node: NodeInfo) => void;
  /** No path to us works. */
  readonly onLost: () => void;
}

export class ReachabilityProbe {
  readonly #deps: ReachabilityProbeDeps;
  readonly #probes = new Map<string, Probe>();
  #timer: Timer | undefined;
  #next = 0;
  #provenAt = 0;
  /** Failed probes since the last proof. */
  #failures = 0;

  constructor(deps: ReachabilityProbeDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.confirm();
    this.#timer ??= this.#deps.clock.every(INTERVAL, () => this.#sendNext());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const { timer } of this.#probes.values()) timer.cancel();
    this.#probes.clear();
  }

  /** Whether anything has reached us in the last 15 s. */
  get isProven(): boolean {
    return this.#deps.clock.now() - this.#provenAt < LOST_AFTER;
  }

  /** We are reachable: a node has confirmed by its path to us that it stores us. */
  confirm(): void {
    this.#provenAt = this.#deps.clock.now();
    this.#failures = 0;
  }

  /** A probe has come back. @returns false when it is not ours, or late */
  receive(data: Buffer): boolean {
    const id = data.subarray(1).toString('hex');
    const probe = this.#probes.get(id);
    if (data[0] !== OnionDataKind.SelfCall || probe === undefined) return false;
    probe.timer.cancel();
    this.#probes.delete(id);
    this.confirm();
    return true;
  }

  #sendNext(): void {
    const nodes = this.#deps.storing();
    const node = nodes[this.#next % Math.max(1, nodes.length)];
    this.#next += 1;
    if (node === undefined) return;
    const id = this.#deps.random.bytes(ID_SIZE);
    const packet = Buffer.concat([Buffer.from([OnionDataKind.SelfCall]), id]);
    const probe: Probe = { node, packet, attempt: 0, timer: this.#deps.clock.soon(() => this.#attempt(probe)) };
    this.#probes.set(id.toString('hex'), probe);
  }

  #attempt(probe: Probe): void {
    const { clock, send } = this.#deps;
    const patience = PATIENCE[probe.attempt];
    probe.attempt += 1;
    if (patience === undefined) {
      this.#fail(probe);
      return;
    }
    probe.timer = clock.after(patience, () => this.#attempt(probe));
    send(probe.node, probe.packet);
  }

  #fail({ node, packet }: Probe): void {
    const { storing, onUnanswered, onLost } = this.#deps;
    this.#probes.delete(packet.subarray(1).toString('hex'));
    // The node does not store us any more.
    if (!storing().some(({ publicKey }) => publicKey.equals(node.publicKey))) return;
    this.#failures += 1;
    if (this.#failures < FAILURES || this.isProven) {
      onUnanswered(node);
    } else {
      this.#failures = 0;
      onLost();
    }
  }
}
