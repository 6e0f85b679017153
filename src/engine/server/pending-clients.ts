/**
 * Clients that asked to be admitted and were refused: for their owner, who may approve one, and so that it is admitted then at
 * once, and not only at its next request: the gaps between requests grow, to 40 s with our clients and without limit with others.
 */
import type { Clock, Timer } from '../../base/clock.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { FriendRequest } from '../../tox/messenger.js';
import type { RefusalReason } from '../access/access-policy.js';

/** ms for which a message is stored, longer than the gap between two requests: it may contain a secret. */
const MESSAGE_MEMORY = 60_000;
/** ms since the last request for which the client itself is stored. */
const MEMORY = 24 * 60 * 60_000;
/** Strangers, and as many clients whose key is known. Reviewing a client costs some ms where a secret is compared. */
const MAX_EACH = 64;
const NO_MESSAGE = Buffer.alloc(0);

export type PendingReason = RefusalReason | 'full';

export interface PendingClient {
  readonly publicKey: PublicKey;
  /** Why its last request was refused. */
  readonly reason: PendingReason;
  /** Unix times, s, of its first and its last request. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Requests; repetitions within two seconds count once. */
  readonly requests: number;
  /** See `FriendRequest`. */
  readonly source: string;
  /** Whether its last request had a secret, right or wrong. */
  readonly hasSentSecret: boolean;
}

/** What was refused, to decide about it again. */
export interface RefusedRequest {
  /** Without its message when it is not recent, as if it had sent no secret. */
  readonly request: FriendRequest;
  readonly isRecent: boolean;
}

export interface Refusal {
  readonly reason: PendingReason;
  /** Whether the key is one that a stranger cannot make: on the whitelist, or one that sent the present secret. */
  readonly isKnown: boolean;
  readonly hasSentSecret: boolean;
}

interface Entry {
  readonly client: PendingClient;
  /** Undefined once it is no longer needed. */
  message: Buffer | undefined;
  readonly accept: FriendRequest['accept'];
  /** ms of the clock */
  readonly refusedAt: number;
}

/** By public key in hex, in the order of their first requests. */
type Entries = Map<string, Entry>;

export class PendingClients {
  readonly #clock: Clock;
  readonly #strangers: Entries = new Map();
  readonly #known: Entries = new Map();
  #forgetting: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Requests that were not checked are stored without their message: they are not checked again so soon. */
  add(request: FriendRequest, { reason, isKnown, hasSentSecret }: Refusal): void {
    this.#expire();
    const { publicKey, message, accept } = request;
    const [entries, others] = isKnown ? [this.#known, this.#strangers] : [this.#strangers, this.#known];
    const before = entries.get(publicKey.hex) ?? others.get(publicKey.hex);
    others.delete(publicKey.hex);
    const now = this.#clock.unixTime();
    const source = before === undefined ? request.source : emptier(entries, before.client.source, request.source);
    const client: PendingClient = {
      publicKey,
      reason,
      firstAt: before?.client.firstAt ?? now,
      lastAt: now,
      requests: (before?.client.requests ?? 0) + 1,
      source,
      hasSentSecret,
    };
    if (!entries.has(publicKey.hex) && entries.size >= MAX_EACH) makeRoom(entries, source);
    const kept = reason === 'too-many-guesses' ? undefined : message;
    entries.set(publicKey.hex, { client, message: kept, accept, refusedAt: this.#clock.now() });
    this.#planForgetting();
  }

  delete(key: PublicKey): void {
    this.#strangers.delete(key.hex);
    this.#known.delete(key.hex);
  }

  /** The clients in the order of their last requests. */
  get all(): readonly PendingClient[] {
    this.#expire();
    return this.#entries.map(({ client }) => client).sort((one, other) => one.lastAt - other.lastAt);
  }

  /** What to decide again after a change, the oldest requests first. */
  get refused(): readonly RefusedRequest[] {
    this.#expire();
    return this.#entries
      .sort((one, other) => one.refusedAt - other.refusedAt)
      .map(({ client: { publicKey, source }, message, accept }) => ({
        request: { publicKey, source, accept, message: message ?? NO_MESSAGE },
        isRecent: message !== undefined,
      }));
  }

  close(): void {
    this.#forgetting?.cancel();
    this.#strangers.clear();
    this.#known.clear();
  }

  get #entries(): Entry[] {
    return [...this.#known.values(), ...this.#strangers.values()];
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const entries of [this.#strangers, this.#known]) {
      for (const [id, entry] of entries) {
        if (now - entry.refusedAt >= MESSAGE_MEMORY) entry.message = undefined;
        if (now - entry.refusedAt >= MEMORY) entries.delete(id);
      }
    }
  }

  /** No secret stays in memory longer than it is needed, even if nobody asks. */
  #planForgetting(): void {
    this.#forgetting ??= this.#clock.after(MESSAGE_MEMORY, () => {
      this.#forgetting = undefined;
      this.#expire();
      if (this.#entries.some(({ message }) => message !== undefined)) this.#planForgetting();
    });
  }
}

function countOf(entries: Entries, source: string): number {
  let count = 0;
  for (const { client } of entries.values()) if (client.source === source) count += 1;
  return count;
}

/** A request comes by several ways. A client counts for the one with more room, so that a flood by the other does not displace it. */
const emptier = (entries: Entries, before: string, now: string): string =>
  before === now || countOf(entries, before) <= countOf(entries, now) + 1 ? before : now;

/**
 * Displaces a client of the source that has most, so that a flood by one way leaves room for the others. Its older half stays: those
 * who asked before a flood are not displaced by it. The oldest of the newer half gives way. Where no source has two, nobody floods, and
 * the client that asked longest ago gives way.
 * @param source of the client that is to be added
 */
function makeRoom(entries: Entries, source: string): void {
  const counts = new Map([[source, 1]]);
  for (const { client } of entries.values()) counts.set(client.source, (counts.get(client.source) ?? 0) + 1);
  const fullest = [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
  const ids = [...entries].filter(([, { client }]) => client.source === fullest).map(([id]) => id);
  const displaced = ids[Math.ceil(ids.length / 2)] ?? idlest(entries);
  if (displaced !== undefined) entries.delete(displaced);
}

const idlest = (entries: Entries): string | undefined =>
  [...entries].sort(([, one], [, other]) => one.refusedAt - other.refusedAt)[0]?.[0];
