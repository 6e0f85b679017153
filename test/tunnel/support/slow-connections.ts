/** Connections to addresses that answer when the test says so. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

class FakeSocket extends EventEmitter {
  isDestroyed = false;

  destroy(): this {
    this.isDestroyed = true;
    return this;
  }
}

export class SlowConnections {
  readonly #sockets = new Map<string, FakeSocket>();

  readonly connect = (address: string): Socket => {
    const socket = new FakeSocket();
    this.#sockets.set(address, socket);
    return socket as unknown as Socket;
  };

  /** Addresses in the order in which they were tried. */
  get tried(): string[] {
    return [...this.#sockets.keys()];
  }

  /** Addresses whose attempt was not cancelled. */
  get open(): string[] {
    return [...this.#sockets].filter(([, socket]) => !socket.isDestroyed).map(([address]) => address);
  }

  succeed(address: string): void {
    this.#sockets.get(address)?.emit('connect');
  }

  fail(address: string, code: string): void {
    this.#sockets.get(address)?.emit('error', Object.assign(new Error(code), { code }));
  }
}
