/** The connection of a command to the daemon, made with the first request. */
import type { Clock } from '../../base/clock.js';
import { type DaemonOwner, SERVICE_COMMANDS } from '../../base/daemon-service.js';
import type { ControlClient } from '../../control/client.js';
import { ControlError, type ControlErrorCode } from '../../control/control-error.js';
import type { MethodName, ParamsIn, Result, StreamEvent, StreamName } from '../../control/protocol.js';
import { CtlError, sameVersion } from './ctl-error.js';
import type { SocketPlace } from './socket-place.js';

export interface SessionOptions {
  readonly socket: SocketPlace;
  /** The version of this program. */
  readonly version: string;
  /** ms for a request; by default as long as the longest may take. */
  readonly timeout?: number;
  /** Called after each connection. */
  readonly onConnected?: () => void;
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
    const { socket, timeout, version, onConnected } = this.#options;
    // The signal of this connection: close() makes a new one.
    const { signal } = this.#abort;
    // Loaded late: help, usage errors and completion do not need the protocol.
    const { ControlClient } = await import('../../control/client.js');
    try {
      const client = await ControlClient.connect(this.#clock, {
        path: socket.path,
        client: `tuntoxctl ${version}`,
        timeout: timeout ?? DEFAULT_TIMEOUT,
        signal,
      });
      onConnected?.();
      return client;
    } catch (error) {
      const { connectionError } = await import('./connection-error.js');
      throw await connectionError(error, socket);
    }
  }

  /** Explains that a daemon of another version does not know a method or a field, and adds a hint where there is none. */
  #explained(error: unknown, method: string, daemon: string): unknown {
    if (!(error instanceof ControlError)) return error;
    const isUnknown =
      error.code === 'unknown-method' || (error.code === 'bad-params' && /^there is no field /.test(error.message));
    // A daemon of our own version is right about the field: it is in a file that a person wrote.
    const isOther = daemon !== `tuntoxd ${this.#options.version}`;
    const { owner } = this.#options.socket;
    if (!(isUnknown && isOther) && error.code !== 'version') return withHint(error, owner);
    const message = `tuntoxctl ${this.#options.version} and ${daemon} disagree about "${method}"`;
    return new CtlError('version', message, { hint: sameVersion(owner), cause: error });
  }
}

function withHint(error: ControlError, owner: DaemonOwner): ControlError {
  const { log, status } = SERVICE_COMMANDS[owner];
  const hints: Partial<Record<ControlErrorCode, string>> = {
    timeout: `to see what the daemon is doing: ${log}`,
    busy: 'try again in a moment',
    stopping: `to see its state: ${status}`,
    'not-saved': 'nothing has changed; check the disk that has the state directory',
    failed: `for details: ${log}`,
  };
  const hint = hints[error.code];
  if (error.hint !== undefined || hint === undefined) return error;
  return new ControlError(error.code, error.message, { hint, cause: error });
}
