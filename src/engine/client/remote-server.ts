/** The server of a client: finds it, stays connected to it, and runs forwards, a pipe and pings through it. */
import type { Readable, Writable } from 'node:stream';
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import { type ConnectionEvent, retryText } from '../../base/connection-event.js';
import { FloodLog } from '../../base/flood-log.js';
import { Listeners } from '../../base/listeners.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { ConnectionFacts } from '../../tox/connection-facts.js';
import type { ToxId } from '../../tox/crypto/tox-id.js';
import type { Friend } from '../../tox/messenger.js';
import type { Forward, ForwardSpec } from '../../tunnel/client/forward-spec.js';
import type { ExplainRefusal } from '../../tunnel/client/remote-forward.js';
import { openStdioPipe } from '../../tunnel/client/stdio-pipe.js';
import type { OpenHandlers } from '../../tunnel/link/outgoing-requests.js';
import type { TunnelService } from '../../tunnel/tunnel-service.js';
import type { PeerChannel } from '../../tunnel/wire/peer-channel.js';
import type { Service, Target } from '../../tunnel/wire/target.js';
import { friendRequestMessage } from '../access/access-policy.js';
import { ConnectionEvents } from '../network/connection-events.js';
import { errorText, pathText } from '../network/connection-text.js';
import { ConnectionWatch } from '../network/connection-watch.js';
import { openChannels } from '../network/tox-channel.js';
import type { ToxStack } from '../network/tox-stack.js';
import type { SettingNames } from '../state/setting-names.js';
import { ConnectRetry, type RetryPolicy } from './connect-retry.js';
import { explainRefusedPort } from './refused-port.js';
import { type OwnKey, type ServerError, serverError, shareEnded } from './server-error.js';

/** ms without a connection until the reason is logged and the search restarts, and the longest time until that happens again. */
const FIRST_HINT = 10_000;
const LONGEST_HINT = 5 * 60_000;
/** ms without a connection until the words of our key are computed, long before an error needs them: most clients are admitted sooner. */
const WORDS_DELAY = 1_000;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tox: ToxStack;
  readonly tunnels: TunnelService;
  /** Asks the bootstrap nodes again. */
  readonly bootstrapAgain: () => void;
  /** The connection was ended by `leave`. */
  readonly onLeft: (server: RemoteServer) => void;
}

export interface RemoteServerOptions {
  readonly id: ToxId;
  /** For the log and errors. */
  readonly name: string;
  /** Undefined when the server needs none. */
  readonly secret: Buffer | undefined;
  readonly retry: RetryPolicy;
  /** Our own key: its words take some ms of a processor. */
  readonly own: Omit<OwnKey, 'words'> & { readonly words: () => Promise<string> };
  readonly hasBootstrapNodes: boolean;
  /** What errors call the settings. */
  readonly names: SettingNames;
}

/** At least one, each once; undefined stands for none. */
export type Secrets = readonly (Buffer | undefined)[];

export const isSameSecret = (one: Buffer | undefined, other: Buffer | undefined): boolean =>
  one === other || (one !== undefined && other !== undefined && one.equals(other));

export class RemoteServer {
  readonly #deps: Deps;
  readonly #options: RemoteServerOptions;
  readonly #peerId: string;
  readonly #name: string;
  #friend: Friend;
  #closeChannels: () => void = () => {};
  #watch: ConnectionWatch;
  #secrets: Secrets;
  /** A server may connect and disconnect any number of times. */
  readonly #floodLog: FloodLog;
  readonly #hints: Backoff;
  readonly #retry: ConnectRetry;
  /** When the connection was lost, ms of the clock. */
  #awaySince: number;
  #hintTimer: Timer | undefined;
  #ownWords: string | undefined;
  #wordsTimer: Timer | undefined;
  #isClosed = false;
  #isOnline = false;
  readonly #events: ConnectionEvents;
  readonly #changes = new Listeners<[isOnline: boolean]>();
  #onFirstOnline: () => void = () => {};
  /** Resolves when the server has admitted us for the first time. */
  readonly online: Promise<void>;
  #onGivenUp: (error: ServerError) => void = () => {};
  /** Rejects with a ServerError after the last attempt. */
  readonly givenUp: Promise<never>;

