/** The bootstrap nodes whose names have no address, and why; one round of lookups gives one line in the log. */
import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/logger.js';

/** ms; longer than any lookup takes, so that one line has all hosts of a round. */
const ROUND = 6_000;
/** Hosts named in one line of the log. */
const NAMED = 3;

export interface UnresolvedHost {
  readonly host: string;
  /** A sentence for people, with the name in it. */
  readonly reason: string;
}

export class UnresolvedHosts {
  readonly #deps: { readonly clock: Clock; readonly log: Logger };
  /** The hosts by name. */
  readonly #hosts = new Map<string, UnresolvedHost>();
  readonly #reported = new Set<string>();
  #timer: Timer | undefined;

  constructor(deps: { readonly clock: Clock; readonly log: Logger }) {
    this.#deps = deps;
  }

  get all(): readonly UnresolvedHost[] {
    return [...this.#hosts.values()];
  }

  /** The host has an address. */
  resolved(host: string): void {
    this.#hosts.delete(host);
    this.#reported.delete(host);
  }

  failed(host: string, reason: string): void {
    this.#hosts.set(host, { host, reason });
    if (!this.#reported.has(host)) this.#timer ??= this.#deps.clock.after(ROUND, () => this.#report());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #report(): void {
    this.#timer = undefined;
    const news = this.all.filter(({ host }) => !this.#reported.has(host));
    const [first] = news;
    if (first === undefined) return;
    for (const { host } of news) this.#reported.add(host);
    const names = news.slice(0, NAMED).map(({ host }) => host);
    const more = news.length > NAMED ? ` and ${news.length - NAMED} more` : '';
    const subject = news.length === 1 ? 'a bootstrap node has' : `${news.length} bootstrap nodes have`;
    this.#deps.log.warn(
      `${subject} no address: ${names.join(', ')}${more} (${first.reason}); check the names, and that the name servers answer`,
    );
  }
}
