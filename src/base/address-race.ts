/**
 * Connects to one of several addresses as in RFC 8305 (happy eyeballs): a slow attempt continues while the next one begins, and the
 * first connection wins. Node's `autoSelectFamily` aborts an attempt when the next one begins, and so reaches no address behind a
 * slow link but the last.
 */
import type { Clock, Timer } from './clock.js';

/** ms between attempts (RFC 8305, section 5: Connection Attempt Delay). */
const ATTEMPT_DELAY = 250;
/** Attempts at once: each takes a descriptor, and a name may have any number of addresses. */
const MAX_ATTEMPTS = 4;

/** Descriptors for further attempts of a race, besides the first one. */
export interface AttemptRoom {
  take(): boolean;
  /** Called once for each that was taken. */
  release(): void;
}

/** A limit that several races share. */
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

/** One of them is called once, asynchronously. */
export interface AttemptHandlers<Connection> {
  onConnected(connection: Connection): void;
  onFailed(error: Error): void;
}

/** Begins to connect. @returns a function that ends the attempt, after which no handler is called; it is also called after a failure */
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
  /** The functions that end the current attempts. */
  readonly #attempts = new Set<() => void>();
  readonly #errors: Error[] = [];
  /** Attempts for which a descriptor was taken. */
  #beside = 0;
  #delay: Timer | undefined;
  #isOver = false;

  /** @param addresses at least one, in the order of preference */
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

  /** Ends all attempts; no handler is called afterwards. */
  cancel(): void {
    this.#isOver = true;
    this.#delay?.cancel();
    for (const end of this.#attempts) end();
    this.#attempts.clear();
    this.#releaseRoom();
  }

  #releaseRoom(): void {
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
    this.#releaseRoom();
    this.#errors.push(error);
    this.#tryNext();
    if (this.#attempts.size > 0) return;
    this.cancel();
    this.#handlers.onFailed(this.#errors);
  }
}

/** RFC 8305, section 4: the families alternate, beginning with that of the first address. */
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
