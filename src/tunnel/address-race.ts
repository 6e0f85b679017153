/**
 * Connecting to one of several addresses, as RFC 8305 (happy eyeballs) has it: an attempt that takes long goes on while the
 * next begins, and the first to connect wins. Node's own `autoSelectFamily` aborts an attempt when it begins the next, so
 * that no address behind a slow link but the last one is ever reached.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.js';

/** ms from one attempt to the next while nothing is heard (RFC 8305, section 5: Connection Attempt Delay). */
const ATTEMPT_DELAY = 250;
/** Attempts under way at once: each is a descriptor, and the owner of a name may give it any number of addresses. */
const MAX_ATTEMPTS = 4;

/** Whether there is a descriptor for an attempt beside another one of the same race; the first needs none. */
export interface AttemptRoom {
  take(): boolean;
  /** Once for each that was taken. */
  release(): void;
}

/** Begins to connect to a literal address. */
export type Connect = (address: string) => Socket;

export interface RaceHandlers {
  onConnected(socket: Socket, address: string): void;
  /** Every attempt has failed. */
  onFailed(errors: readonly Error[]): void;
}

export class AddressRace {
  readonly #clock: Clock;
  readonly #connect: Connect;
  readonly #room: AttemptRoom;
  readonly #handlers: RaceHandlers;
  readonly #left: string[];
  readonly #attempts = new Set<Socket>();
  readonly #errors: Error[] = [];
  /** Attempts for which room was taken. */
  #beside = 0;
  #delay: Timer | undefined;
  #isOver = false;

  /** @param addresses at least one, in the order in which to try them; one of the handlers is called, once, later */
  constructor(
    deps: { readonly clock: Clock; readonly connect: Connect; readonly room: AttemptRoom },
    addresses: readonly string[],
    handlers: RaceHandlers,
  ) {
    this.#clock = deps.clock;
    this.#connect = deps.connect;
    this.#room = deps.room;
    this.#handlers = handlers;
    this.#left = alternateFamilies(addresses);
    this.#tryNext();
  }

  /** Ends every attempt; no handler is called any more. */
  cancel(): void {
    this.#isOver = true;
    this.#delay?.cancel();
    for (const socket of this.#attempts) abandon(socket);
    this.#attempts.clear();
    this.#giveBack();
  }

  #giveBack(): void {
    for (; this.#beside > 0 && this.#beside >= this.#attempts.size; this.#beside -= 1) this.#room.release();
  }

  #tryNext(): void {
    this.#delay?.cancel();
    const [address] = this.#left;
    if (address === undefined || this.#attempts.size >= MAX_ATTEMPTS) return;
    this.#delay = this.#clock.after(ATTEMPT_DELAY, () => this.#tryNext());
    if (this.#attempts.size > 0) {
      if (!this.#room.take()) return;
      this.#beside += 1;
    }
    this.#left.shift();
    const socket = this.#connect(address);
    this.#attempts.add(socket);
    socket.once('connect', () => this.#win(socket, address));
    socket.once('error', (error) => this.#lose(socket, error));
  }

  #win(socket: Socket, address: string): void {
    this.#attempts.delete(socket);
    this.cancel();
    socket.removeAllListeners('error');
    this.#handlers.onConnected(socket, address);
  }

  #lose(socket: Socket, error: Error): void {
    if (this.#isOver) return;
    this.#attempts.delete(socket);
    abandon(socket);
    this.#giveBack();
    this.#errors.push(error);
    this.#tryNext();
    if (this.#attempts.size > 0) return;
    this.cancel();
    this.#handlers.onFailed(this.#errors);
  }
}

function abandon(socket: Socket): void {
  socket.removeAllListeners('connect').removeAllListeners('error');
  // An error that comes afterwards is nobody's.
  socket.on('error', () => {}).destroy();
}

/** RFC 8305, section 4: the families take turns, beginning with that of the first address. */
function alternateFamilies(addresses: readonly string[]): string[] {
  const isIPv6 = (address: string): boolean => address.includes(':');
  const startsWithIPv6 = addresses[0] !== undefined && isIPv6(addresses[0]);
  const first = addresses.filter((address) => isIPv6(address) === startsWithIPv6);
  const second = addresses.filter((address) => isIPv6(address) !== startsWithIPv6);
  const longest = Math.max(first.length, second.length);
  return Array.from({ length: longest }, (_, index) => [first[index], second[index]])
    .flat()
    .filter((address) => address !== undefined);
}
