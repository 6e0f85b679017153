/**
 * How well nodes of the DHT find each other by their keys in a network of many, and what that costs each of them: the code
 * that users run, on a simulated clock and network. All figures are repeatable.
 */
import { commonBits, compareDistance } from '../../src/tox/crypto/distance.js';
import { generateKeyPair, type KeyPair } from '../../src/tox/crypto/key-pair.js';
import { PublicKey } from '../../src/tox/crypto/keys.js';
import { MAX_NODES_IN_RESPONSE } from '../../src/tox/packet/dht.js';
import { UdpKind } from '../../src/tox/packet/kind.js';
import type { NodeInfo } from '../../src/tox/packet/node-info.js';
import { DhtNetwork, type DhtPeer } from './dht-network.js';
import { at } from './nodes.js';

/** What is wrong with some of the nodes. */
export type Trouble =
  | 'none'
  /** They die when the searches begin. */
  | 'dead'
  /** They are behind NATs that admit only answers; both ends of a search look for each other, as friends do. */
  | 'cone'
  | 'symmetric'
  /** Their answers to nodes requests are damaged. */
  | 'garbage'
  /** They name nodes that do not exist, with keys next to the one that is asked for. */
  | 'made up'
  /** They name only each other, those nearest to the key that is asked for. */
  | 'colluding';

export interface SearchConditions {
  readonly nodes: number;
  /** Pairs of nodes, drawn at random, of which one looks for the other. */
  readonly searches: number;
  readonly seed?: number;
  /** Fraction of datagrams lost. */
  readonly loss?: number;
  readonly trouble?: Trouble;
  /** Fraction of the nodes that have the trouble. */
  readonly troubled?: number;
  /** Colluders besides, whose keys are nearer to each key that is looked for than those of all honest nodes. */
  readonly besiegers?: number;
  /** See DhtNetwork. */
  readonly hasCheapKeys?: boolean;
  /** How long the network has before anything is measured, after the last node has joined, ms. */
  readonly settling?: number;
  /** Told how far it is; takes long with thousands of nodes. */
  readonly onProgress?: (what: string) => void;
}

export interface SearchOutcome {
  readonly searches: number;
  readonly found: number;
  /** ms until the node that was looked for had answered, of each search that found it. */
  readonly times: readonly number[];
  /** Datagrams that their nodes had sent from the beginning of the search until then. */
  readonly sent: readonly number[];
  /** Datagrams that a node sends in a minute at rest, of each node. */
  readonly sentAtRest: readonly number[];
  /** Good nodes in the lists of each node. */
  readonly stored: readonly number[];
}

/** For each doubling of a network, the limits of: good nodes that a node keeps, datagrams that it sends in a minute at rest, and datagrams of a search. */
export const STORED = 8;
export const SENT_AT_REST = 16;
export const SENT_BY_SEARCH = 3;

/** Nodes through which all others enter. */
const BOOTSTRAP_NODES = 8;
/** ms in which all nodes join. */
const JOINING = 30_000;
const SETTLING = 120_000;
const MINUTE = 60_000;
/** ms in which all searches begin. */
const SPREAD = 5_000;
/** A search that needs longer has not found, ms. */
export const SEARCH_LIMIT = 15_000;

export class DhtSearches {
  readonly net: DhtNetwork;
  readonly #conditions: SearchConditions;
  readonly #honest: DhtPeer[] = [];
  readonly #troubled: DhtPeer[] = [];
  /** Addresses of nodes that damage their answers. */
  readonly #garblers = new Set<string>();
  /** Datagrams by the address that sent them. */
  readonly #sent = new Map<string, number>();

