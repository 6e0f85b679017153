/**
 * Our announcement in the onion: we are announced under a data key of this run, receive what others send to it through the
 * nodes that store us, and send data to ourselves to know whether it arrives.
 */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { generateKeyPair, type KeyPair, type PublicKey } from '../crypto/keys.js';
import type { NodeInfo } from '../packet/node-info.js';
import { decodeOnionDataResponse } from '../packet/onion-data.js';
import { type AnnounceRequests, announcer } from './announce-requests.js';
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
  /** None that leads to friends: its exit sees the keys of all receivers. */
  readonly paths: PathPool;
  /** Nodes near to us, to begin with. */
  readonly seeds: () => readonly NodeInfo[];
}

export interface OwnAnnouncementHandlers {
  /** Friends can find us now, or no longer. */
  onAnnouncedChange(isAnnounced: boolean): void;
  /** The inner box proved the sender. */
  /** @param way by which it came: one of a few */
  onData(sender: PublicKey, data: Buffer, way: DataSource): void;
  /** Nodes store us, but nothing sent to us arrives. */
  onUnreachable(): void;
}

export class OwnAnnouncement {
  readonly #deps: OwnAnnouncementDeps;
  readonly #handlers: OwnAnnouncementHandlers;
  readonly #dataKeys: KeyPair;
  readonly #announcer: SelfAnnouncer;
  readonly #calls: ReachabilityProbe;
  readonly #dataLimit: DataLimit;

  constructor(deps: OwnAnnouncementDeps, handlers: OwnAnnouncementHandlers) {
    this.#deps = deps;
    this.#handlers = handlers;
    const { clock, random, identity, requests, paths, seeds } = deps;
    this.#dataKeys = generateKeyPair(random);
    this.#dataLimit = new DataLimit(clock.now());
    this.#announcer = new SelfAnnouncer(
      {
        clock,
        requests,
        paths,
        seeds,
        onChange: (isAnnounced) => handlers.onAnnouncedChange(isAnnounced),
        onStored: ({ hops }) => {
          this.#dataLimit.noteFirstHop(hops[0], clock.now());
          this.#calls.confirm();
        },
      },
      announcer(identity, this.#dataKeys.publicKey),
    );
    this.#calls = new ReachabilityProbe({
      clock,
      random,
      storing: () => this.#announcer.storing,
      send: (node, data) => this.#call(node, data),
      onUnanswered: (node) => this.#announcer.renew(node),
      onLost: () => handlers.onUnreachable(),
    });
  }

  start(): void {
    this.#announcer.start();
    this.#calls.start();
  }

  /** Stops permanently: the next announcement needs a new data key. */
  stop(): void {
    this.#calls.stop();
    this.#announcer.stop();
    this.#dataKeys.secretKey.wipe();
  }

  /** True while a node confirmed that it stores us. */
  get isAnnounced(): boolean {
    return this.#announcer.isAnnounced;
  }

  /** Nodes that confirmed that they store us. */
  get storingNodes(): number {
    return this.#announcer.storingNodes;
  }

  noteNode(node: NodeInfo): void {
    this.#announcer.noteNode(node);
  }

  /** A node is gone: what comes through it is lost until we are announced by another path. */
  noteDoubt(node: NodeInfo): void {
    this.#announcer.noteDoubt(node.publicKey);
  }

  /** Announces everything again. @param nodes some that live */
  refresh(nodes: readonly NodeInfo[]): void {
    this.#announcer.refresh(nodes, this.#calls.isProven);
  }

  /** Another way to all nodes has turned up. @param nodes some that live */
  askAgain(nodes: readonly NodeInfo[]): void {
    this.#announcer.askAgain(nodes);
  }

  /** A data response. @returns false when it is of no use: forged, not for us, too much, or a call that came too late */
  receive(packet: Buffer, source: DataSource): boolean {
    const response = decodeOnionDataResponse(packet);
    if (response === undefined) return false;
    if (!this.#dataLimit.take(source, this.#deps.clock.now())) {
      // In a flood through our first hops our own calls go unopened like all else, which says nothing about the ways that they took.
      if (this.#dataLimit.isFirstHop(source)) this.#calls.confirm();
      return false;
    }
    const { identity } = this.#deps;
    const opened = openBoth(response, this.#dataKeys, identity);
    if (opened === undefined) return false;
    if (opened.sender.equals(identity.publicKey)) return this.#calls.receive(opened.data);
    this.#handlers.onData(opened.sender, opened.data, this.#dataLimit.wayOf(source));
    return true;
  }

  /** As a friend would: through the node, by a path that we are not announced by. */
  #call(node: NodeInfo, data: Buffer): void {
    const { random, identity, paths } = this.#deps;
    const inner = sealInner(random, identity, identity.publicKey, data);
    const path = paths.pick(node.endpoint, { proven: true, except: this.#announcer.pathTo(node) });
    path?.send(sealOuter(random, inner, this.#dataKeys.publicKey), node.endpoint);
  }
}
