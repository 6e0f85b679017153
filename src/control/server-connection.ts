/**
 * One client of the control socket:
 *
 *     greeting   it must send `hello` within a few seconds
 *     ready      its requests are answered, several at a time
 *     closed
 *
 * A client may be hostile or hang: its lines, its simultaneous requests, and the bytes that wait for it are bounded.
 */
import * as v from 'valibot';
import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { ControlError } from './control-error.js';
import {
  Cancel,
  describeIssues,
  encodeError,
  encodeEvent,
  encodeResult,
  HelloParams,
  MAX_REPLY_SIZE,
  MAX_REQUEST_SIZE,
  parseLine,
  Request,
} from './envelope.js';
import type { IpcConnection, IpcHandlers } from './ipc.js';
import { LineReader } from './line-reader.js';
import { type Call, type Emit, METHODS, PROTOCOL_VERSION } from './protocol.js';

/** ms for `hello`. */
const GREETING_TIMEOUT = 5_000;
/** Requests of one client that are handled at a time; further ones wait in its socket. */
const MAX_CALLS = 16;
/** Streams among them: a cancel, which ends one, must not wait behind them. */
const MAX_STREAMS = 8;
/** Bytes that may wait for a client that does not read: two of the largest replies. */
const MAX_WAITING = 2 * MAX_REPLY_SIZE;
/** With more bytes waiting, streams leave events out, and new requests wait until the client has read. */
const BUSY_WAITING = 256 * 1024;
/** ms for sending the last reply. */
const LINGER = 1_000;

const STREAMS: ReadonlySet<string> = new Set(
  Object.entries(METHODS).flatMap(([name, method]) => ('event' in method ? [name] : [])),
);

export interface ServerConnectionDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ipc: IpcConnection;
  /** @throws ControlError (rejects) */
  answer(method: string, params: unknown, emit: Emit<unknown>, call: Call): Promise<unknown>;
  /** Much waits for this client. */
  onBusy(): void;
  onClosed(): void;
}

interface PendingCall {
  readonly abort: AbortController;
  readonly isStream: boolean;
}

type State =
  | { readonly kind: 'greeting'; readonly timeout: Timer }
  | { readonly kind: 'ready' }
  | { readonly kind: 'closed' };

export class ServerConnection {
  readonly #deps: ServerConnectionDeps;
  readonly #options: { readonly daemon: string; readonly pid: number };
  readonly #reader = new LineReader(MAX_REQUEST_SIZE);
  readonly #calls = new Map<number, PendingCall>();
  /** Lines that wait, and the index of the next one: removing the first element would be slow. */
  #lines: string[] = [];
  #nextLine = 0;
  #linger: Timer | undefined;
  #state: State;

  constructor(deps: ServerConnectionDeps, options: { readonly daemon: string; readonly pid: number }) {
    this.#deps = deps;
    this.#options = options;
    this.#state = { kind: 'greeting', timeout: deps.clock.after(GREETING_TIMEOUT, () => this.close()) };
  }

  ipcHandlers(): IpcHandlers {
    return {
      onData: (bytes) => this.#onBytes(bytes),
      onDrain: () => this.#work(),
      onClose: () => {
        this.close();
        this.#linger?.cancel();
      },
    };
  }

  /** Bytes that wait for the client to read. */
  get waiting(): number {
    return this.#deps.ipc.writableLength;
  }

  /** Disconnects at once. */
  drop(): void {
    this.#deps.log.debug('disconnected a client of the control socket that does not read');
    this.close();
    this.#linger?.cancel();
    this.#deps.ipc.destroy();
  }

