/** One connection of a client to the agent: a request, its events, and then perhaps bytes. */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Clock } from '../base/clock.js';
import { CodedError } from '../base/coded-error.js';
import { LineBuffer } from './line-buffer.js';
import { type AgentEvent, type AgentRequest, encodeRequest, MAX_EVENT_SIZE, parseEvent } from './messages.js';
import { type AgentPlaces, AgentSocketError, connectToAgent, pathsOf } from './socket-file.js';

/** What the agent answers, or that it has ended. The codes are those of the events `error`; `agent-ended` is ours. */
export class AgentError extends CodedError<string> {}

export interface Hello {
  readonly version: number;
  /** Name and version. */
  readonly program: string;
  readonly pid: number;
  /** The directory of its identity. */
  readonly state: string;
  /** The options about the network that it was started with, as `--bootstrap=…`; undefined for a daemon, which has a file. */
  readonly options?: readonly string[];
}

/** ms for the agent's greeting, on a busy machine. */
const HELLO_TIMEOUT = 15_000;
const ENDED = 'the agent, which holds the connection to the server, has ended: try again';

export class Conversation {
  readonly #socket: Socket;
  readonly #lines = new LineBuffer(MAX_EVENT_SIZE);
  readonly #events: AgentEvent[] = [];
  #isAtEnd = false;
  #isOpen = false;
  #isEarly = false;
  #onChange: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData);
    socket.on('close', this.#onClose);
    socket.on('end', this.#onClose);
  }

  /**
   * Connects and asks.
   * @param request a second one needs another conversation
   * @throws AgentSocketError; `not-running` also when the agent is about to end, or has another identity
   */
  static async begin(
    deps: { readonly clock: Clock },
    places: AgentPlaces,
    request: AgentRequest,
  ): Promise<{ readonly conversation: Conversation; readonly hello: Hello }> {
    let missing: unknown;
    for (const path of pathsOf(places)) {
      try {
        const begun = await Conversation.#beginAt(deps, { path, owner: places.owner }, request);
        if (places.state === undefined || begun.hello.state === places.state) return begun;
        begun.conversation.close();
        missing ??= new AgentSocketError('not-running', `${path}: the agent there has another identity`);
      } catch (error) {
        if (!(error instanceof AgentSocketError) || error.code !== 'not-running') throw error;
        missing ??= error;
      }
    }
    throw missing;
  }

  /** Asks for one event. @returns undefined when the agent has disconnected @throws as `begin` and `next` */
  static async ask(
    deps: { readonly clock: Clock },
    places: AgentPlaces,
    request: AgentRequest,
  ): Promise<AgentEvent | undefined> {
    const { conversation } = await Conversation.begin(deps, places, request);
    return conversation.next().finally(() => conversation.close());
  }

  static async #beginAt(
    deps: { readonly clock: Clock },
    { path, owner }: { readonly path: string; readonly owner: AgentPlaces['owner'] },
    request: AgentRequest,
  ): Promise<{ readonly conversation: Conversation; readonly hello: Hello }> {
    const socket = await connectToAgent(path, owner);
    const conversation = new Conversation(socket);
    socket.write(encodeRequest(request));
    let didHang = false;
    const timeout = deps.clock.after(HELLO_TIMEOUT, () => {
      didHang = true;
      socket.destroy();
    });
    const hello = await conversation.next();
    timeout.cancel();
    if (hello === undefined) {
      conversation.close();
      throw didHang
        ? new AgentSocketError('failed', `the agent does not answer at ${path}: end its process, and try again`)
        : new AgentSocketError('not-running', `${path}: the agent is ending`);
    }
    if (hello.event === 'error') throw errorOf(hello);
    return { conversation, hello: helloOf(hello) };
  }

  /** @returns undefined when the agent has disconnected @throws AgentError of an event `error` */
  async next(): Promise<AgentEvent | undefined> {
    while (this.#events.length === 0 && !this.#isAtEnd) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
    const event = this.#events.shift();
    if (event?.event === 'error') throw errorOf(event);
    return event;
  }

  /** Waits for an event, and gives others to `onOther`. @throws AgentError */
  async until(name: string, onOther: (event: AgentEvent) => void): Promise<AgentEvent> {
    for (;;) {
      const event = await this.next();
      if (event === undefined) throw agentEnded();
      if (event.event === name) return event;
      onOther(event);
    }
  }

  /**
   * Waits for the event `open`, and sends what the source gives, and its end, as soon as the agent takes it.
   * @param source undefined: what it gives is not a stream of bytes
   * @throws AgentError; then the source is not read any more
   */
  async untilOpen(source: Readable | undefined, onOther: (event: AgentEvent) => void): Promise<void> {
    try {
      await this.until('open', (event) => {
        if (event.event !== 'early') onOther(event);
        else if (source !== undefined && !this.#isEarly) {
          this.#isEarly = true;
          source.pipe(this.#socket);
        }
      });
    } catch (error) {
      source?.unpipe(this.#socket);
      throw error;
    }
  }

  /**
   * Hands the connection over after `open`; it is paused.
   * @returns what was read of the bytes already, and whether the source of `untilOpen` is being sent
   */
  takeOver(): { readonly socket: Socket; readonly rest: Buffer; readonly isEarly: boolean } {
    const socket = this.#socket;
    socket.off('data', this.#onData).off('close', this.#onClose).off('end', this.#onClose).pause();
    return { socket, rest: this.#lines.takeRest(), isEarly: this.#isEarly };
  }

  /** Calls back once, when the connection is over, also one that was handed over. */
  onClosed(listener: () => void): void {
    this.#socket.once('close', listener);
  }

  close(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#lines.push(bytes);
    while (!this.#isOpen) {
      const line = this.#lines.next();
      if (line === undefined) break;
      const event = parseEvent(line);
      if (event === undefined) continue;
      this.#events.push(event);
      this.#isOpen = event.event === 'open';
    }
    if (this.#isOpen) this.#socket.pause();
    else if (this.#lines.isFull) this.#socket.destroy();
    this.#onChange();
  };

  readonly #onClose = (): void => {
    this.#isAtEnd = true;
    this.#onChange();
  };
}

/** An agent of another version may leave something out. */
function helloOf({ version, program, pid, state, options }: AgentEvent): Hello {
  return {
    version: Number(version),
    program: String(program),
    pid: Number(pid),
    state: String(state),
    ...(Array.isArray(options) ? { options: options.map(String) } : {}),
  };
}

function errorOf({ code, message }: AgentEvent): AgentError {
  return new AgentError(typeof code === 'string' ? code : 'failed', typeof message === 'string' ? message : ENDED);
}

export const agentEnded = (): AgentError => new AgentError('agent-ended', ENDED);
