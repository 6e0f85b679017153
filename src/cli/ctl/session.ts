/** The connection of a command to the daemon, made with the first request. */
import type { Clock } from '../../base/clock.js';
import type { ControlClient } from '../../control/client.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodName, ParamsIn, Result, StreamEvent, StreamName } from '../../control/protocol.js';
import type { SocketPlace } from './connection-error.js';
import { CtlError, SAME_VERSION } from './ctl-error.js';

export interface SessionOptions {
  readonly socket: SocketPlace;
  /** The version of this program. */
  readonly version: string;
  /** ms for a request; by default as long as the longest may take. */
  readonly timeout?: number;
}

/** ms for a request. The longest, a ping, takes 10 s in the daemon if the client does not answer. */
const DEFAULT_TIMEOUT = 20_000;

export class Session {
  readonly #clock: Clock;
  readonly #options: SessionOptions;
  /** One connection, also for simultaneous requests: another would keep the process alive. */
  #client: Promise<ControlClient> | undefined;
  /** Ends that connection. */
  #abort = new AbortController();

  constructor(clock: Clock, options: SessionOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Returns the daemon's name with its version, and its process ID. @throws CtlError, ControlError */
  async daemon(): Promise<{ readonly version: string; readonly pid: number }> {
    const { daemon, pid } = await this.#connected();
    return { version: daemon, pid };
  }

  /** @throws CtlError, ControlError */
  async call<M extends Exclude<MethodName, StreamName>>(method: M, params: ParamsIn<M>): Promise<Result<M>> {
    const client = await this.#connected();
    try {
      return await client.call(method, params);
    } catch (error) {
      throw this.#explained(error, method, client.daemon);
    }
  }

  /** Resolves when the daemon or `signal` ends the stream. @throws CtlError, ControlError */
  async stream<M extends StreamName>(
    method: M,
    params: ParamsIn<M>,
    options: { readonly onEvent: (event: StreamEvent<M>) => void; readonly signal: AbortSignal },
  ): Promise<void> {
    const client = await this.#connected();
    try {
      await client.stream(method, params, options);
    } catch (error) {
      // The caller ended the stream itself; that the daemon stops at the same time does not matter.
      if (options.signal.aborted) return;
      throw this.#explained(error, method, client.daemon);
    }
  }

  close(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#client = undefined;
  }

  #connected(): Promise<ControlClient> {
    this.#client ??= this.#connect().catch((error: unknown) => {
      // The next request tries again.
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  async #connect(): Promise<ControlClient> {
    const { socket, timeout, version } = this.#options;
    // The signal of this connection: close() makes a new one.
    const { signal } = this.#abort;
    // Loaded late: help, usage errors and completion do not need the protocol.
    const { ControlClient } = await import('../../control/client.js');
    try {
      return await ControlClient.connect(this.#clock, {
        path: socket.path,
        client: `tuntoxctl ${version}`,
        timeout: timeout ?? DEFAULT_TIMEOUT,
        signal,
      });
    } catch (error) {
      const { connectionError } = await import('./connection-error.js');
      throw await connectionError(error, socket);
    }
  }

  /** Explains that a daemon of another version does not know a method or a field. */
  #explained(error: unknown, method: string, daemon: string): unknown {
    if (!(error instanceof ControlError)) return error;
    const isUnknown =
      error.code === 'unknown-method' || (error.code === 'bad-params' && /^there is no field /.test(error.message));
    // A daemon of our own version is right about the field: it is in a file that a person wrote.
    const isOther = daemon !== `tuntoxd ${this.#options.version}`;
    if (!(isUnknown && isOther) && error.code !== 'version') return error;
    const message = `tuntoxctl ${this.#options.version} and ${daemon} disagree about "${method}"`;
    return new CtlError('version', message, { hint: SAME_VERSION, cause: error });
  }
}
