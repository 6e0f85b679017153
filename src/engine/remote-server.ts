/** The client's side: one server, found and kept, and what is done through it. */
import type { Readable, Writable } from 'node:stream';
import { Backoff } from '../base/backoff.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { ToxId } from '../tox/crypto/tox-id.js';
import type { ForwardSpec } from '../tunnel/forward-spec.js';
import { openStdioPipe } from '../tunnel/stdio-pipe.js';
import type { Target } from '../tunnel/target.js';
import type { TunnelService } from '../tunnel/tunnel-service.js';
import { friendRequestMessage } from './access-policy.js';
import { errorText, pathText } from './connection-text.js';
import { ConnectionWatch } from './connection-watch.js';
import { openChannels } from './tox-channel.js';
import type { StackFriend, ToxStack } from './tox-stack.js';

/** ms without a connection after which the possible reasons are told, and the longest time until they are told again. */
const FIRST_HINT = 10_000;
const LONGEST_HINT = 5 * 60_000;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tox: ToxStack;
  readonly tunnels: TunnelService;
}

export class RemoteServer {
  readonly #deps: Deps;
  readonly #peerId: string;
  readonly #name: string;
  readonly #friend: StackFriend;
  readonly #watch: ConnectionWatch;
  readonly #hints: Backoff;
  /** Since when there is no connection, ms. */
  #awaySince: number;
  #hintTimer: Timer | undefined;
  #isClosed = false;
  #onFirstOnline: () => void = () => {};
  /** Resolves when the server has let us in for the first time. */
  readonly online: Promise<void>;

  /** @param options.secret undefined when the server wants none */
  constructor(deps: Deps, options: { readonly id: ToxId; readonly secret: Buffer | undefined }) {
    const { publicKey } = options.id;
    this.#deps = deps;
    this.#peerId = publicKey.hex;
    this.#name = publicKey.short;
    this.#hints = new Backoff(deps.random, { first: FIRST_HINT, most: LONGEST_HINT });
    this.#awaySince = deps.clock.now();
    this.online = new Promise((resolve) => {
      this.#onFirstOnline = resolve;
    });
    deps.log.info(`connecting to ${this.#name}`);
    this.#friend = deps.tox.addFriend(options.id, friendRequestMessage(options.secret));
    this.#watch = new ConnectionWatch({ ...deps, friend: this.#friend }, { news: 'info' });
    openChannels(this.#friend, {
      onOpen: (channel) => {
        deps.tunnels.attach(channel);
        this.#onOnline();
      },
      onClose: () => this.#onOffline(),
    });
    this.#planHint();
  }

  /** Listens on a local port, whether the server is there or not. @throws ListenError */
  async forward(spec: ForwardSpec): Promise<void> {
    await this.#deps.tunnels.forward(this.#peerId, spec);
  }

  /** Resolves when both directions have ended. @throws TunnelError */
  async pipe(target: Target, streams: { readonly stdin: Readable; readonly stdout: Writable }): Promise<void> {
    // However long it takes: whoever started us decides when to give up.
    await this.online;
    await openStdioPipe(this.#deps.tunnels.opener(this.#peerId), target, streams);
  }

  /** Resolves to the round trip in ms. @throws TunnelError */
  async ping(): Promise<number> {
    await this.online;
    return this.#deps.tunnels.ping(this.#peerId);
  }

  /** Says nothing more about the connection, whose end belongs to the stack. */
  close(): void {
    this.#isClosed = true;
    this.#hintTimer?.cancel();
  }

  #onOnline(): void {
    const { clock, log } = this.#deps;
    const seconds = (clock.now() - this.#awaySince) / 1000;
    log.info(`connected to ${this.#name} in ${seconds.toFixed(1)} s, ${pathText(this.#friend.facts.path)}`);
    this.#watch.begin();
    this.#hintTimer?.cancel();
    this.#hints.reset();
    this.#onFirstOnline();
  }

  #onOffline(): void {
    this.#watch.end();
    if (this.#isClosed) return;
    const why = errorText(this.#friend.facts);
    this.#deps.log.warn(`lost the connection to ${this.#name}${why}, looking for it again`);
    this.#awaySince = this.#deps.clock.now();
    this.#planHint();
  }

  #planHint(): void {
    const { clock, log, tox } = this.#deps;
    this.#hintTimer?.cancel();
    this.#hintTimer = clock.after(this.#hints.next(), () => {
      const seconds = Math.round((clock.now() - this.#awaySince) / 1000);
      const { facts } = this.#friend;
      log.debug(`${this.#name}: ${pathText(facts.path)}${errorText(facts)}`);
      log.warn(
        tox.isOnline
          ? `no answer from ${this.#name} for ${seconds} s: is it running, is its Tox ID right, and does it let this client in?`
          : `no node of the Tox network answers for ${seconds} s: is this machine online, and does it let UDP out?`,
      );
      this.#planHint();
    });
  }
}
