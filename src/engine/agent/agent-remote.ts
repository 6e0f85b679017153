/** A server that is reached through the agent: what a client asks of a connection of its own (engine/client/remote-server). */
import type { Readable, Writable } from 'node:stream';
import { carry } from '../../agent/carry.js';
import { AgentError, agentEnded, type Conversation } from '../../agent/conversation.js';
import type { AgentEvent, AgentHost, AgentTarget, ServerRequest } from '../../agent/messages.js';
import { AgentSocketError } from '../../agent/socket-file.js';
import type { Clock, Timer } from '../../base/clock.js';
import { type ConnectionEvent, retryText } from '../../base/connection-event.js';
import { FloodLog } from '../../base/flood-log.js';
import { Listeners } from '../../base/listeners.js';
import type { Logger } from '../../base/logger.js';
import { watchStdio } from '../../base/stdio-error.js';
import type { Forward, ForwardSpec, ReverseSpec } from '../../tunnel/client/forward-spec.js';
import type { Target } from '../../tunnel/wire/target.js';
import type { RetryPolicy } from '../client/connect-retry.js';
import type { RemoteServer } from '../client/remote-server.js';
import { AgentOpener } from './agent-opener.js';
import { AgentPort } from './agent-port.js';
import { agentTarget, ownTarget } from './agent-target.js';

/** What the jobs of a client ask of a server. */
export type Remote = Pick<RemoteServer, 'online' | 'givenUp' | 'forward' | 'pipe' | 'ping' | 'services' | 'watch'> & {
  /** Whether the agent was connected to the server already, and not by our secret, which therefore could not be tried. */
  readonly isUntried?: boolean;
};

/** ms that a connection to a local port waits for the server; as a connection of one's own does. */
const FORWARD_TIMEOUT = 60_000;
/** ms between looks for the daemon of this machine, which has ended. */
const RETURN_INTERVAL = 1_000;
/** Connections of local ports that this process takes; each needs two descriptors. */
const MAX_FORWARDED = 1_024;

export interface AgentRemoteDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** For what the events tell, too. */
  readonly connectionLog: Logger;
  /** Asks the agent; starts one if none is running. @throws AgentSocketError, AgentError */
  readonly begin: (request: ServerRequest) => Promise<Conversation>;
}

export interface AgentRemoteOptions {
  readonly host: AgentHost;
  /** For the log. */
  readonly name: string;
  readonly retry: RetryPolicy;
  /** Whether this process lasts: it stays connected, and outlives an agent that is killed. */
  readonly isLasting: boolean;
  /** Whether the agent is the daemon of this machine: a process that lasts waits until its owner has started it again. */
  readonly isOfSystem?: boolean;
}

export class AgentRemote implements Remote {
  readonly #deps: AgentRemoteDeps;
  readonly #options: AgentRemoteOptions;
  readonly #floodLog: FloodLog;
  readonly #events = new Listeners<[event: ConnectionEvent]>();
  readonly #forwards = new Set<Forward>();
  /** The open ones; they end with this process. */
  readonly #conversations = new Set<Conversation>();
  #watching: Promise<never> | undefined;
  #loggedPath: string | undefined;
  #isUntried = false;
  #isClosed = false;
  #returning: Timer | undefined;
  #onOnline: () => void = () => {};
  readonly #online: Promise<void>;

