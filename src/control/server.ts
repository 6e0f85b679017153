/** The daemon's end of the control socket: reads requests, checks them against the protocol, and answers. */
import * as v from 'valibot';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { ControlError } from './control-error.js';
import { describeIssues } from './envelope.js';
import { type IpcConnection, type IpcHandlers, type IpcListener, listenIpc, type SocketOptions } from './ipc.js';
import { type Call, type Emit, METHODS, type MethodHandlers, type MethodName } from './protocol.js';
import { ServerConnection } from './server-connection.js';

/** Bytes that may wait for all clients together. Beyond that, the client for which most waits is disconnected. */
const MAX_WAITING = 64 * 1024 * 1024;

export interface ControlServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly handlers: MethodHandlers;
}

export interface ControlServerOptions extends SocketOptions {
  /** Its name and version, for clients. */
  readonly daemon: string;
  readonly pid: number;
}

export class ControlServer {
  readonly #deps: ControlServerDeps;
  readonly #options: ControlServerOptions;
  readonly #connections = new Set<ServerConnection>();
  #listener: IpcListener | undefined;
  #isStopped = false;

  constructor(deps: ControlServerDeps, options: ControlServerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** @throws IpcError when another daemon answers at the socket, or the socket cannot be created */
  async start(): Promise<void> {
    const listener = await listenIpc(this.#options, (connection) => this.#accept(connection));
    if (this.#isStopped) listener.close();
    else this.#listener = listener;
  }

  /**
   * Creates the socket again if it was deleted; connections stay open.
   * @returns whether it did. @throws IpcError when that fails; the next call tries again
   */
  async restore(): Promise<boolean> {
    if (this.#isStopped || this.#listener?.isGone() === false) return false;
    // First: Node removes whatever is at its path.
    this.#listener?.close();
    this.#listener = undefined;
    await this.start();
    return true;
  }

  /** Ends all connections, and aborts their requests. */
  stop(): void {
    this.#isStopped = true;
    for (const connection of [...this.#connections]) connection.close();
    this.#listener?.close();
    this.#listener = undefined;
  }

  #accept(ipc: IpcConnection): IpcHandlers {
    const connection: ServerConnection = new ServerConnection(
      {
        clock: this.#deps.clock,
        log: this.#deps.log,
        ipc,
        answer: (method, params, emit, call) => this.#answer(method, params, emit, call),
        onBusy: () => this.#makeRoom(),
        onClosed: () => this.#connections.delete(connection),
      },
      this.#options,
    );
    this.#connections.add(connection);
    return connection.ipcHandlers();
  }

  #makeRoom(): void {
    let sum = 0;
    let most: ServerConnection | undefined;
    for (const one of this.#connections) {
      sum += one.waiting;
      if (one.waiting > (most?.waiting ?? 0)) most = one;
    }
    if (sum > MAX_WAITING) most?.drop();
  }

  /** @throws ControlError */
  async #answer(method: string, params: unknown, emit: Emit<unknown>, call: Call): Promise<unknown> {
    if (!isMethod(method)) throw new ControlError('unknown-method', `there is no method ${JSON.stringify(method)}`);
    const parsed = v.safeParse(METHODS[method].params, params);
    if (!parsed.success) throw new ControlError('bad-params', describeIssues(parsed.issues));
    try {
      // The compiler cannot see that name, parameters and handler belong together.
      const handler = this.#deps.handlers[method] as (...args: unknown[]) => unknown;
      if (!('event' in METHODS[method])) return await handler(parsed.output, call);
      await handler(parsed.output, emit, call);
      return {};
    } catch (error) {
      if (error instanceof ControlError) throw error;
      this.#deps.log.error(`${method} failed: ${error instanceof Error ? error.stack : messageOf(error)}`);
      throw new ControlError('failed', messageOf(error), { cause: error });
    }
  }
}

const isMethod = (name: string): name is MethodName => Object.hasOwn(METHODS, name);
