/** The admission of clients to a server: the policy decides about friend requests, and an admitted client may open tunnels. */
import type { Clock } from '../../base/clock.js';
import type { ConnectionEvent } from '../../base/connection-event.js';
import { ExpiringMap } from '../../base/expiring-map.js';
import { type FloodLimits, FloodLog } from '../../base/flood-log.js';
import type { Logger } from '../../base/logger.js';
import type { PublicKey } from '../../tox/crypto/keys.js';
import type { Friend, FriendRequest } from '../../tox/messenger.js';
import type { TunnelService } from '../../tunnel/tunnel-service.js';
import {
  type AccessDecision,
  type AccessPolicy,
  type AdmittedBy,
  hasSecret,
  type LeaveReason,
  type RefusalReason,
} from '../access/access-policy.js';
import { ConnectionEvents } from '../network/connection-events.js';
import { pathText } from '../network/connection-text.js';
import { ConnectionWatch } from '../network/connection-watch.js';
import { openChannels } from '../network/tox-channel.js';
import type { ToxStack } from '../network/tox-stack.js';
import { ClientList } from './client-list.js';
import { nameWithKey } from './client-names.js';
import { type PendingClient, PendingClients, type PendingReason } from './pending-clients.js';
import { RefusalCounts, type Refusals } from './refusal-counts.js';

const REFUSALS: Readonly<Record<RefusalReason, string>> = {
  banned: 'it is banned',
  closed: 'this server admits no clients',
  'not-whitelisted': 'it is not on the whitelist',
  expired: 'its entry on the whitelist has expired',
  'no-secret': 'it sent no secret',
  'wrong-secret': 'it sent a wrong secret',
  'used-up': 'the secret has admitted as many clients as it may',
  'invitation-used': 'its invitation has admitted as many clients as it may',
  'invitation-expired': 'its invitation has expired',
  'invitation-revoked': 'its invitation was revoked',
  'not-saved': 'the disk did not take the redemption of its invitation',
  'too-many-guesses': 'there were too many wrong secrets',
};

const LEAVING: Readonly<Record<LeaveReason, string>> = {
  ...REFUSALS,
  'secret-changed': 'its secret is no longer valid',
};

const FACTORS: Readonly<Record<AdmittedBy, string>> = {
  none: 'as any client is',
  secret: 'by the secret',
  whitelist: 'by the whitelist',
  'secret and whitelist': 'by the secret and the whitelist',
};

/** ms in which the same refusal of the same key is not logged again: clients repeat their requests. */
const SAME_REFUSAL = 10 * 60_000;
const MAX_REFUSALS = 1_024;
/** ms in which it is not counted again: a client that tries all day was refused once. */
const SAME_COUNT = 24 * 60 * 60_000;
/** Log lines about all strangers together: a client that makes new keys must not fill the disk. */
const REFUSAL_LINES = { atOnce: 20, aMinute: 20 };
const STRANGER_LIMITS: FloodLimits = { each: REFUSAL_LINES, all: REFUSAL_LINES };

/** An admitted client, until it is disconnected or has been away for too long. */
export interface AdmittedClient {
  /** Public key in hex. */
  readonly id: string;
  readonly friend: Friend;
  readonly isOnline: boolean;
  readonly admittedBy: AdmittedBy;
  /** Unix times, s: when the client was admitted, and since when it is connected, or away. */
  readonly admittedAt: number;
  readonly since: number;
}

const isByList = (factors: AdmittedBy): boolean => factors.endsWith('whitelist');

/** What a later review of a client needs. */
interface Admission {
  readonly admittedBy: AdmittedBy;
  /** The generation of the secret that the client sent. */
  readonly generation: number;
  readonly closeChannels: () => void;
}

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tox: ToxStack;
  readonly tunnels: TunnelService;
  /** Called with what happens to the connection of a client, by its key in hex. */
  readonly onEvent?: ClientEventHandler | undefined;
}

export type ClientEventHandler = (client: string, event: ConnectionEvent) => void;

export class ClientAdmission {
  readonly #deps: Deps;
  readonly #policy: AccessPolicy;
  readonly #aliasOf: (id: string) => string | undefined;
  readonly #clients: ClientList<AdmittedClient>;
  readonly #admissions = new WeakMap<AdmittedClient, Admission>();
  readonly #counts: RefusalCounts;
  readonly #pending: PendingClients;
  readonly #loggedRefusals = new ExpiringMap<string, true>(SAME_REFUSAL, MAX_REFUSALS);
  readonly #countedRefusals = new ExpiringMap<string, true>(SAME_COUNT, MAX_REFUSALS);
  readonly #clientLog: FloodLog;
  readonly #strangerLog: FloodLog;
  #isClosed = false;

