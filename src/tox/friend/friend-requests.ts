/**
 * Incoming friend requests (spec: "Friend requests"). The application decides whether to accept them; here a request must have our
 * current nospam, and repetitions are dropped. Unlike c-toxcore we do not remember refused keys: a client that first sent a wrong
 * secret can send the right one at once.
 */
import type { Clock } from '../../base/clock.js';
import { ExpiringMap } from '../../base/expiring-map.js';
import { sha512 } from '../crypto/box.js';
import { equalsInConstantTime } from '../crypto/key-pair.js';
import type { PublicKey } from '../crypto/keys.js';
import { decodeFriendRequest } from '../packet/friend.js';

/** ms. An honest client repeats the same request every few seconds; the application need not see each copy. */
const REPEAT_WINDOW = 2_000;
/** Requests remembered; keys cost an attacker nothing, so the table is bounded. */
const MAX_REMEMBERED = 1_024;

/** @param source see `FriendRequest` */
type RequestHandler = (publicKey: PublicKey, message: Buffer, source: string) => void;

export class FriendRequests {
  readonly #clock: Clock;
  readonly #nospam: Buffer;
  readonly #onRequest: RequestHandler;
  /** The hashes of sender and message: a corrected secret is a new request. */
  readonly #seen: ExpiringMap<string, true>;

  constructor(deps: { clock: Clock; onRequest: RequestHandler }, nospam: Buffer) {
    this.#clock = deps.clock;
    this.#onRequest = deps.onRequest;
    this.#nospam = nospam;
    this.#seen = new ExpiringMap(REPEAT_WINDOW, MAX_REMEMBERED);
  }

  /** @param sender authenticated by the onion's inner box, or by the connection @param data its id first */
  handle(sender: PublicKey, data: Buffer, source: string): void {
    const request = decodeFriendRequest(data);
    if (request === undefined || !equalsInConstantTime(request.nospam, this.#nospam)) return;
    const now = this.#clock.now();
    // A hash, so that the table holds no secrets. A request over a connection is no copy of one through the onion: it comes once, and
    // the earlier one may have come before anybody listened.
    const way = data.subarray(0, 1);
    const key = sha512(Buffer.concat([way, sender.bytes, request.message])).toString('latin1');
    if (this.#seen.get(key, now) !== undefined) return;
    this.#seen.set(key, true, now);
    this.#onRequest(sender, Buffer.from(request.message), source);
  }
}
