/**
 * The loopback address of each client, from 127.64.0.0/10: programs of this machine tell clients apart by it. A client keeps its
 * address permanently. An address follows from the key, and the next free one is taken when two keys have the same, so most clients
 * would get theirs again even if the file were lost.
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import { PublicKey } from '../../tox/crypto/keys.js';
import type { Source } from '../../tunnel/server/client-source.js';
import type { FileSystem } from '../state/file-system.js';
import { JsonFile, type JsonFormat } from '../state/json-file.js';
import type { StateDirectory } from '../state/state-file-error.js';
import { isTime, MAX_ENTRIES } from './whitelist.js';

/** Clients with an address: all that the whitelist may have, and half as many that came by the secret or were removed. */
const MAX_ADDRESSES = (MAX_ENTRIES * 3) / 2;
/** Last octets 0 and 255 are left out, because people and programs take such addresses for those of networks. */
const HOSTS = 254;
/** 127.64 to 127.127, each with 256 third octets. */
const COUNT = 64 * 256 * HOSTS;
/** s between changes of the time at which an address was used. */
const USE_PRECISION = 24 * 60 * 60;

interface Assignment {
  /** From 0 to COUNT - 1. */
  readonly number: number;
  /** Unix time, s; at most USE_PRECISION ago while the client uses it. */
  readonly usedAt: number;
}

/** By public key in hex, the one that was used longest ago first. */
type Assignments = ReadonlyMap<string, Assignment>;

export class ClientAddresses {
  readonly #deps: { readonly clock: Clock; readonly log: Logger };
  readonly #isKept: (id: string) => boolean;
  readonly #file: JsonFile<Assignments>;
  readonly #assigned: Map<string, Assignment>;
  readonly #taken: Set<number>;
  #isSaving = false;
  #isChanged = false;
  #hasFailed = false;

  private constructor(deps: Deps, file: JsonFile<Assignments>) {
    this.#deps = deps;
    this.#isKept = deps.isKept;
    this.#file = file;
    this.#assigned = new Map(file.value);
    this.#taken = new Set([...file.value.values()].map(({ number }) => number));
  }

  /** Never fails: while the file cannot be used no client has an address, and `error` has the reason. */
  static async open(deps: Deps, directory: StateDirectory): Promise<ClientAddresses> {
    const file = await JsonFile.open(deps.files, directory, addressesFormat);
    if (file.error !== undefined) deps.log.error(file.error.message);
    return new ClientAddresses(deps, file);
  }

  get error(): string | undefined {
    return this.#file.error?.message;
  }

  /** The address of a client, if it has one. @param id public key in hex */
  known(id: string): string | undefined {
    const assignment = this.#assigned.get(id);
    return assignment === undefined ? undefined : addressOf(assignment.number);
  }

  /** The client that an address belongs to: its public key in hex. */
  ownerOf(address: string): string | undefined {
    const number = numberOf(address);
    for (const [id, assignment] of this.#assigned) if (assignment.number === number) return id;
    return undefined;
  }

  /**
   * The address of a client, which gets one now if it has none. It counts at once; if the disk does not take it, the client may get
   * another one after a restart.
   * @param id public key in hex @returns an error while the file cannot be used
   */
  of(id: string): Source {
    const { error } = this;
    if (error !== undefined) return { error: `it has no address of its own: ${error}` };
    const now = this.#deps.clock.unixTime();
    const before = this.#assigned.get(id);
    if (before !== undefined && now - before.usedAt < USE_PRECISION) return { address: addressOf(before.number) };
    if (before === undefined) this.#makeRoom();
    const number = before?.number ?? this.#freeNumber(id);
    this.#assigned.delete(id);
    this.#assigned.set(id, { number, usedAt: now });
    this.#taken.add(number);
    void this.#save();
    return { address: addressOf(number) };
  }

  #freeNumber(id: string): number {
    let number = Number.parseInt(id.slice(0, 8), 16) % COUNT;
    while (this.#taken.has(number)) number = (number + 1) % COUNT;
    return number;
  }

  /** Takes the address that was used longest ago from a client that is not kept. */
  #makeRoom(): void {
    if (this.#assigned.size < MAX_ADDRESSES) return;
    for (const [id, { number }] of this.#assigned) {
      if (this.#isKept(id)) continue;
      this.#assigned.delete(id);
      this.#taken.delete(number);
      return;
    }
  }

  /** One save at a time; changes in the meantime are saved together. */
  async #save(): Promise<void> {
    this.#isChanged = true;
    if (this.#isSaving) return;
    this.#isSaving = true;
    while (this.#isChanged) {
      this.#isChanged = false;
      try {
        await this.#file.change(() => new Map(this.#assigned));
        this.#hasFailed = false;
      } catch (error) {
        if (!this.#hasFailed) this.#deps.log.warn(`addresses of clients: ${messageOf(error)}`);
        this.#hasFailed = true;
      }
    }
    this.#isSaving = false;
  }
}

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly files: FileSystem;
  /** Whether a client, by its key in hex, keeps its address however long ago it used it. */
  readonly isKept: (id: string) => boolean;
}

function addressOf(number: number): string {
  const network = Math.floor(number / HOSTS);
  return `127.${64 + (network >> 8)}.${network & 0xff}.${1 + (number % HOSTS)}`;
}

/** The inverse of `addressOf`; undefined for an address that is none of ours. */
function numberOf(address: string): number | undefined {
  const [first, second = 0, third = 0, fourth = 0] = address.split('.').map(Number);
  const number = ((second - 64) * 256 + third) * HOSTS + fourth - 1;
  return first === 127 && number >= 0 && number < COUNT && addressOf(number) === address ? number : undefined;
}

const addressesFormat: JsonFormat<Assignments> = {
  name: 'client-addresses.json',
  version: 1,
  initial: new Map(),
  encode: (assignments) => ({
    clients: [...assignments].map(([id, { number, usedAt }]) => {
      return { key: id, address: addressOf(number), used_at: usedAt };
    }),
  }),
  decode: ({ clients }) => {
    if (!Array.isArray(clients)) throw new Error('it has no "clients"');
    const decoded = clients.map((one, index) => decodeAssignment(one, index + 1));
    const assignments = new Map(decoded);
    if (assignments.size < decoded.length) throw new Error('a key is listed twice');
    const numbers = new Set(decoded.map(([, { number }]) => number));
    if (numbers.size < decoded.length) throw new Error('two clients have the same address');
    return assignments;
  },
};

function decodeAssignment(value: unknown, place: number): [string, Assignment] {
  const { key, address, used_at: usedAt } = (value ?? {}) as Record<string, unknown>;
  const invalid = (field: string): never => {
    throw new Error(`client ${place}: its "${field}" is invalid`);
  };
  const id = typeof key === 'string' ? PublicKey.parse(key)?.hex : undefined;
  const number = typeof address === 'string' ? numberOf(address) : undefined;
  if (id === undefined) return invalid('key');
  if (number === undefined) return invalid('address');
  if (!isTime(usedAt)) return invalid('used_at');
  return [id, { number, usedAt }];
}
