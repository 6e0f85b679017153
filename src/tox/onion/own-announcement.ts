/**
 * Our announcement in the onion: announces us under a data key of this run, receives what others send to it through the nodes that
 * store us, and sends data to ourselves to check that it arrives.
 */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { generateKeyPair, type KeyPair } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import { decodeOnionDataResponse } from '../packet/onion-data.js';
import { type AnnounceRequests, requester } from './announce-requests.js';
import { openBoth, sealInner, sealOuter } from './data-box.js';
import { DataLimit, type DataSource } from './data-limit.js';
import type { PathPool } from './path-pool.js';
import { ReachabilityProbe } from './reachability-probe.js';
import { SelfAnnouncer } from './self-announcer.js';

export interface OwnAnnouncementDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The real key pair. */
  readonly identity: KeyPair;
  readonly requests: AnnounceRequests;
  /** Paths of their own, not those of searches: an exit sees the keys of all receivers. */
  readonly paths: PathPool;
  /** Returns nodes near to us, with which the search begins. */
  readonly seeds: () => readonly NodeInfo[];
}

export interface OwnAnnouncementHandlers {
  /** Friends can find us now, or cannot any more. */
  onAnnouncedChange(isAnnounced: boolean): void;
  /** The inner box proves the sender. @param source one of our first hops, or all other sources */
  onData(sender: PublicKey, data: Buffer, source: DataSource): void;
  /** Nodes store us, but nothing sent to us arrives. */
  onUnreachable(): void;
}

export class OwnAnnouncement {
  readonly announcer: SelfAnnouncer;
  readonly #deps: OwnAnnouncementDeps;
  readonly #handlers: OwnAnnouncementHandlers;
  readonly #dataKeys: KeyPair;
  readonly #probe: ReachabilityProbe;
  readonly #dataLimit: DataLimit;

  constructor(deps: OwnAnnouncementDeps, handlers: OwnAnnouncementHandlers) {
    this.#deps = deps;
    this.#handlers = handlers;
    const { clock, random, identity, requests, paths, seeds } = deps;
    this.#dataKeys = generateKeyPair(random);
    this.#dataLimit = new DataLimit(clock.now());
    this.announcer = new SelfAnnouncer(
      {
        clock,
        requests,
        paths,
        seeds,
        onChange: (isAnnounced) => handlers.onAnnouncedChange(isAnnounced),
        onStored: ({ hops }) => {
          this.#dataLimit.noteFirstHop(hops[0], clock.now());
          this.#probe.confirm();
        },
      },
      requester(identity, { dataKey: this.#dataKeys.publicKey }),
    );
    this.#probe = new ReachabilityProbe({
      clock,
      random,
      storing: () => this.announcer.storing,
      send: (node, data) => this.#sendProbe(node, data),
      onUnanswered: (node) => this.announcer.renew(node),
      onLost: () => handlers.onUnreachable(),
    });
  }

  start(): void {
    this.announcer.start();
    this.#probe.start();
  }

  /** Stops permanently: the next announcement needs a new data key. */
  stop(): void {
    this.#probe.stop();
    this.announcer.stop();
    this.#dataKeys.secretKey.wipe();
  }

  /** Announces us everywhere again. @param nodes nodes that are alive */
  refresh(nodes: readonly NodeInfo[]): void {
    this.announcer.refresh(nodes, this.#probe.isProven);
  }

  /** A data response has arrived. @returns false when it is dropped: forged, not for us, above the rate limit, or a late probe */
  receive(packet: Buffer, source: DataSource): boolean {
    const response = decodeOnionDataResponse(packet);
    if (response === undefined) return false;
    if (!this.#dataLimit.take(source, this.#deps.clock.now())) {
      // In a flood through our first hops our probes are dropped as well, which says nothing about their paths.
      if (this.#dataLimit.isFirstHop(source)) this.#probe.confirm();
      return false;
    }
    const { identity } = this.#deps;
    const opened = openBoth(response, this.#dataKeys, identity);
    if (opened === undefined) return false;
    if (opened.sender.equals(identity.publicKey)) return this.#probe.receive(opened.data);
    this.#handlers.onData(opened.sender, opened.data, this.#dataLimit.groupOf(source));
    return true;
  }

  /** Sends data to ourselves through the node as a friend would, by another path than that of the announcement. */
  #sendProbe(node: NodeInfo, data: Buffer): void {
    const { random, identity, paths } = this.#deps;
    const inner = sealInner(random, identity, identity.publicKey, data);
    const path = paths.pick(node.endpoint, { proven: true, except: this.announcer.pathTo(node) });
    path?.send(sealOuter(random, inner, this.#dataKeys.publicKey), node.endpoint);
  }
}