  constructor(deps: Deps, options: RemoteServerOptions) {
    const { publicKey } = options.id;
    this.#deps = deps;
    this.#options = options;
    this.#peerId = publicKey.hex;
    this.#name = options.name;
    this.#floodLog = new FloodLog(deps);
    this.#hints = new Backoff(deps.random, { first: FIRST_HINT, most: LONGEST_HINT });
    this.#awaySince = deps.clock.now();
    this.online = new Promise((resolve) => {
      this.#onFirstOnline = resolve;
    });
    this.givenUp = new Promise((_, reject) => {
      this.#onGivenUp = reject;
    });
    // No caller has to await it.
    this.givenUp.catch(() => {});
    this.#retry = new ConnectRetry(deps, options.retry, {
      onPause: (pause, left) => this.#onPause(pause, left),
      onRetry: () => this.seek(),
      onExhausted: () => this.#giveUp(this.#error()),
    });
    this.#events = new ConnectionEvents({
      friend: () => this.#friend,
      ping: () => deps.tunnels.links.ping(this.#peerId),
    });
    deps.tunnels.on('ended', this.#onEnded);
    deps.log.info(`connecting to ${this.#name}`);
    this.#secrets = [options.secret];
    this.#friend = this.#join();
    this.#watch = this.#newWatch();
    this.#events.update();
    this.#await();
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** How the server is reached, and how well. */
  get facts(): ConnectionFacts {
    return this.#friend.facts;
  }

  /** Why there is no connection at this moment. */
  get reason(): ServerError {
    return this.#error();
  }

  /** @returns a function that removes the listener */
  onChange(listener: (isOnline: boolean) => void): () => void {
    return this.#changes.add(listener);
  }

  /** Calls back at once with where the connection stands, and then with each event. @returns a function that removes the listener */
  watch(listener: (event: ConnectionEvent) => void): () => void {
    return this.#events.watch(listener);
  }

  /** Asks to be admitted with these secrets, in turn, and with a new one soon; a connected server needs none. */
  useSecrets(secrets: Secrets): void {
    const isNew = secrets.some((secret) => !this.#secrets.some((known) => isSameSecret(known, secret)));
    this.#secrets = secrets;
    if (isNew && !this.#isOnline) this.#friend.seek();
  }

  /** Restarts what has slowed down in the meantime. */
  seek(): void {
    this.#deps.bootstrapAgain();
    this.#friend.seek();
  }

  /** Forwards, whether the server is connected or not. @throws ListenError */
  forward(spec: ForwardSpec): Promise<Forward> {
    const { own, names } = this.#options;
    const explain: ExplainRefusal = (reason, at) => explainRefusedPort(reason, at, own, names);
    return this.#deps.tunnels.forward(this.#peerId, spec, explain);
  }

  /** Requests a tunnel, whether the server is connected or not. @returns a function that cancels the request */
  open(target: Target, handlers: OpenHandlers): () => void {
    return this.#deps.tunnels.opener(this.#peerId).open(target, handlers);
  }

  /** Resolves when both directions have ended. @throws ServerError, TunnelError, StdioError */
  async pipe(target: Target, streams: { readonly stdin: Readable; readonly stdout: Writable }): Promise<void> {
    await Promise.race([this.online, this.givenUp]);
    const opener = this.#deps.tunnels.opener(this.#peerId);
    await Promise.race([openStdioPipe(opener, target, streams), this.givenUp]);
  }

  /** Resolves to the round trip in ms. @throws ServerError, TunnelError */
  async ping(): Promise<number> {
    await Promise.race([this.online, this.givenUp]);
    return this.#deps.tunnels.links.ping(this.#peerId);
  }

  /** Resolves to the services that we may reach; undefined if the server is an original tuntox. @throws ServerError, TunnelError */
  async services(): Promise<readonly Service[] | undefined> {
    await Promise.race([this.online, this.givenUp]);
    return this.#deps.tunnels.links.services(this.#peerId);
  }

  /** Ends the connection and its tunnels; the identity and other connections stay. */
  leave(): void {
    if (this.#isClosed) return;
    this.close();
    this.#deps.tunnels.closePeer(this.#peerId, 'server', 'shutting-down');
    this.#leaveFriend();
    this.#deps.onLeft(this);
  }

  /** Stops retrying and logging; the stack ends the connection. */
  close(): void {
    this.#isClosed = true;
    this.#deps.tunnels.off('ended', this.#onEnded);
    this.#retry.end();
    this.#hintTimer?.cancel();
    this.#wordsTimer?.cancel();
    this.#floodLog.close();
  }

  /** The peer may be a client of ours too, and stays connected then. */
  #leaveFriend(): void {
    this.#deps.tox.removeFriend(this.#friend, 'asked');
    this.#closeChannels();
  }

  #join(): Friend {
    const { tox, tunnels } = this.#deps;
    const friend = tox.addFriend(this.#options.id, () => this.#secrets.map(friendRequestMessage));
    friend.onProgress(() => {
      if (friend === this.#friend) this.#events.update();
    });
    const attach = (channel: PeerChannel): void => tunnels.attach(channel, { isServer: true });
    this.#closeChannels = openChannels(friend, {
      // The first requests go with the handshake.
      onWritable: attach,
      onOpen: (channel) => {
        attach(channel);
        this.#onOnline();
      },
      onClose: () => this.#onOffline(),
    });
    return friend;
  }

  #newWatch(): ConnectionWatch {
    return new ConnectionWatch({ ...this.#deps, friend: this.#friend, nameNow: () => this.#name }, { news: 'info' });
  }

  #onOnline(): void {
    this.#isOnline = true;
    const seconds = (this.#deps.clock.now() - this.#awaySince) / 1000;
    const way = pathText(this.#friend.path);
    this.#report('info', 'made', `connected to ${this.#name} in ${seconds.toFixed(1)} s, ${way}`);
    this.#watch.begin();
    this.#retry.end();
    this.#hintTimer?.cancel();
    this.#wordsTimer?.cancel();
    this.#hints.reset();
    this.#onFirstOnline();
    this.#events.noteOnline();
    this.#changes.tell(true);
  }

  #onOffline(): void {
    this.#isOnline = false;
    this.#watch.end();
    if (this.#isClosed) return;
    const why = errorText(this.#friend.facts);
    this.#report('warn', 'lost', `lost the connection to ${this.#name}${why}, searching for it again`);
    this.#awaySince = this.#deps.clock.now();
    this.#await();
    this.#events.noteOffline();
    this.#changes.tell(false);
  }

  #report(level: 'info' | 'warn', what: 'made' | 'lost', text: string): void {
    this.#floodLog.say({ source: this.#peerId, name: this.#name, kind: `connection ${what}`, level, text });
  }

  #await(): void {
    this.#retry.begin();
    this.#planHint();
    this.#wordsTimer = this.#deps.clock.after(WORDS_DELAY, async () => {
      this.#ownWords ??= await this.#options.own.words();
    });
  }

  #planHint(): void {
    this.#hintTimer?.cancel();
    this.#hintTimer = this.#deps.clock.after(this.#hints.next(), () => {
      const error = this.#error();
      this.#deps.log.warn(error.message);
      this.#events.noteWaiting(error);
      this.seek();
      this.#planHint();
    });
  }

  /** There is nothing to search for any more. */
  readonly #onEnded = (peerId: string): void => {
    if (peerId !== this.#peerId) return;
    this.#giveUp(shareEnded(this.#name));
    this.leave();
  };

  #giveUp(error: ServerError): void {
    this.#events.noteError(error);
    this.#onGivenUp(error);
  }

  #onPause(pauseMs: number, left: number): void {
    const error = this.#error();
    this.#deps.log.warn(retryText({ message: error.message, pauseMs, left }));
    this.#events.noteRetry(error, pauseMs, left);
  }

  #error(): ServerError {
    const { clock, tox } = this.#deps;
    const { hasBootstrapNodes, names, own } = this.#options;
    const { isOnline, proxyFault } = tox;
    const now = clock.now();
    const [name, standing, away] = [this.#name, this.#friend.standing, now - this.#awaySince];
    const ownKey = { ...own, words: this.#ownWords };
    return serverError({ name, names, ownKey, isOnline, hasBootstrapNodes, proxyFault, standing, away, now });
  }
}
