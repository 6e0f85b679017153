/**
 * The proof that others reach us: we send onion data to ourselves as a friend would, to one after the other of the nodes
 * that store us, by paths other than those by which we are announced. What comes back has gone through everything that a
 * friend's data go through; what does not shows a way to us that is broken, though the node believes that it stores us.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { OnionDataKind } from '../packet/kind.js';
import type { NodeInfo } from '../packet/node-info.js';

/**
 * Ms from one call to the next. A call costs one packet of some 400 bytes each way, so all of them some 200
 * bytes a second, however many nodes store us.
 */
const INTERVAL = 2_500;
/** Ms after which a call is repeated by another path, and after the last of which it has failed. */
const PATIENCE = [1_000, 1_000, 2_000];
/**
 * Ms without any proof, and calls that failed meanwhile, after which nobody reaches us. With a tenth of all
 * packets lost, on sixteen ways, a call with its repetitions fails every fifth time.
 */
const LOST_AFTER = 15_000;
const FAILURES = 4;
const ID_SIZE = 8;

interface Call {
  readonly node: NodeInfo;
  readonly packet: Buffer;
  attempt: number;
  timer: Timer;
}

export interface ReachabilityProbeDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The nodes that store us. */
  readonly storing: () => readonly NodeInfo[];
  /** Sends onion data to ourselves through the node. */
  readonly send: (node: NodeInfo, data: Buffer) => void;
  /** Data sent to us through this node got lost. */
  readonly onUnanswered: (node: NodeInfo) => void;
  /** No path to us works. */
  readonly onLost: () => void;
}

export class ReachabilityProbe {
  readonly #deps: ReachabilityProbeDeps;
  readonly #calls = new Map<string, Call>();
  #timer: Timer | undefined;
  #next = 0;
  #provenAt = 0;
  /** Unanswered calls since the last proof. */
  #failures = 0;

  constructor(deps: ReachabilityProbeDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.confirm();
    this.#timer ??= this.#deps.clock.every(INTERVAL, () => this.#call());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const { timer } of this.#calls.values()) timer.cancel();
    this.#calls.clear();
  }

  /** Whether something has reached us within the last 15 s. */
  get isProven(): boolean {
    return this.#deps.clock.now() - this.#provenAt < LOST_AFTER;
  }

  /** Something else has shown that we are reached: a node has confirmed anew, by its way to us, that it stores us. */
  confirm(): void {
    this.#provenAt = this.#deps.clock.now();
    this.#failures = 0;
  }

  /** A call has come back. @returns false when it is none of ours, or came too late */
  receive(data: Buffer): boolean {
    const id = data.subarray(1).toString('hex');
    const call = this.#calls.get(id);
    if (data[0] !== OnionDataKind.SelfCall || call === undefined) return false;
    call.timer.cancel();
    this.#calls.delete(id);
    this.confirm();
    return true;
  }

  #call(): void {
    const nodes = this.#deps.storing();
    const node = nodes[this.#next % Math.max(1, nodes.length)];
    this.#next += 1;
    if (node === undefined) return;
    const id = this.#deps.random.bytes(ID_SIZE);
    const packet = Buffer.concat([Buffer.from([OnionDataKind.SelfCall]), id]);
    const call: Call = { node, packet, attempt: 0, timer: this.#deps.clock.soon(() => this.#attempt(call)) };
    this.#calls.set(id.toString('hex'), call);
  }

  #attempt(call: Call): void {
    const { clock, send } = this.#deps;
    const patience = PATIENCE[call.attempt];
    call.attempt += 1;
    if (patience === undefined) {
      this.#fail(call);
      return;
    }
    call.timer = clock.after(patience, () => this.#attempt(call));
    send(call.node, call.packet);
  }

  #fail({ node, packet }: Call): void {
    const { storing, onUnanswered, onLost } = this.#deps;
    this.#calls.delete(packet.subarray(1).toString('hex'));
    // Given up meanwhile: no wonder.
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
