/** The server's side of the door: friend requests are decided by the policy, and who gets in may ask for tunnels. */
import type { Clock } from '../base/clock.js';
import { ExpiringMap } from '../base/expiring-map.js';
import type { Logger } from '../base/logger.js';
import { TokenBucket } from '../base/token-bucket.js';
import type { PublicKey } from '../tox/crypto/keys.js';
import type { TunnelService } from '../tunnel/tunnel-service.js';
import type { AccessDecision, AccessPolicy, RefusalReason } from './access-policy.js';
import { pathText } from './connection-text.js';
import { ConnectionWatch } from './connection-watch.js';
import { GuestList } from './guest-list.js';
import { openChannels } from './tox-channel.js';
import type { FriendRequest, StackFriend, ToxStack } from './tox-stack.js';

const REFUSALS: Readonly<Record<RefusalReason, string>> = {
  closed: 'nobody is let in',
  'not-whitelisted': 'it is not on the whitelist',
  'no-secret': 'it sent no secret',
  'wrong-secret': 'it sent a wrong secret',
  'too-many-guesses': 'too many wrong secrets came',
};

const FACTORS: Readonly<Record<Extract<AccessDecision, { isAdmitted: true }>['factors'], string>> = {
  none: 'the door is open',
  secret: 'by the secret',
  whitelist: 'by the whitelist',
  'secret and whitelist': 'by the secret and the whitelist',
};

/** ms in which the same refusal of the same key is not logged again: clients repeat their requests. */
const SAME_REFUSAL = 10 * 60_000;
const MAX_REFUSALS = 1_024;
/** Refusals logged a second, and at once: whoever makes new keys must not fill the disk. */
const LOG_RATE = 1;
const LOG_BURST = 20;

interface Guest {
  readonly id: string;
  readonly isOnline: boolean;
  readonly friend: StackFriend;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tox: ToxStack;
  readonly tunnels: TunnelService;
}

export class Doorkeeper {
  readonly #deps: Deps;
  readonly #policy: AccessPolicy;
  readonly #guests: GuestList<Guest>;
  readonly #refusals = new ExpiringMap<string, true>(SAME_REFUSAL, MAX_REFUSALS);
  readonly #logLimit: TokenBucket;

  constructor(deps: Deps, policy: AccessPolicy) {
    this.#deps = deps;
    this.#policy = policy;
    this.#logLimit = new TokenBucket(LOG_RATE, LOG_BURST, deps.clock.now());
    this.#guests = new GuestList({
      clock: deps.clock,
      onForget: ({ friend }) => {
        deps.log.debug(`${friend.publicKey.short}: away too long, forgotten`);
        deps.tox.removeFriend(friend);
      },
    });
    deps.tox.onFriendRequest((request) => this.#onRequest(request));
  }

  close(): void {
    this.#guests.close();
  }

  #onRequest(request: FriendRequest): void {
    const { publicKey } = request;
    if (this.#guests.has(publicKey.hex)) return;
    const decision = this.#policy.decide(publicKey, request.message, this.#deps.clock.now());
    if (!decision.isAdmitted) {
      this.#logRefusal(publicKey, REFUSALS[decision.reason]);
    } else if (!this.#guests.makeRoom()) {
      this.#logRefusal(publicKey, 'all places for clients are taken');
    } else {
      this.#deps.log.info(`${publicKey.short}: let in, ${FACTORS[decision.factors]}`);
      this.#welcome(request.accept());
    }
  }

  #welcome(friend: StackFriend): void {
    const { clock, log, tunnels } = this.#deps;
    const watch = new ConnectionWatch({ clock, log, friend }, { news: 'debug' });
    const name = friend.publicKey.short;
    const guest: Guest = {
      id: friend.publicKey.hex,
      friend,
      get isOnline() {
        return friend.isOnline;
      },
    };
    this.#guests.add(guest);
    openChannels(friend, {
      onOpen: (channel) => {
        log.info(`${name}: connected, ${pathText(friend.facts.path)}`);
        watch.begin();
        this.#guests.onSeen(guest);
        tunnels.attach(channel);
      },
      onClose: () => {
        watch.end();
        log.info(`${name}: gone`);
        this.#guests.onSeen(guest);
      },
    });
  }

  #logRefusal(key: PublicKey, why: string): void {
    const { clock, log } = this.#deps;
    const now = clock.now();
    const id = `${key.hex} ${why}`;
    const isNews = this.#refusals.get(id, now) === undefined && this.#logLimit.take(now);
    if (isNews) this.#refusals.set(id, true, now);
    log[isNews ? 'warn' : 'debug'](`${key.short}: refused, ${why}`);
  }
}
