/**
 * One client of the agent:
 *
 *     asking    its request is expected within a few seconds
 *     serving   its server is held; a tunnel, round trips or events follow
 *     open      its tunnel has the connection
 *     over
 *
 * All clients are programs of the same user, but each may hang: its request, what waits for it, and the time for both are bounded.
 */
import type { Socket } from 'node:net';
import { LineBuffer } from '../../agent/line-buffer.js';
import {
  AGENT_VERSION,
  type AgentRequest,
  encodeLine,
  type HostRequest,
  MAX_REQUEST_SIZE,
  parseRequest,
  type ServerRequest,
} from '../../agent/messages.js';
import type { Clock, Timer } from '../../base/clock.js';
import { CodedError, messageOf } from '../../base/coded-error.js';
import type { ConnectionEvent } from '../../base/connection-event.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import { ToxId } from '../../tox/crypto/tox-id.js';
import type { TunnelEnd } from '../../tunnel/stream/datagram-end.js';
import { probeSocket } from '../../tunnel/stream/local-end.js';
import { explainReason } from '../../tunnel/wire/reasons.js';
import type { Target } from '../../tunnel/wire/target.js';
import { ConnectRetry } from '../client/connect-retry.js';
import type { RemoteServer } from '../client/remote-server.js';
import type { HeldServer, ServerPool } from '../client/server-pool.js';
import { agentDatagramEnd } from './agent-datagrams.js';
import { agentEnd, lingerOn } from './agent-end.js';
import { tellPort } from './agent-port.js';
import { tunnelTarget } from './agent-target.js';

/** ms for the request, on a busy machine. */
const REQUEST_TIMEOUT = 15_000;
/** ms for the client to take the last event. */
const LINGER = 2_000;
/** Bytes of events that may wait for a client that does not read. */
const MAX_WAITING = 64 * 1024;
const EARLY_BYTES = 'bytes came before the event "open"';

export interface AgentConnectionDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly pool: Pick<ServerPool, 'hold' | 'find' | 'leave'>;
  readonly agent: Agent;
}

/** The process behind the socket. */
export interface Agent {
  /** Its name and version. */
  readonly program: string;
  readonly pid: number;
  readonly ownKey: ToxId['publicKey'];
  /** The directory of the identity. */
  readonly state: string | undefined;
  readonly options: readonly string[] | undefined;
  status(): object;
  /** @returns why it does not end */
  stop(when: 'now' | 'idle'): string | undefined;
  /** Why the request to a server with this key is refused; undefined if it is not. */
  readonly whyNot?: ((key: ToxId['publicKey'], request: HostRequest) => string | undefined) | undefined;
  /** The connection uses a server from now on, or does not any more. */
  onServing(connection: AgentConnection): void;
  onOver(connection: AgentConnection): void;
}

export class AgentConnection {
  readonly #deps: AgentConnectionDeps;
  readonly #socket: Socket;
  readonly #lines = new LineBuffer(MAX_REQUEST_SIZE);
  /** Ends what was begun for the request, in reverse. */
  readonly #undo: (() => void)[] = [];
  #timeout: Timer | undefined;
  /** Why the request is refused by now. */
  #whyNot: () => string | undefined = () => undefined;
  /** Of the open tunnel. */
  #tunnelEnd: TunnelEnd | undefined;
  #state: 'asking' | 'serving' | 'open' | 'over' = 'asking';

  constructor(deps: AgentConnectionDeps, socket: Socket) {
    this.#deps = deps;
    this.#socket = socket;
    const { program, pid, state, options } = deps.agent;
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    this.#timeout = deps.clock.after(REQUEST_TIMEOUT, () => this.#fail('bad-request', 'no request came in time'));
    this.#write({ event: 'hello', version: AGENT_VERSION, program, pid, state, options });
  }

