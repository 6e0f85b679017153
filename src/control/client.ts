/** A client of the control socket: calls methods of the daemon, typed by the protocol. */
import * as v from 'valibot';
import type { Clock } from '../base/clock.js';
import { ControlError, type ControlErrorCode } from './control-error.js';
import {
  encodeCancel,
  encodeRequest,
  HelloResult,
  MAX_REPLY_SIZE,
  MAX_REQUEST_SIZE,
  parseLine,
  Reply,
} from './envelope.js';
import { connectIpc, type IpcConnection } from './ipc.js';
import { LineReader } from './line-reader.js';
import {
  METHODS,
  type MethodName,
  type ParamsIn,
  PROTOCOL_VERSION,
  type Result,
  type StreamEvent,
  type StreamName,
} from './protocol.js';

export interface ControlClientOptions {
  readonly path: string;
  /** Name and version of the program. */
  readonly client: string;
  /** ms for a call; a stream has no limit. */
  readonly timeout: number;
  /** Ends the connection, also while it is being made. */
  readonly signal?: AbortSignal;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onEvent: ((event: unknown) => void) | undefined;
}

export class ControlClient {
  readonly #clock: Clock;
  readonly #options: ControlClientOptions;
  readonly #lines = new LineReader(MAX_REPLY_SIZE);
  readonly #pending = new Map<number, Pending>();
  #ipc: IpcConnection | undefined;
  #hello: v.InferOutput<typeof HelloResult> | undefined;
  #nextId = 0;
  #isClosed = false;

  private constructor(clock: Clock, options: ControlClientOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** @throws IpcError `not-running`, `permission`; ControlError `version`, `timeout`, `busy` */
  static async connect(clock: Clock, options: ControlClientOptions): Promise<ControlClient> {
    const client = new ControlClient(clock, options);
    client.#ipc = await connectIpc(options.path, {
      onData: (bytes) => client.#onBytes(bytes),
      onDrain: () => {},
      onClose: () => client.#end(new ControlError('stopping', 'the daemon closed the connection')),
    });
    const { signal } = options;
    signal?.addEventListener('abort', () => client.#end(new ControlError('stopping', 'the connection is closed')));
    try {
      if (signal?.aborted) throw new ControlError('stopping', 'the connection is closed');
      const answer = await client.#request('hello', { versions: [PROTOCOL_VERSION], client: options.client });
      const hello = client.#checked(HelloResult, answer) as v.InferOutput<typeof HelloResult>;
      client.#hello = hello;
      const { version } = hello;
      if (version !== PROTOCOL_VERSION) throw new ControlError('version', `the daemon speaks version ${version}`);
    } catch (error) {
      client.close();
      if (!(error instanceof ControlError) || error.code !== 'stopping') throw error;
      throw new ControlError('busy', 'the daemon accepts no more connections, or is stopping', { cause: error });
    }
    return client;
  }

  /** Name and version of the daemon. */
  get daemon(): string {
    return this.#hello?.daemon ?? '';
  }

  /** The process ID of the daemon. */
  get pid(): number {
    return this.#hello?.pid ?? 0;
  }

  /** @throws ControlError */
  async call<M extends Exclude<MethodName, StreamName>>(method: M, params: ParamsIn<M>): Promise<Result<M>> {
    return this.#checked(METHODS[method].result, await this.#request(method, params)) as Result<M>;
  }

  /** Resolves when the daemon or `signal` ends the stream. @throws ControlError */
  async stream<M extends StreamName>(
    method: M,
    params: ParamsIn<M>,
    options: { readonly onEvent: (event: StreamEvent<M>) => void; readonly signal?: AbortSignal },
  ): Promise<void> {
    const { event: schema } = METHODS[method];
    await this.#request(method, params, {
      onEvent: (event) => options.onEvent(this.#checked(schema, event) as StreamEvent<M>),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#ipc?.destroy();
  }

  #request(
    method: string,
    params: unknown,
    stream?: { readonly onEvent: (event: unknown) => void; readonly signal?: AbortSignal },
  ): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    const { timeout } = this.#options;
    const text = encodeRequest(id, method, params);
    const size = Buffer.byteLength(text) - 1;
    if (size > MAX_REQUEST_SIZE) {
      const message = `the request is too long: ${size} bytes of at most ${MAX_REQUEST_SIZE}`;
      return Promise.reject(new ControlError('bad-params', message, { hint: 'split it into several requests' }));
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#pending.delete(id);
        reject(new ControlError('timeout', `the daemon has not answered for ${timeout / 1000} s (${method})`));
      };
      const timer = stream === undefined ? this.#clock.after(timeout, giveUp) : undefined;
      const settle = (): void => {
        timer?.cancel();
        this.#pending.delete(id);
      };
      this.#pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
        onEvent: stream?.onEvent,
      });
      stream?.signal?.addEventListener('abort', () => this.#ipc?.write(encodeCancel(id)));
      if (this.#isClosed) this.#end(new ControlError('stopping', 'the connection is closed'));
      else this.#ipc?.write(text);
    });
  }

  #onBytes(bytes: Buffer): void {
    for (const line of this.#lines.push(bytes) ?? [undefined]) {
      const reply = v.safeParse(Reply, line === undefined ? undefined : parseLine(line));
      if (!reply.success) {
        this.#end(new ControlError('version', 'the daemon sent an invalid reply'));
        return;
      }
      this.#onReply(reply.output);
    }
  }

  #onReply(reply: v.InferOutput<typeof Reply>): void {
    if ('method' in reply) {
      this.#onEvent(reply.params.id, reply.params.event);
    } else if ('error' in reply) {
      const { message, data } = reply.error;
      const hint = data?.hint === undefined ? {} : { hint: data.hint };
      const error = new ControlError((data?.code ?? 'failed') as ControlErrorCode, message, hint);
      if (reply.id === null) this.#end(error);
      else this.#pending.get(reply.id)?.reject(error);
    } else {
      this.#pending.get(reply.id)?.resolve(reply.result);
    }
  }

  #onEvent(id: number, event: unknown): void {
    const pending = this.#pending.get(id);
    try {
      pending?.onEvent?.(event);
    } catch (error) {
      pending?.reject(error as Error);
      this.#ipc?.write(encodeCancel(id));
    }
  }

  /** Fails all pending requests. */
  #end(error: ControlError): void {
    this.#isClosed = true;
    for (const { reject } of [...this.#pending.values()]) reject(error);
    this.#ipc?.destroy();
  }

  /** A daemon of another version may send a result of another form. @throws ControlError `version` */
  #checked(schema: v.GenericSchema, value: unknown): unknown {
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return parsed.output;
    throw new ControlError('version', 'the daemon sent a result that this version does not understand', {
      hint: 'use tuntoxctl and tuntoxd of the same version',
    });
  }
}