  /** Disconnects once the client has read the last reply, or after a moment. */
  close(): void {
    if (this.#state.kind === 'closed') return;
    if (this.#state.kind === 'greeting') this.#state.timeout.cancel();
    this.#state = { kind: 'closed' };
    this.#lines = [];
    for (const { abort } of this.#calls.values()) abort.abort();
    this.#deps.ipc.end();
    this.#linger = this.#deps.clock.after(LINGER, () => this.#deps.ipc.destroy());
    this.#deps.onClosed();
  }

  #onBytes(bytes: Buffer): void {
    if (this.#state.kind === 'closed') return;
    const lines = this.#reader.push(bytes);
    if (lines === undefined) {
      this.#refuse(null, 'bad-params', `a request is longer than ${MAX_REQUEST_SIZE} bytes`);
      this.close();
      return;
    }
    for (const line of lines) this.#lines.push(line);
    this.#work();
  }

  #work(): void {
    while (this.#state.kind !== 'closed' && this.#calls.size < MAX_CALLS && this.waiting <= BUSY_WAITING) {
      const line = this.#lines[this.#nextLine];
      this.#nextLine += 1;
      if (line === undefined) {
        this.#lines = [];
        this.#nextLine = 0;
        break;
      }
      if (line.trim() === '') continue;
      this.#onLine(line);
    }
    if (this.#lines.length > 0) this.#deps.ipc.pause();
    else this.#deps.ipc.resume();
  }

  #onLine(line: string): void {
    const message = parseLine(line);
    if (v.is(Cancel, message)) {
      this.#calls.get(message.params.id)?.abort.abort();
      return;
    }
    const request = v.safeParse(Request, message);
    if (!request.success) {
      this.#refuse(null, 'bad-params', `not a request: ${describeIssues(request.issues)}`);
      this.close();
      return;
    }
    const { id, method, params } = request.output;
    if (this.#state.kind === 'greeting') this.#onHello(this.#state, id, method, params);
    else if (this.#calls.has(id)) this.#refuse(id, 'bad-params', `another request with the id ${id} is pending`);
    else void this.#call(id, method, params);
  }

  #onHello(state: State & { readonly kind: 'greeting' }, id: number, method: string, params: unknown): void {
    const hello = v.safeParse(HelloParams, params);
    if (method !== 'hello' || !hello.success) {
      this.#refuse(id, 'bad-params', 'the first request of a connection must be "hello", with versions and client');
      this.close();
      return;
    }
    const { daemon, pid } = this.#options;
    if (!hello.output.versions.includes(PROTOCOL_VERSION)) {
      const spoken = hello.output.versions.join(', ');
      this.#refuse(
        id,
        'version',
        `${daemon} speaks version ${PROTOCOL_VERSION} of the control protocol, ${hello.output.client} speaks ${spoken}`,
      );
      this.close();
      return;
    }
    state.timeout.cancel();
    this.#state = { kind: 'ready' };
    this.#deps.log.debug(`${JSON.stringify(hello.output.client)} connected to the control socket`);
    this.#write(encodeResult(id, { version: PROTOCOL_VERSION, daemon, pid }));
  }

  async #call(id: number, method: string, params: unknown): Promise<void> {
    const abort = new AbortController();
    const isStream = STREAMS.has(method);
    if (isStream && [...this.#calls.values()].filter((call) => call.isStream).length >= MAX_STREAMS) {
      this.#refuse(
        id,
        'busy',
        `this connection already has ${MAX_STREAMS} streams`,
        'cancel one of them, or open another connection',
      );
      return;
    }
    this.#calls.set(id, { abort, isStream });
    try {
      const emit: Emit<unknown> = (event) => this.#emit(id, event, abort.signal);
      const result = await this.#deps.answer(method, params, emit, { signal: abort.signal });
      this.#write(encodeResult(id, result));
    } catch (error) {
      const { code, message, hint } =
        error instanceof ControlError ? error : new ControlError('failed', 'the request failed', { cause: error });
      this.#refuse(id, code, message, hint);
    } finally {
      this.#calls.delete(id);
      // In another turn of the event loop: tunnels and other clients must not wait for all requests of this one.
      this.#deps.clock.soon(() => this.#work());
    }
  }

  #emit(id: number, event: unknown, signal: AbortSignal): boolean {
    if (signal.aborted || this.waiting > BUSY_WAITING) return false;
    this.#write(encodeEvent(id, event));
    return this.waiting <= BUSY_WAITING;
  }

  #refuse(id: number | null, code: ControlError['code'], message: string, hint?: string): void {
    this.#write(encodeError(id, code, message, hint));
  }

  #write(text: string): void {
    if (this.#state.kind === 'closed') return;
    this.#deps.ipc.write(text);
    if (this.waiting > MAX_WAITING) this.drop();
    else if (this.waiting > BUSY_WAITING) this.#deps.onBusy();
  }
}