  constructor(deps: AgentRemoteDeps, options: AgentRemoteOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#floodLog = new FloodLog(deps);
    this.#online = new Promise((resolve) => {
      this.#onOnline = resolve;
    });
  }

  get isUntried(): boolean {
    return this.#isUntried;
  }

  get online(): Promise<void> {
    this.#watch();
    return this.#online;
  }

  /** Rejects with an AgentError after the last attempt, or when there is no agent any more. */
  get givenUp(): Promise<never> {
    return this.#watch();
  }

  /** Calls back with each event of the connection, from its first use on. @returns a function that removes the listener */
  watch(listener: (event: ConnectionEvent) => void): () => void {
    return this.#events.add(listener);
  }

  async forward(spec: ForwardSpec): Promise<Forward> {
    const { clock, log } = this.#deps;
    if (spec.kind === 'reverse') return this.#reverse(spec);
    const begin = (target: AgentTarget): Promise<Conversation> =>
      this.#begin({ ask: 'open', host: this.#options.host, target, timeout: FORWARD_TIMEOUT });
    const opener = new AgentOpener({ log, begin });
    this.#events.add(({ event }) => event === 'disconnected' && opener.onDisconnected());
    const hasRoom = (): boolean => this.#forwarded < MAX_FORWARDED;
    // -W and -p need nothing of it, and start sooner without.
    const { openForward } = await import('../../tunnel/client/open-forward.js');
    const forward = await openForward({ clock, opener, log, floodLog: this.#floodLog, hasRoom }, spec);
    this.#forwards.add(forward);
    return forward;
  }

  /** Connections of all local ports, also those that have named no target yet. */
  get #forwarded(): number {
    let count = 0;
    for (const { pending, traffic } of this.#forwards) count += pending + traffic.open;
    return count;
  }

  #reverse(spec: ReverseSpec): Forward {
    const { clock } = this.#deps;
    const { bind = null, port } = spec.at;
    const target = spec.target === undefined ? undefined : ownTarget(spec.target);
    const begin = (): Promise<Conversation> =>
      this.#begin({ ask: 'listen', host: this.#options.host, at: { bind, port }, target, users: spec.users });
    const forward = new AgentPort({ clock, begin }, spec);
    this.#forwards.add(forward);
    return forward;
  }

  async pipe(target: Target, streams: { readonly stdin: Readable; readonly stdout: Writable }): Promise<void> {
    const conversation = await this.#ask({ ask: 'open', target: agentTarget(target) });
    const stdio = watchStdio(streams);
    try {
      await conversation.untilOpen(streams.stdin, (event) => this.#onEvent(event));
      await carry(conversation, { source: streams.stdin, sink: streams.stdout });
    } catch (error) {
      throw stdio.error ?? error;
    }
  }

  async ping(): Promise<number> {
    const conversation = await this.#ask({ ask: 'ping', count: 1 });
    try {
      const { ms } = await conversation.until('pong', (event) => this.#onEvent(event));
      return Number(ms);
    } finally {
      conversation.close();
    }
  }

  async services(): ReturnType<RemoteServer['services']> {
    const conversation = await this.#ask({ ask: 'services' });
    try {
      const { services } = await conversation.until('services', (event) => this.#onEvent(event));
      return Array.isArray(services) ? (services as Awaited<ReturnType<RemoteServer['services']>>) : undefined;
    } finally {
      conversation.close();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#returning?.cancel();
    for (const forward of this.#forwards) forward.close();
    for (const conversation of this.#conversations) conversation.close();
    this.#floodLog.close();
  }

  #ask(
    job:
      | { readonly ask: 'open'; readonly target: AgentTarget }
      | { readonly ask: 'ping'; readonly count: number }
      | { readonly ask: 'services' | 'hold' },
  ): Promise<Conversation> {
    const { host, retry } = this.#options;
    return this.#begin({ ...job, host, ...retry });
  }

  async #begin(request: ServerRequest): Promise<Conversation> {
    const conversation = await this.#deps.begin(request);
    this.#conversations.add(conversation);
    conversation.onClosed(() => this.#conversations.delete(conversation));
    if (this.#isClosed) conversation.close();
    return conversation;
  }

  #watch(): Promise<never> {
    this.#watching ??= this.#hold();
    // No caller has to await it.
    this.#watching.catch(() => {});
    return this.#watching;
  }

  /** Holds the server as long as this process lasts. */
  async #hold(): Promise<never> {
    for (;;) {
      const conversation = await this.#askToHold();
      try {
        for (;;) {
          const event = await conversation.next();
          if (event === undefined) break;
          this.#onEvent(event);
        }
      } catch (error) {
        // The user who stops the own agent ends its clients, too.
        if (!(this.#isOfSystem && error instanceof AgentError && error.code === 'shutting-down')) throw error;
      } finally {
        conversation.close();
      }
      if (this.#isClosed || !this.#options.isLasting) throw agentEnded();
      this.#loggedPath = undefined;
      this.#deps.log.warn(
        this.#isOfSystem
          ? 'the daemon of this machine, which held the connection to the server, has ended: waiting for it'
          : 'the agent, which held the connection to the server, was killed: starting it again',
      );
    }
  }

  async #askToHold(): Promise<Conversation> {
    for (;;) {
      try {
        return await this.#ask({ ask: 'hold' });
      } catch (error) {
        const isGone = error instanceof AgentSocketError && error.code === 'not-running';
        if (!(isGone && this.#isOfSystem && this.#options.isLasting) || this.#isClosed) throw error;
      }
      await new Promise<void>((resolve) => {
        this.#returning = this.#deps.clock.after(RETURN_INTERVAL, resolve);
      });
    }
  }

  get #isOfSystem(): boolean {
    return this.#options.isOfSystem === true;
  }

  #onEvent(told: AgentEvent): void {
    if (told.event === 'held') {
      this.#isUntried = told.bySecret !== true;
      return;
    }
    // An event that is unknown here, of a later agent, is nothing to its readers.
    const event = told as unknown as ConnectionEvent;
    const { connectionLog: log } = this.#deps;
    const { name } = this.#options;
    switch (event.event) {
      case 'connected':
        // It is told again to each conversation, and when the round trip is known.
        if (event.path !== this.#loggedPath) log.info(`connected to ${name}, ${event.path}`);
        this.#loggedPath = event.path;
        this.#onOnline();
        break;
      case 'disconnected':
        this.#loggedPath = undefined;
        log.warn(`lost the connection to ${name}, searching for it again`);
        break;
      case 'waiting':
      case 'refused':
        log.warn(event.message);
        break;
      case 'retry':
        log.warn(retryText(event));
        break;
    }
    this.#events.tell(event);
  }
}