  /** Ends it with an error, unless a tunnel has it: the tunnel tells its own end. */
  close(code: string, message: string): void {
    if (this.#state !== 'open') this.#fail(code, message);
  }

  /** Ends it if its request is refused by now. */
  review(): void {
    const why = this.#state === 'over' ? undefined : this.#whyNot();
    if (why === undefined) return;
    if (this.#tunnelEnd === undefined) this.#fail('not-allowed', why);
    else this.#tunnelEnd.reset('closed-by-owner');
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#state === 'over') return;
    if (this.#state === 'serving') {
      this.#fail('bad-request', EARLY_BYTES);
      return;
    }
    this.#lines.push(bytes);
    const line = this.#lines.next();
    if (line !== undefined && this.#lines.takeRest().length > 0) this.#fail('bad-request', EARLY_BYTES);
    else if (line !== undefined) this.#onLine(line);
    else if (this.#lines.isFull) this.#fail('bad-request', `a request has at most ${MAX_REQUEST_SIZE} bytes`);
  };

  /** Before `open` only a client that is gone ends its direction; one that only asked has its answer. */
  readonly #onEnd = (): void => {
    if (this.#state === 'over') this.#socket.end();
    else this.#socket.destroy();
  };

  #onLine(line: string): void {
    this.#timeout?.cancel();
    const parsed = parseRequest(line);
    if (parsed.kind === 'request') this.#answer(parsed.request);
    else if (parsed.kind === 'wrong') this.#fail('bad-request', parsed.what);
    else {
      const { program, pid } = this.#deps.agent;
      const spoken = JSON.stringify(parsed.version);
      const message = `the agent (${program}, process ${pid}) speaks version ${AGENT_VERSION} of its protocol, this client ${spoken}: tuntox agent stop ends it`;
      this.#fail('version', message);
    }
  }

  #answer(request: AgentRequest): void {
    const { agent } = this.#deps;
    switch (request.ask) {
      case 'status':
        this.#finish({ event: 'status', ...agent.status() });
        return;
      case 'stop': {
        const refusal = agent.stop(request.when);
        if (refusal === undefined) this.#finish({ event: 'stopping' });
        else this.#fail('not-allowed', refusal);
        return;
      }
      case 'leave':
        this.#leave(request);
        return;
      default:
        this.#serve(request);
    }
  }

  #leave(request: HostRequest): void {
    const { pool, agent } = this.#deps;
    const id = this.#idOf(request.host.toxId);
    if (id === undefined) return;
    const why = agent.whyNot?.(id.publicKey, request);
    if (why !== undefined) this.#fail('not-allowed', why);
    else this.#finish({ event: 'left', users: pool.leave(id.publicKey) });
  }

  /** Fails if it is none. */
  #idOf(toxId: string): ToxId | undefined {
    const id = ToxId.parse(toxId);
    if (typeof id !== 'string') return id;
    this.#fail('bad-request', 'this is no valid Tox ID: copy it again');
    return undefined;
  }

