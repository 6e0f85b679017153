/** A connection to the first endpoint of a host that connects (base/address-race). */
import { AddressRace, type AttemptHandlers, type AttemptRoom } from '../../base/address-race.js';
import type { Clock } from '../../base/clock.js';
import type { Endpoint } from '../../base/endpoint.js';
import type { DialStream, StreamHandlers, StreamSocket } from './stream-socket.js';

interface RacedStreamDeps {
  readonly clock: Clock;
  readonly dial: DialStream;
  /** Limits the attempts that run beside others. */
  readonly room: AttemptRoom;
}

type State =
  | { readonly kind: 'connecting'; readonly cancel: () => void }
  | { readonly kind: 'open'; readonly socket: StreamSocket }
  | { readonly kind: 'closed' };

export class RacedStream implements StreamSocket {
  readonly #deps: RacedStreamDeps;
  readonly #handlers: StreamHandlers;
  #remote: Endpoint;
  #state: State;

  /** @param endpoints at least one, in the order in which to try them */
  constructor(deps: RacedStreamDeps, endpoints: readonly [Endpoint, ...Endpoint[]], handlers: StreamHandlers) {
    const { clock, room } = deps;
    this.#deps = deps;
    this.#handlers = handlers;
    this.#remote = endpoints[0];
    const attempt = (endpoint: Endpoint, result: AttemptHandlers<StreamSocket>) => this.#attempt(endpoint, result);
    const race = new AddressRace<Endpoint, StreamSocket>({ clock, attempt, room }, endpoints, {
      onConnected: (socket, endpoint) => {
        this.#remote = endpoint;
        this.#state = { kind: 'open', socket };
        handlers.onOpen?.();
      },
      onFailed: (errors) => this.#close(errors.at(-1)?.message ?? ''),
    });
    this.#state = { kind: 'connecting', cancel: () => race.cancel() };
  }

  /** The first endpoint, until one has connected. */
  get remote(): Endpoint {
    return this.#remote;
  }

  get waiting(): number {
    return this.#state.kind === 'open' ? this.#state.socket.waiting : 0;
  }

  write(bytes: Buffer): boolean {
    return this.#state.kind === 'open' && this.#state.socket.write(bytes);
  }

  destroy(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'connecting') state.cancel();
    else if (state.kind === 'open') state.socket.destroy();
  }

  /** The socket that connects first calls this stream's handlers from then on; the race destroys the others. */
  #attempt(endpoint: Endpoint, result: AttemptHandlers<StreamSocket>): () => void {
    const socket = this.#deps.dial(endpoint, {
      onOpen: () => result.onConnected(socket),
      onData: (bytes) => this.#handlers.onData(bytes),
      onDrain: () => this.#handlers.onDrain(),
      onClose: (reason) => {
        if (this.#state.kind === 'open') this.#close(reason);
        else result.onFailed(new Error(reason));
      },
    });
    return () => socket.destroy();
  }

  #close(reason: string): void {
    this.#state = { kind: 'closed' };
    this.#handlers.onClose(reason);
  }
}