  constructor(conditions: SearchConditions) {
    this.#conditions = conditions;
    this.net = new DhtNetwork(conditions.seed ?? 1, conditions);
    this.net.network.faults.loss = conditions.loss ?? 0;
    this.net.network.filter = (packet, from) => {
      this.#sent.set(from.address, this.#sentBy(from.address) + 1);
      if (packet[0] === UdpKind.NodesResponse && this.#garblers.has(from.address)) garble(packet);
      return true;
    };
  }

  /** A minute at rest, and then all the searches. */
  measure(): SearchOutcome {
    const atRest = this.#rest();
    const pairs = this.#drawPairs();
    this.#besiege(pairs);
    if (this.#conditions.trouble === 'dead') this.#kill();
    return { ...atRest, ...this.#search(pairs), searches: pairs.length };
  }

  /** All nodes join, at equal intervals, and get to know each other. */
  settle(): void {
    const { nodes, trouble = 'none', troubled = 0, onProgress, settling = SETTLING } = this.#conditions;
    const { clock, random } = this.net;
    for (let index = 0; index < nodes; index += 1) {
      const isTroubled = index >= BOOTSTRAP_NODES && random.fraction() < troubled;
      const peer = this.#join(isTroubled ? trouble : 'none');
      (isTroubled ? this.#troubled : this.#honest).push(peer);
      clock.advance(JOINING / nodes);
      if (index % 100 === 99) onProgress?.(`${index + 1} of ${nodes} nodes have joined`);
    }
    for (let passed = 0; passed < settling; passed += 10_000) {
      onProgress?.(`${nodes} nodes have had ${passed / 1000} s`);
      clock.advance(10_000);
    }
  }

  #join(trouble: Trouble, keyPair: KeyPair = generateKeyPair(this.net.random)): DhtPeer {
    const peer = this.net.peer({
      keyPair,
      ...(isBehindNat(trouble) ? { nat: trouble } : {}),
      ...(trouble === 'made up' ? { names: (target: PublicKey) => this.#madeUp(target) } : {}),
      ...(trouble === 'colluding' ? { names: (target: PublicKey) => nearestOf(this.#troubled, target) } : {}),
    });
    if (trouble === 'garbage') this.#garblers.add(peer.endpoint.address);
    const bootstrapNodes = this.#honest.slice(0, BOOTSTRAP_NODES);
    // As the list of public nodes has it, some of which are asked.
    for (let count = 0; count < 2 && bootstrapNodes.length > 0; count += 1) {
      peer.dht.bootstrap.addNode(bootstrapNodes[this.net.random.below(bootstrapNodes.length)] as DhtPeer);
    }
    return peer;
  }

  #madeUp(target: PublicKey): NodeInfo[] {
    const { random } = this.net;
    return Array.from({ length: MAX_NODES_IN_RESPONSE }, () => {
      const bytes = Buffer.from(target.bytes);
      random.bytes(8).copy(bytes, 20);
      bytes[31] = (bytes[31] as number) & 0x7f;
      return { publicKey: new PublicKey(bytes), endpoint: at(`40.0.${random.below(256)}.${random.below(256)}`) };
    });
  }

  #rest(): Pick<SearchOutcome, 'sentAtRest' | 'stored'> {
    this.#sent.clear();
    this.#conditions.onProgress?.('a minute at rest');
    this.net.clock.advance(MINUTE);
    return {
      sentAtRest: this.#honest.map(({ endpoint }) => this.#sentBy(endpoint.address)),
      stored: this.#honest.map(({ dht }) => dht.known.near().length),
    };
  }

  #drawPairs(): (readonly [seeker: DhtPeer, sought: DhtPeer])[] {
    const { searches, trouble } = this.#conditions;
    const { random } = this.net;
    const able = isBehindNat(trouble) ? [...this.#honest, ...this.#troubled] : this.#honest;
    // No pair twice: two searches of a node for the same key are one.
    const pairs = new Map<string, readonly [DhtPeer, DhtPeer]>();
    while (pairs.size < searches) {
      const seeker = able[random.below(able.length)] as DhtPeer;
      const sought = able[random.below(able.length)] as DhtPeer;
      if (seeker !== sought) pairs.set(`${seeker.endpoint.key} ${sought.endpoint.key}`, [seeker, sought]);
    }
    return [...pairs.values()];
  }

  #besiege(pairs: readonly (readonly [DhtPeer, DhtPeer])[]): void {
    const { besiegers = 0, nodes } = this.#conditions;
    if (besiegers === 0) return;
    const enough = Math.ceil(Math.log2(nodes)) + 2;
    for (const [, sought] of pairs) {
      for (let count = 0; count < besiegers; ) {
        const keyPair = generateKeyPair(this.net.random);
        if (commonBits(keyPair.publicKey, sought.publicKey) < enough) continue;
        this.#troubled.push(this.#join('colluding', keyPair));
        count += 1;
      }
    }
    this.net.clock.advance(MINUTE);
  }

  #kill(): void {
    for (const { dht, endpoint } of this.#troubled) {
      dht.stop();
      this.net.network.blackHoles.add(endpoint.address);
    }
  }

  #search(pairs: readonly (readonly [DhtPeer, DhtPeer])[]): Pick<SearchOutcome, 'found' | 'times' | 'sent'> {
    const { clock, random } = this.net;
    const { trouble } = this.#conditions;
    const times: number[] = [];
    const sent: number[] = [];
    let ended = 0;
    this.#conditions.onProgress?.(`${pairs.length} searches`);
    const look = (seeker: DhtPeer, sought: DhtPeer): void => {
      const began = clock.now();
      const sentBefore = this.#sentBy(seeker.endpoint.address);
      let hasFound = false;
      const search = seeker.dht.search(sought.publicKey, {
        onEndpoint: () => {
          if (hasFound) return;
          hasFound = true;
          times.push(clock.now() - began);
          sent.push(this.#sentBy(seeker.endpoint.address) - sentBefore);
        },
      });
      const back = isBehindNat(trouble) ? sought.dht.search(seeker.publicKey) : undefined;
      clock.after(SEARCH_LIMIT, () => {
        search.close();
        back?.close();
        ended += 1;
      });
    };
    for (const pair of pairs) clock.after(random.fraction() * SPREAD, () => look(...pair));
    clock.runUntil(() => ended === pairs.length || times.length === pairs.length, SPREAD + SEARCH_LIMIT);
    return { found: times.length, times, sent };
  }

  #sentBy(address: string): number {
    return this.#sent.get(address) ?? 0;
  }
}

const isBehindNat = (trouble: Trouble | undefined): trouble is 'cone' | 'symmetric' =>
  trouble === 'cone' || trouble === 'symmetric';

/** Its box does not open any more. */
function garble(packet: Buffer): void {
  packet[packet.length - 1] = (packet[packet.length - 1] as number) ^ 1;
}

function nearestOf(peers: readonly DhtPeer[], target: PublicKey): NodeInfo[] {
  return [...peers]
    .sort((a, b) => compareDistance(target, a.publicKey, b.publicKey))
    .slice(0, MAX_NODES_IN_RESPONSE)
    .map(({ publicKey, endpoint }) => ({ publicKey, endpoint }));
}