  /** @param aliasOf returns the owner's name for a client, by its key in hex */
  constructor(deps: Deps, policy: AccessPolicy, aliasOf: (id: string) => string | undefined = () => undefined) {
    this.#deps = deps;
    this.#policy = policy;
    this.#aliasOf = aliasOf;
    this.#clientLog = new FloodLog(deps);
    this.#strangerLog = new FloodLog(deps, STRANGER_LIMITS);
    this.#counts = new RefusalCounts(deps.clock);
    this.#pending = new PendingClients(deps.clock);
    this.#clients = new ClientList({
      clock: deps.clock,
      onForget: (client) => {
        deps.log.debug(`${this.#nameOf(client.friend.publicKey)}: away too long, forgotten`);
        this.#leave(client);
      },
    });
    deps.tox.onFriendRequest((request) => this.#onRequest(request));
  }

  /** All admitted clients that have not been forgotten, connected or not. */
  get clients(): readonly AdmittedClient[] {
    return this.#clients.all;
  }

  /** @param id public key in hex */
  isAdmitted(id: string): boolean {
    return this.#clients.has(id);
  }

  /** Refused clients by reason. A client counts once, unless over a thousand came after it. */
  get refusals(): Refusals {
    return this.#counts;
  }

  /** Clients that asked within a day and were refused, in the order of their last requests. */
  get pending(): readonly PendingClient[] {
    return this.#pending.all;
  }

  /**
   * Decides about all clients again after the policy has changed: disconnects those that are no longer allowed, and admits those that
   * were refused a moment ago and are allowed now. The owner waits for a client on the whitelist, so that one is admitted even if it
   * asked longer ago; others ask again.
   */
  review(): void {
    for (const client of this.#clients.all) {
      const reason = this.#reasonToLeave(client, this.#policy);
      if (reason !== undefined) this.#disconnect(client, `disconnected: ${LEAVING[reason]}`);
    }
    for (const { request, isRecent } of this.#pending.refused) {
      this.#decide(request, (decision) => {
        if (!decision.isAdmitted || !(isRecent || isByList(decision.factors))) return;
        if (this.#makeRoom(decision.factors)) this.#admit(request, decision.factors);
      });
    }
  }

  /** Returns the clients that a policy would disconnect. */
  affectedBy(policy: AccessPolicy): readonly AdmittedClient[] {
    return this.#clients.all.filter((client) => this.#reasonToLeave(client, policy) !== undefined);
  }

  #reasonToLeave(client: AdmittedClient, policy: AccessPolicy): LeaveReason | undefined {
    const { admittedBy, generation } = this.#admissions.get(client) as Admission;
    return policy.reasonToLeave(client.friend.publicKey, admittedBy, generation < policy.secretGeneration);
  }

  /** Disconnects a client, which may ask again. @returns false if no client has that key */
  kick(publicKey: PublicKey): boolean {
    const client = this.#clients.all.find(({ id }) => id === publicKey.hex);
    if (client !== undefined) this.#disconnect(client, 'disconnected by the owner');
    return client !== undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#clients.close();
    this.#pending.close();
    this.#clientLog.close();
    this.#strangerLog.close();
  }

  #disconnect(client: AdmittedClient, why: string): void {
    const { log, tunnels } = this.#deps;
    log.info(`${this.#nameOf(client.friend.publicKey)}: ${why}`);
    this.#clients.remove(client);
    tunnels.closePeer(client.id, 'client');
    this.#leave(client);
  }

  /** The peer may be a server of ours too, and stays connected then. */
  #leave(client: AdmittedClient): void {
    this.#deps.tox.removeFriend(client.friend, 'accepted');
    (this.#admissions.get(client) as Admission).closeChannels();
  }

  #onRequest(request: FriendRequest): void {
    if (!this.#clients.has(request.publicKey.hex))
      this.#decide(request, (decision) => this.#onDecided(request, decision));
  }

  #onDecided(request: FriendRequest, decision: AccessDecision): void {
    if (!decision.isAdmitted) {
      const { reason, invitation } = decision;
      const which = invitation === undefined ? '' : `: ${invitation}`;
      this.#noteRefusal(request, reason, `${REFUSALS[reason]}${which}`);
    } else if (!this.#makeRoom(decision.factors)) {
      this.#noteRefusal(request, 'full', 'the server has its maximum number of clients');
    } else {
      this.#admit(request, decision.factors);
    }
  }

  /** Keys cost nothing to a client with the secret, so new ones take no place from clients on the whitelist. */
  #makeRoom(factors: AdmittedBy): boolean {
    if (this.#clients.makeRoom()) return true;
    const last = isByList(factors) ? this.#clients.all.findLast(({ admittedBy }) => !isByList(admittedBy)) : undefined;
    if (last !== undefined) this.#disconnect(last, 'disconnected: a client on the whitelist takes its place');
    return last !== undefined;
  }

  /** Calls back at once, or after the secret was checked; not at all if the client has been admitted in the meantime. */
  #decide(request: FriendRequest, onDecided: (decision: AccessDecision) => void): void {
    this.#policy.decide(request, this.#deps.clock.now(), (decision) => {
      if (!this.#isClosed && !this.#clients.has(request.publicKey.hex)) onDecided(decision);
    });
  }

  #admit(request: FriendRequest, factors: AdmittedBy): void {
    const text = `${this.#nameOf(request.publicKey)}: admitted ${FACTORS[factors]}`;
    // One budget for all: a client with the secret may make ever new keys.
    this.#clientLog.say({ source: 'new', name: 'new clients', kind: 'client admitted', level: 'info', text });
    this.#pending.delete(request.publicKey);
    this.#attach(request.accept(), factors);
  }

  #attach(friend: Friend, admittedBy: AdmittedBy): void {
    const { clock, log, tunnels } = this.#deps;
    const { hex: source } = friend.publicKey;
    // The owner may name the client later.
    const nameNow = (): string => this.#nameOf(friend.publicKey);
    const watch = new ConnectionWatch({ clock, log, friend, nameNow }, { news: 'debug' });
    let since = clock.unixTime();
    const client: AdmittedClient = {
      id: source,
      friend,
      admittedBy,
      admittedAt: since,
      get isOnline() {
        return friend.isOnline;
      },
      get since() {
        return since;
      },
    };
    this.#clients.add(client);
    const events = this.#eventsOf(friend);
    const closeChannels = openChannels(friend, {
      onOpen: (channel) => {
        const name = nameNow();
        const text = `${name}: connected, ${pathText(friend.path)}`;
        this.#clientLog.say({ source, name, kind: 'session begun', level: 'info', text });
        watch.begin();
        since = clock.unixTime();
        this.#clients.onSeen(client);
        tunnels.attach(channel);
        events?.noteOnline();
      },
      onClose: () => {
        watch.end();
        events?.noteOffline();
        const name = nameNow();
        this.#clientLog.say({ source, name, kind: 'session ended', level: 'info', text: `${name}: disconnected` });
        since = clock.unixTime();
        this.#clients.onSeen(client);
      },
    });
    this.#admissions.set(client, { admittedBy, generation: this.#policy.secretGeneration, closeChannels });
  }

  #eventsOf(friend: Friend): ConnectionEvents | undefined {
    const { onEvent, tunnels } = this.#deps;
    if (onEvent === undefined) return undefined;
    const { hex } = friend.publicKey;
    const events = new ConnectionEvents({ friend: () => friend, ping: () => tunnels.links.ping(hex) });
    friend.onProgress(() => events.update());
    events.watch((event) => onEvent(hex, event));
    return events;
  }

  #noteRefusal(request: FriendRequest, reason: PendingReason, why: string): void {
    const { clock, log } = this.#deps;
    const { publicKey: key, message } = request;
    this.#pending.add(request, {
      reason,
      isKnown: this.#policy.isKnown(key),
      hasSentSecret: hasSecret(message),
    });
    const now = clock.now();
    const id = `${key.hex} ${reason}`;
    // The whole key, because the owner may want to admit it.
    const text = `${this.#nameOf(key)}: refused, ${why} (public key ${key.hex})`;
    if (this.#loggedRefusals.get(id, now) !== undefined) {
      log.debug(text);
      return;
    }
    this.#loggedRefusals.set(id, true, now);
    if (this.#countedRefusals.get(id, now) === undefined) {
      this.#countedRefusals.set(id, true, now);
      this.#counts.add(reason);
    }
    this.#strangerLog.say({ source: '', name: 'strangers', kind: 'key refused', level: 'warn', text });
  }

  #nameOf(key: PublicKey): string {
    return nameWithKey(key.hex, this.#aliasOf(key.hex));
  }
}
