/** Tox without a network: stacks in one process that hand each other friend requests and packets, in order, soon. */
import type { ProxyError, ToxStack } from '../../../src/engine/network/tox-stack.js';
import type { ConnectionPath } from '../../../src/tox/connection-facts.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import type { ToxId } from '../../../src/tox/crypto/tox-id.js';
import type { Friend, FriendRequest, Presence } from '../../../src/tox/messenger.js';
import type { NetworkFacts } from '../../../src/tox/network-facts.js';
import type { BootstrapAddress } from '../../../src/tox/tox.js';
import { direct, factsOf, networkFactsOf, none } from './facts.js';

export class FakeFriend implements Friend {
  readonly publicKey: PublicKey;
  facts = factsOf(none('searching'));
  isOnline = false;
  readonly packetSize = 1373;
  readonly silence = 0;
  standing: Friend['standing'] = { kind: 'sought' };
  stage: Friend['stage'] = 'bootstrapping';
  /** How often it was searched again. */
  seeks = 0;
  onSeek: () => void = () => {};
  other: FakeFriend | undefined;
  readonly #presence: ((presence: Presence, reason: string) => void)[] = [];
  readonly #progress: (() => void)[] = [];
  readonly #lossless: ((packet: Buffer) => void)[] = [];
  readonly #lossy: ((packet: Buffer) => void)[] = [];

  constructor(publicKey: PublicKey) {
    this.publicKey = publicKey;
  }

  get path(): ConnectionPath {
    return this.facts.path;
  }

  onPresence(listener: (presence: Presence, reason: string) => void): void {
    this.#presence.push(listener);
  }
  onLossless(listener: (packet: Buffer) => void): void {
    this.#lossless.push(listener);
  }
  onLossy(listener: (packet: Buffer) => void): void {
    this.#lossy.push(listener);
  }
  onDrain(): void {}
  onProgress(listener: () => void): void {
    this.#progress.push(listener);
  }

  /** What is known about reaching it has changed. */
  become(stage: Friend['stage'], path?: ConnectionPath): void {
    this.stage = stage;
    if (path !== undefined) this.facts = factsOf(path);
    for (const listener of this.#progress) listener();
  }

  seek(): void {
    this.seeks += 1;
    this.onSeek();
  }

  sendLossless(packet: Buffer): boolean {
    const { other } = this;
    // As the session does: the memory of the sender is used again.
    const copy = Buffer.from(packet);
    setImmediate(() => {
      if (other?.isOnline) for (const listener of other.#lossless) listener(copy);
    });
    return true;
  }

  sendLossy(packet: Buffer): boolean {
    const { other } = this;
    setImmediate(() => {
      if (other?.isOnline) for (const listener of other.#lossy) listener(Buffer.from(packet));
    });
    return true;
  }

  /** Its handshake has arrived; it is not online yet. */
  becomeWritable(): void {
    for (const listener of this.#presence) listener('writable', '');
  }

  /** It does not come online after that. */
  fail(): void {
    for (const listener of this.#presence) listener('offline', 'it does not answer');
  }

  setOnline(isOnline: boolean): void {
    if (this.isOnline === isOnline) return;
    this.isOnline = isOnline;
    this.facts = factsOf(isOnline ? direct() : none('searching'));
    this.stage = isOnline ? undefined : 'searching';
    for (const listener of this.#presence)
      listener(isOnline ? 'online' : 'offline', isOnline ? '' : 'it has gone offline');
  }
}

export class FakeStack implements ToxStack {
  readonly id: ToxId;
  readonly #network: Map<string, FakeStack>;
  readonly #savedata: Buffer;
  readonly friends = new Map<string, FakeFriend>();
  readonly bootstraps: BootstrapAddress[] = [];
  isOnline = false;
  isStopped = false;
  proxyFault: ProxyError | undefined;
  networkFacts: NetworkFacts = networkFactsOf({});
  #onRequest: (request: FriendRequest) => void = () => {};
  #onOnlineChange: (isOnline: boolean) => void = () => {};
  #onProxyChange: (fault: ProxyError | undefined) => void = () => {};

  /** @param network where stacks find each other, by public key in hex */
  constructor(network: Map<string, FakeStack>, id: ToxId, savedata: Buffer) {
    this.id = id;
    this.#network = network;
    this.#savedata = savedata;
    network.set(id.publicKey.hex, this);
  }

  async start(): Promise<void> {}
  async proveAlive(): Promise<boolean> {
    return true;
  }
  async stop(): Promise<void> {
    this.isStopped = true;
    for (const friend of [...this.friends.values()]) this.removeFriend(friend);
  }
  bootstrap(node: BootstrapAddress): void {
    this.bootstraps.push(node);
  }
  onOnlineChange(listener: (isOnline: boolean) => void): void {
    this.#onOnlineChange = listener;
  }
  onProxyChange(listener: (fault: ProxyError | undefined) => void): void {
    this.#onProxyChange = listener;
  }
  setProxyFault(fault: ProxyError | undefined): void {
    this.proxyFault = fault;
    this.#onProxyChange(fault);
  }
  onFriendRequest(listener: (request: FriendRequest) => void): void {
    this.#onRequest = listener;
  }
  savedata(): Buffer {
    return Buffer.from(this.#savedata);
  }

  setOnline(isOnline: boolean): void {
    this.isOnline = isOnline;
    this.#onOnlineChange(isOnline);
  }

  addFriend(id: ToxId, message: Buffer | (() => readonly Buffer[])): FakeFriend {
    const friend = this.#add(id.publicKey);
    const ask = (): void => {
      for (const one of typeof message === 'function' ? message() : [message]) {
        setImmediate(() => this.#network.get(id.publicKey.hex)?.receiveRequest(this, friend, one));
      }
    };
    friend.onSeek = ask;
    ask();
    return friend;
  }

  removeFriend(friend: FakeFriend): void {
    this.friends.delete(friend.publicKey.hex);
    friend.other?.setOnline(false);
    friend.setOnline(false);
  }

  receiveRequest(from: FakeStack, theirs: FakeFriend, message: Buffer): void {
    const accept = (): FakeFriend => {
      const ours = this.#add(from.id.publicKey);
      ours.other = theirs;
      theirs.other = ours;
      setImmediate(() => {
        ours.setOnline(true);
        theirs.setOnline(true);
      });
      return ours;
    };
    this.#onRequest({ publicKey: from.id.publicKey, message, source: 'others', accept });
  }

  #add(publicKey: PublicKey): FakeFriend {
    const friend = new FakeFriend(publicKey);
    this.friends.set(publicKey.hex, friend);
    return friend;
  }
}
