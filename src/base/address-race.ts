/**
 * Connecting to one of several addresses, as RFC 8305 (happy eyeballs) has it: an attempt that takes long goes on while the
 * next begins, and the first to connect wins. Node's own `autoSelectFamily` aborts an attempt when it begins the next, so
 * that no address behind a slow link but the last one is ever reached.
 */
import type { Clock, Timer } from './clock.js';

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

/** So many attempts beside the first ones, of all races that share it. */
export class AttemptLimit implements AttemptRoom {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  release(): void {
    this.#left += 1;
  }
}

/** What becomes of one attempt: one of them is called, once, later. */
export interface AttemptHandlers<Connection> {
  onConnected(connection: Connection): void;
  onFailed(error: Error): void;
}

/** Begins to connect. @returns a function that ends the attempt, after which no handler is called; also called after it has failed */
export type Attempt<Address, Connection> = (address: Address, handlers: AttemptHandlers<Connection>) => () => void;

export interface RaceHandlers<Address, Connection> {
  onConnected(connection: Connection, address: Address): void;
  /** Every attempt has failed. */
  onFailed(errors: readonly Error[]): void;
}

export interface RaceDeps<Address, Connection> {
  readonly clock: Clock;
  readonly attempt: Attempt<Address, Connection>;
  readonly room: AttemptRoom;
}

export class AddressRace<Address extends { readonly address: string }, Connection> {
  readonly #deps: RaceDeps<Address, Connection>;
  readonly #handlers: RaceHandlers<Address, Connection>;
  readonly #left: Address[];
  /** What ends each attempt under way. */
  readonly #attempts = new Set<() => void>();
  readonly #errors: Error[] = [];
  /** Attempts for which room was taken. */
  #beside = 0;
  #delay: Timer | undefined;
  #isOver = false;

  /** @param addresses at least one, in the order in which to try them; one of the handlers is called, once, later */
  constructor(
    deps: RaceDeps<Address, Connection>,
    addresses: readonly Address[],
    handlers: RaceHandlers<Address, Connection>,
  ) {
    this.#deps = deps;
    this.#handlers = handlers;
    this.#left = alternateFamilies(addresses);
    this.#tryNext();
  }

  /** Ends every attempt; no handler is called any more. */
  cancel(): void {
    this.#isOver = true;
    this.#delay?.cancel();
    for (const end of this.#attempts) end();
    this.#attempts.clear();
    this.#giveBack();
  }

  #giveBack(): void {
    for (; this.#beside > 0 && this.#beside >= this.#attempts.size; this.#beside -= 1) this.#deps.room.release();
  }

  #tryNext(): void {
    this.#delay?.cancel();
    const [address] = this.#left;
    if (address === undefined || this.#attempts.size >= MAX_ATTEMPTS) return;
    this.#delay = this.#deps.clock.after(ATTEMPT_DELAY, () => this.#tryNext());
    if (this.#attempts.size > 0) {
      if (!this.#deps.room.take()) return;
      this.#beside += 1;
    }
    this.#left.shift();
    const end = this.#deps.attempt(address, {
      onConnected: (connection) => this.#win(end, connection, address),
      onFailed: (error) => this.#lose(end, error),
    });
    this.#attempts.add(end);
  }

  #win(end: () => void, connection: Connection, address: Address): void {
    this.#attempts.delete(end);
    this.cancel();
    this.#handlers.onConnected(connection, address);
  }

  #lose(end: () => void, error: Error): void {
    if (this.#isOver) return;
    this.#attempts.delete(end);
    end();
    this.#giveBack();
    this.#errors.push(error);
    this.#tryNext();
    if (this.#attempts.size > 0) return;
    this.cancel();
    this.#handlers.onFailed(this.#errors);
  }
}

/** RFC 8305, section 4: the families take turns, beginning with that of the first address. */
function alternateFamilies<Address extends { readonly address: string }>(addresses: readonly Address[]): Address[] {
  const isIPv6 = ({ address }: Address): boolean => address.includes(':');
  const startsWithIPv6 = addresses[0] !== undefined && isIPv6(addresses[0]);
  const first = addresses.filter((address) => isIPv6(address) === startsWithIPv6);
  const second = addresses.filter((address) => isIPv6(address) !== startsWithIPv6);
  const longest = Math.max(first.length, second.length);
  return Array.from({ length: longest }, (_, index) => [first[index], second[index]])
    .flat()
    .filter((address) => address !== undefined);
}
