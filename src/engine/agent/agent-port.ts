/**
 * -R through the agent, which has the server open the port, and connects to the target itself. It tells the client
 *
 *     {"event":"port","state":"asking"}
 *     {"event":"port","state":"listening","port":8080}
 *     {"event":"port","state":"refused","code":"not-allowed","message":"…"}
 *     {"event":"traffic","open":1,"total":3,"bytesSent":4096,"bytesReceived":512}
 */
import { AgentError, type Conversation } from '../../agent/conversation.js';
import type { AgentEvent } from '../../agent/messages.js';
import { AgentSocketError } from '../../agent/socket-file.js';
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import type { Forward, ForwardTraffic, ReverseSpec } from '../../tunnel/client/forward-spec.js';
import { PortStatus } from '../../tunnel/client/port-status.js';
import { portLog } from '../client/port-log.js';

/** ms between the events `traffic`: many connections may begin at once. */
const TRAFFIC_INTERVAL = 250;
/** ms until a client asks again whose agent has ended. */
const RETRY = 2_000;

/** The agent's side. @returns a function that closes the port and its connections */
export function tellPort(
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  forward: Forward,
  write: (event: object) => void,
): () => void {
  let timer: Timer | undefined;
  const undo = [
    forward.remote?.watch(portLog(forward, log)),
    forward.remote?.watch(({ kind: state, ...rest }) => write({ event: 'port', state, ...rest })),
    forward.remote?.onTraffic(() => {
      timer ??= clock.after(TRAFFIC_INTERVAL, () => {
        timer = undefined;
        write({ event: 'traffic', ...forward.traffic });
      });
    }),
  ];
  return () => {
    timer?.cancel();
    for (const end of undo) end?.();
    forward.abort();
  };
}

interface Deps {
  readonly clock: Clock;
  /** Asks the agent for the port; starts an agent if none is running. @throws AgentSocketError, AgentError */
  readonly begin: () => Promise<Conversation>;
}

/** The client's side. Where the agent ends, the next one is asked. */
export class AgentPort implements Forward {
  readonly spec: ReverseSpec;
  readonly remote = new PortStatus();
  readonly #deps: Deps;
  #traffic: ForwardTraffic = { open: 0, total: 0, bytesSent: 0, bytesReceived: 0 };
  #port: number;
  #conversation: Conversation | undefined;
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(deps: Deps, spec: ReverseSpec) {
    this.spec = spec;
    this.#deps = deps;
    this.#port = spec.at.port;
    void this.#run();
  }

  get at(): ReverseSpec['at'] {
    return { ...this.spec.at, port: this.#port };
  }

  get port(): number {
    return this.#port;
  }

  get pending(): number {
    return 0;
  }

  /** As the agent has told it last. */
  get traffic(): ForwardTraffic {
    return this.#traffic;
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#conversation?.close();
  }

  abort(): void {
    this.close();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      const conversation = await this.#deps.begin();
      this.#conversation = conversation;
      if (this.#isClosed) conversation.close();
      for (let event = await conversation.next(); event !== undefined; event = await conversation.next())
        this.#onEvent(event);
    } catch (error) {
      if (!(error instanceof AgentError || error instanceof AgentSocketError)) throw error;
      this.#conversation?.close();
      // The connection to the server, which the command holds beside it, tells what ended the agent.
      if (error.code !== 'shutting-down')
        this.remote.change({ kind: 'refused', code: error.code, message: messageOf(error) });
    }
    if (this.#isClosed) return;
    if (this.remote.state.kind === 'listening') this.remote.change({ kind: 'asking' });
    this.#traffic = { ...this.#traffic, open: 0 };
    this.#retry = this.#deps.clock.after(RETRY, () => void this.#run());
  }

  #onEvent({ event, state, port, code, message, ...rest }: AgentEvent): void {
    if (event === 'traffic') {
      const { open, total, bytesSent, bytesReceived } = rest;
      if (![open, total, bytesSent, bytesReceived].every(Number.isSafeInteger)) return;
      this.#traffic = { open, total, bytesSent, bytesReceived } as ForwardTraffic;
      this.remote.noteTraffic();
    } else if (event === 'port' && state === 'listening') {
      this.#port = Number(port);
      this.remote.change({ kind: 'listening', port: this.#port });
    } else if (event === 'port' && state === 'refused') {
      this.remote.change({ kind: 'refused', code: String(code), message: String(message) });
    } else if (event === 'port') this.remote.change({ kind: 'asking' });
  }
}