  #serve(request: ServerRequest): void {
    const { pool, agent } = this.#deps;
    const id = this.#idOf(request.host.toxId);
    if (id === undefined) return;
    if (id.publicKey.equals(agent.ownKey)) {
      this.#fail('own-id', 'this is the Tox ID of this machine itself: use the one of the server');
      return;
    }
    this.#whyNot = () => agent.whyNot?.(id.publicKey, request);
    const why = this.#whyNot();
    if (why !== undefined) {
      this.#fail('not-allowed', why);
      return;
    }
    if (request.onlyIfConnected === true && pool.find(id.publicKey)?.isOnline !== true) {
      this.#fail('not-connected', 'the agent is not connected to this server');
      return;
    }
    const { secret, name } = request.host;
    const held = pool.hold({ id, name, secret: secret === undefined ? undefined : Buffer.from(secret) });
    this.#undo.push(() => held.release());
    this.#state = 'serving';
    agent.onServing(this);
    this.#awaitServer(request, held);
  }

  #awaitServer(request: ServerRequest, { server, isAdmittedBySecret }: HeldServer): void {
    const { timeout, maxRetries = 0 } = request;
    const retry = new ConnectRetry(
      this.#deps,
      { timeout, maxRetries },
      {
        onPause: (pauseMs, left) =>
          this.#write({ event: 'retry', code: server.reason.code, message: server.reason.message, pauseMs, left }),
        onRetry: () => server.seek(),
        onExhausted: () => this.#failWith(server.reason),
      },
    );
    this.#undo.push(() => retry.end());
    let hasBegun = false;
    const onChange = (isOnline: boolean): void => {
      if (this.#state !== 'serving') return;
      if (isOnline) retry.end();
      else retry.begin();
      if (!isOnline || hasBegun) return;
      hasBegun = true;
      this.#begin(request, server);
    };
    const onEvent = (event: ConnectionEvent): void => {
      if (this.#state === 'serving') this.#write(event);
    };
    if (server.isOnline) this.#write({ event: 'held', bySecret: isAdmittedBySecret });
    this.#undo.push(server.watch(onEvent));
    this.#undo.push(server.onChange(onChange));
    if (server.isOnline) onChange(true);
    else retry.begin();
  }

  #begin(request: ServerRequest, server: RemoteServer): void {
    if (request.ask === 'open') this.#open(tunnelTarget(request.target), server);
    else if (request.ask === 'listen') void this.#listen(request, server);
    else if (request.ask === 'ping') void this.#ping(request.count, server);
    else if (request.ask === 'services') void this.#listServices(server);
  }

  #open(target: Target, server: RemoteServer): void {
    const socket = this.#socket;
    const isStream = target.protocol !== 'udp';
    const endEarly = isStream ? this.#beginEarly() : (): void => {};
    this.#undo.push(endEarly);
    const cancel = server.open(target, {
      source: isStream ? socket : undefined,
      onAccepted: () => {
        endEarly();
        this.#write({ event: 'open' });
        this.#state = 'open';
        socket.off('data', this.#onData).off('end', this.#onEnd).pause();
        const makeEnd = isStream ? agentEnd : agentDatagramEnd;
        this.#tunnelEnd = makeEnd(this.#deps.clock, socket);
        return this.#tunnelEnd;
      },
      onRefused: (reason) => this.#fail(reason, explainReason(reason)),
    });
    this.#undo.push(cancel);
  }

  /** What the client sends from now on is of the stream, and so is its end, unless it is gone. @returns what stops reading */
  #beginEarly(): () => void {
    const socket = this.#socket;
    const onEnd = (): void => probeSocket(socket);
    // A client that is gone is noticed, whether the server takes early data or not.
    const onReadable = (): void => {};
    socket.off('data', this.#onData).off('end', this.#onEnd).pause();
    socket.on('readable', onReadable).on('end', onEnd);
    this.#write({ event: 'early' });
    return () => socket.off('readable', onReadable).off('end', onEnd);
  }

  /** Never rejects. */
  async #listen({ at, target, users }: Extract<ServerRequest, { ask: 'listen' }>, server: RemoteServer): Promise<void> {
    try {
      const place = { kind: 'port', bind: at.bind ?? undefined, port: at.port } as const;
      const reached = target === undefined ? { users } : { target: tunnelTarget(target) };
      const forward = await server.forward({ kind: 'reverse', at: place, ...reached });
      if (this.#state === 'serving') this.#undo.push(tellPort(this.#deps, forward, (event) => this.#write(event)));
      else forward.abort();
    } catch (error) {
      this.#failWith(error);
    }
  }

  /** Never rejects. */
  async #ping(count: number, server: RemoteServer): Promise<void> {
    try {
      for (let left = count; left > 0 && this.#state === 'serving'; left -= 1) {
        this.#write({ event: 'pong', ms: await server.ping() });
      }
      if (this.#state === 'serving') this.#finish({ event: 'done' });
    } catch (error) {
      this.#failWith(error);
    }
  }

  /** Never rejects. A server as upstream has no list. */
  async #listServices(server: RemoteServer): Promise<void> {
    try {
      const services = await server.services();
      if (this.#state === 'serving') this.#finish({ event: 'services', services: services ?? null });
    } catch (error) {
      this.#failWith(error);
    }
  }

  #failWith(error: unknown): void {
    const code = error instanceof CodedError ? error.code : 'failed';
    this.#fail(code, messageOf(error));
  }

  #fail(code: string, message: string): void {
    this.#deps.log.debug(`a client of the agent's socket: ${message}`);
    this.#finish({ event: 'error', code, message });
  }

  /** Says the last event, and disconnects when the client has read it, or after a moment. */
  #finish(event: object): void {
    if (this.#state === 'over' || this.#state === 'open') return;
    this.#end();
    this.#socket.end(encodeLine(event));
    // What else comes must be read, so that its end is seen.
    this.#socket.resume();
    lingerOn(this.#deps.clock, this.#socket, LINGER);
  }

  #write(event: object): void {
    if (this.#state === 'over') return;
    this.#socket.write(encodeLine(event));
    if (this.#socket.writableLength > MAX_WAITING) this.#socket.destroy();
  }

  #onClose(): void {
    this.#end();
    this.#deps.agent.onOver(this);
  }

  #end(): void {
    this.#timeout?.cancel();
    this.#state = 'over';
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }
}
