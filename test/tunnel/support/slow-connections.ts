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

  /** From where each address was tried; undefined: from where the system chooses. */
  readonly sources = new Map<string, string | undefined>();

  readonly connect = (address: string, _port?: number, from?: string): Socket => {
    const socket = new FakeSocket();
    this.sources.set(address, from);
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

  /** @param syscall what failed */
  fail(address: string, code: string, syscall = 'connect'): void {
    this.#sockets.get(address)?.emit('error', Object.assign(new Error(code), { code, syscall }));
  }
}
