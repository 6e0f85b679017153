/**
 * The addresses of targets. The system's resolver stands still for as long as a name server is silent, and Node lets it do so
 * in two threads for the whole process: so names wait here, where each peer has its turn, and nobody looks up what is being
 * looked up already. What needs no name server does not wait: literal addresses, this machine, and the names of /etc/hosts.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.js';
import { LOOPBACK } from '../../base/host-listener.js';
import { LruMap } from '../../base/lru-map.js';
import { literalAddress } from '../wire/target.js';
import { type HostsLookup, hostsFile } from './hosts-file.js';

/** Lookups at once: half of the threads of Node's pool; more would only wait there, in no fair order. */
const LANES = 2;
/** ms; a peer that asked for a name that takes longer has one lane the less, so that others do not wait for its names. */
const SLOW = 1_000;
/** ms for which that is remembered. */
const SLOW_MEMORY = 60_000;
const MAX_SLOW_PEERS = 512;

export type LookupDone = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
/** All addresses of a name, in the order in which to try them. */
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
  /** In the order of their turns. */
  readonly #queues = new Map<string, Set<Waiting>>();
  readonly #running = new Map<string, { readonly owner: string; readonly waiting: Set<Waiting> }>();
  /** When a peer's name was slow, ms. */
  readonly #slowPeers = new LruMap<string, number>(MAX_SLOW_PEERS);

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
   * @param peerId who wants it
   * @param name or a literal address
   * @param done called later
   * @returns a function after which `done` is not called any more
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
    while (this.#running.size < LANES) {
      const peerId = [...this.#queues.keys()].find((id) => this.#mayRun(id));
      if (peerId === undefined) return;
      const [first] = this.#queues.get(peerId) as Set<Waiting>;
      this.#run(peerId, (first as Waiting).host);
    }
  }

  #mayRun(peerId: string): boolean {
    const slowAt = this.#slowPeers.get(peerId);
    if (slowAt === undefined || this.#clock.now() - slowAt > SLOW_MEMORY) return true;
    return [...this.#running.values()].filter(({ owner }) => owner === peerId).length < LANES - 1;
  }

  #run(owner: string, host: string): void {
    const waiting = new Set<Waiting>();
    for (const queue of [...this.#queues.values()])
      for (const one of queue) if (one.host === host) waiting.add(this.#unqueue(one));
    // Last in the order of turns.
    const queue = this.#queues.get(owner);
    if (queue !== undefined && this.#queues.delete(owner)) this.#queues.set(owner, queue);
    this.#running.set(host, { owner, waiting });
    const startedAt = this.#clock.now();
    this.#lookup(host, (error, addresses) => {
      this.#running.delete(host);
      if (this.#clock.now() - startedAt > SLOW) this.#slowPeers.set(owner, this.#clock.now());
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

/** Those that need no looking up; undefined for a name that does. */
function knownAddresses(host: string): LookupAddress[] | undefined {
  if (host === 'localhost' || host === 'localhost.') return LOOPBACK;
  const address = literalAddress(host);
  return address === undefined ? undefined : [{ address, family: isIP(address) }];
}
