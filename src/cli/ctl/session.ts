/** The connection of a command with the daemon: made with the first order, and its errors told apart. */
import { statSync } from 'node:fs';
import type { Clock } from '../../base/clock.js';
import type { CodedError } from '../../base/coded-error.js';
import type { ControlClient } from '../../control/client.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodName, ParamsIn, Result, StreamEvent, StreamName } from '../../control/protocol.js';
import { CtlError } from './ctl-error.js';

/** Where the control socket is looked for, and who says so. */
export interface SocketPlace {
  readonly path: string;
  readonly from: 'option' | 'environment' | 'default';
}

export interface SessionOptions {
  readonly socket: SocketPlace;
  /** Of this program. */
  readonly version: string;
  /** ms for an order; as long as the longest may take, unless given. */
  readonly timeout?: number;
}

/** Implementation: ms for an order; the longest, a ping, takes 10 s in the daemon when nobody answers. */
const TIMEOUT = 20_000;

export class Session {
  readonly #clock: Clock;
  readonly #options: SessionOptions;
  /** One, also for orders that are given at once: another would keep the process alive. */
  #client: Promise<ControlClient> | undefined;
  /** Ends that one. */
  #abort = new AbortController();

  constructor(clock: Clock, options: SessionOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Name and version of the daemon, and its process. @throws CtlError, ControlError */
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

  /** Resolves when the daemon ends the stream, or `signal` did. @throws CtlError, ControlError */
  async stream<M extends StreamName>(
    method: M,
    params: ParamsIn<M>,
    options: { readonly onEvent: (event: StreamEvent<M>) => void; readonly signal: AbortSignal },
  ): Promise<void> {
    const client = await this.#connected();
    try {
      await client.stream(method, params, options);
    } catch (error) {
      // A daemon that stops at the same moment changes nothing for who wanted to stop.
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
      // To be tried again.
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  async #connect(): Promise<ControlClient> {
    const { socket, timeout, version } = this.#options;
    // Of this one, whatever is begun later.
    const { signal } = this.#abort;
    // Only now: help, mistakes and completion do without the protocol.
    const { ControlClient } = await import('../../control/client.js');
    try {
      return await ControlClient.connect(this.#clock, {
        path: socket.path,
        client: `tuntoxctl ${version}`,
        timeout: timeout ?? TIMEOUT,
        signal,
      });
    } catch (error) {
      throw await connectionError(error, socket);
    }
  }

  /** A daemon of another version refuses what this one knows to be right. */
  #explained(error: unknown, method: string, daemon: string): unknown {
    if (!(error instanceof ControlError)) return error;
    const isUnknown =
      error.code === 'unknown-method' || (error.code === 'bad-params' && /^there is no field /.test(error.message));
    // One of our own version is right: the field stands in a file that somebody wrote.
    const isOther = daemon !== `tuntoxd ${this.#options.version}`;
    if (!(isUnknown && isOther) && error.code !== 'version') return error;
    return new CtlError(
      'version',
      `this is tuntoxctl ${this.#options.version}, and ${daemon} understands "${method}" in another way`,
      { hint: 'use the same version of both: after an upgrade, systemctl restart tuntox', cause: error },
    );
  }
}

async function connectionError(error: unknown, socket: SocketPlace): Promise<unknown> {
  if (error instanceof ControlError && error.code === 'version') {
    return new CtlError('version', error.message, {
      hint: 'use the same version of both: after an upgrade, systemctl restart tuntox',
      cause: error,
    });
  }
  const { IpcError } = await import('../../control/ipc.js');
  if (!(error instanceof IpcError)) return error;
  if (error.code === 'permission') return permissionError(error, socket.path);
  return (await lostSocketError(error, socket)) ?? noSocketError(error, socket) ?? notRunningError(error, socket);
}

/** There is something else at that path. */
function noSocketError(cause: unknown, { path, from }: SocketPlace): CtlError | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined || status.isSocket()) return undefined;
  const message = `${path}${SAID_BY[from]} is no socket`;
  return new CtlError('not-running', message, { hint: 'give the socket.path of the daemon with --socket', cause });
}

async function lostSocketError(error: CodedError<string>, { path, from }: SocketPlace): Promise<CtlError | undefined> {
  if (error.code !== 'not-running') return undefined;
  const { lostDaemon } = await import('./lost-socket.js');
  const daemon = lostDaemon(path, from === 'default');
  if (daemon === undefined) return undefined;
  if (daemon.kind === 'listens') {
    return new CtlError('no-socket', `the daemon runs, but its control socket ${path} was deleted`, {
      hint: 'the daemon makes it again within 10 s; to have that done at once: sudo systemctl kill -s HUP tuntox',
      cause: error,
    });
  }
  return new CtlError('no-socket', `the daemon runs (process ${daemon.pid}), but it has no socket at ${path}`, {
    hint:
      'if its socket.path is another one, give that with --socket; if not, the socket was deleted, and' +
      ` journalctl -u tuntox says why it cannot be made again: sudo kill -HUP ${daemon.pid} has the daemon try once more; a restart would drop the tunnels`,
    cause: error,
  });
}

const SAID_BY = { option: '', environment: ', the socket of TUNTOX_SOCKET', default: '' } as const;

function notRunningError(error: CodedError<string>, { path, from }: SocketPlace): CtlError {
  if (error.code !== 'not-running') return new CtlError('failed', error.message, { cause: error });
  const start =
    'start it: sudo systemctl start tuntox (or sudo supervisorctl start tuntox); journalctl -u tuntox says why it ended';
  return new CtlError('not-running', `the daemon is not running: nobody listens at ${path}${SAID_BY[from]}`, {
    hint: from === 'default' ? `${start}; where its socket.path is another one, name that with --socket` : start,
    cause: error,
  });
}

async function permissionError(cause: unknown, path: string): Promise<CtlError> {
  const { groupOf } = await import('./socket-group.js');
  const group = groupOf(path);
  const message = `this user may not use ${path}`;
  if (group === undefined) {
    return new CtlError('permission', message, { hint: 'run it as root: sudo tuntoxctl …', cause });
  }
  return new CtlError('permission', `${message}: that is for group ${group}`, {
    hint: `join it: sudo usermod -aG ${group} $USER, then log in again; or run it as root: sudo tuntoxctl …`,
    cause,
  });
}
