/**
 * Looks up the addresses of targets. Node runs the system's resolver in two threads for the whole process, and each of them blocks
 * for as long as a name server is silent. So names are queued here, peers take turns, and a name is looked up once for all that wait
 * for it. Literal addresses, localhost and the names of /etc/hosts need no name server and do not wait.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { Clock } from '../../base/clock.js';
import { ExpiringMap } from '../../base/expiring-map.js';
import { LOOPBACK } from '../../base/host-listener.js';
import { isIP } from '../../base/ip-address.js';
import { literalAddress } from '../wire/target.js';
import { type HostsLookup, hostsFile } from './hosts-file.js';

/** Lookups at once: half of the threads of Node's pool; more would wait there, in no fair order. */
const MAX_RUNNING = 2;
/** ms; a peer whose lookup took longer has one lookup at a time less, so that other peers do not wait for its names. */
const SLOW = 1_000;
/** ms for which a slow lookup is remembered. */
const SLOW_MEMORY = 60_000;
const MAX_SLOW_PEERS = 512;

export type LookupDone = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
/** Finds all addresses of a name, in the order in which to try them. */
export type SystemLookup = (host: string, done: LookupDone) => void;

interface Waiting {
  readonly peerId: string;
  readonly host: string;
  readonly done: LookupDone;
}

export class NameLookup {
  readonly #clock: Clock;
  readonly #hosts: HostsLookup;
  readonly #lookup: SystemLookup;
  /** By peer, in the order in which they are served. */
  readonly #queues = new Map<string, Set<Waiting>>();
  /** By name. `owner` is the peer whose turn it was. */
  readonly #running = new Map<string, { readonly owner: string; readonly waiting: Set<Waiting> }>();
  readonly #slowPeers = new ExpiringMap<string, true>(SLOW_MEMORY, MAX_SLOW_PEERS);

  constructor(
    clock: Clock,
    sources: { readonly hosts: HostsLookup; readonly system: SystemLookup } = {
      hosts: hostsFile(),
      system: (host, done) => systemLookup(host, { all: true }, done),
    },
  ) {
    this.#clock = clock;
    this.#hosts = sources.hosts;
    this.#lookup = sources.system;
  }

  /**
   * @param name or a literal address
   * @param done called later
   * @returns a function that cancels; then `done` is not called
   */
  lookup(peerId: string, name: string, done: LookupDone): () => void {
    const host = name.toLowerCase();
    const known = knownAddresses(host);
    if (known !== undefined) {
      const answer = this.#clock.soon(() => done(null, known));
      return () => answer.cancel();
    }
    const waiting: Waiting = { peerId, host, done };
    let isWanted = true;
    this.#hosts(host, (addresses) => {
      if (!isWanted) return;
      if (addresses.length > 0) done(null, addresses);
      else this.#enqueue(waiting);
    });
    return () => {
      isWanted = false;
      this.#running.get(host)?.waiting.delete(waiting);
      this.#unqueue(waiting);
    };
  }

  #enqueue(waiting: Waiting): void {
    const { peerId, host } = waiting;
    const running = this.#running.get(host);
    if (running !== undefined) {
      running.waiting.add(waiting);
      return;
    }
    const queue = this.#queues.get(peerId) ?? new Set();
    this.#queues.set(peerId, queue.add(waiting));
    this.#work();
  }

  #work(): void {
    while (this.#running.size < MAX_RUNNING) {
      const peerId = [...this.#queues.keys()].find((id) => this.#mayRun(id));
      if (peerId === undefined) return;
      const [first] = this.#queues.get(peerId) as Set<Waiting>;
      this.#run(peerId, (first as Waiting).host);
    }
  }

  #mayRun(peerId: string): boolean {
    if (this.#slowPeers.get(peerId, this.#clock.now()) === undefined) return true;
    return [...this.#running.values()].filter(({ owner }) => owner === peerId).length < MAX_RUNNING - 1;
  }

  #run(owner: string, host: string): void {
    const waiting = new Set<Waiting>();
    for (const queue of [...this.#queues.values()])
      for (const one of queue) if (one.host === host) waiting.add(this.#unqueue(one));
    // The owner is served last from now on.
    const queue = this.#queues.get(owner);
    if (queue !== undefined && this.#queues.delete(owner)) this.#queues.set(owner, queue);
    this.#running.set(host, { owner, waiting });
    const startedAt = this.#clock.now();
    this.#lookup(host, (error, addresses) => {
      this.#running.delete(host);
      const now = this.#clock.now();
      if (now - startedAt > SLOW) this.#slowPeers.set(owner, true, now);
      for (const { done } of waiting) done(error, addresses);
      this.#work();
    });
  }

  #unqueue(waiting: Waiting): Waiting {
    const queue = this.#queues.get(waiting.peerId);
    if (queue?.delete(waiting) && queue.size === 0) this.#queues.delete(waiting.peerId);
    return waiting;
  }
}

/** The addresses of a host that needs no lookup; otherwise undefined. */
function knownAddresses(host: string): LookupAddress[] | undefined {
  if (host === 'localhost' || host === 'localhost.') return LOOPBACK;
  const address = literalAddress(host);
  return address === undefined ? undefined : [{ address, family: isIP(address) }];
}
