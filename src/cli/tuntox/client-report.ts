/** Tells the owner of a share on one line each who came, and what they do. */
import type { Clock, Timer } from '../../base/clock.js';
import { FloodLog } from '../../base/flood-log.js';
import type { Logger } from '../../base/logger.js';
import { shortKey } from '../../base/short-key.js';
import { bytesText } from '../../base/units.js';
import type { ClientNews } from '../../engine/server/client-news.js';
import { isSettled, pathText, SETTLING } from './event-text.js';

type Connected = Extract<ClientNews, { event: 'client-connected' }>;

export class ClientReport {
  readonly #deps: { readonly clock: Clock; readonly log: Logger };
  /** A client may do all this any number of times. */
  readonly #floodLog: FloodLog;
  /** Clients whose connection is not reported yet. */
  readonly #settling = new Map<string, { readonly timer: Timer; news: Connected }>();
  readonly #reported = new Set<string>();

  constructor(deps: { readonly clock: Clock; readonly log: Logger }) {
    this.#deps = deps;
    this.#floodLog = new FloodLog(deps);
  }

  readonly tell = (news: ClientNews): void => {
    const { client } = news;
    switch (news.event) {
      case 'client-connected':
        this.#onConnected(news);
        return;
      case 'client-disconnected':
        this.#settle(client);
        this.#reported.delete(client);
        this.#say(client, 'client disconnected', 'disconnected');
        return;
      case 'tunnel-opened':
        this.#settle(client);
        this.#say(client, 'tunnel opened', `opened ${news.target}`);
        return;
      case 'tunnel-closed': {
        const { target, receivedBytes, sentBytes, message } = news;
        const why = message === undefined ? '' : `, ${message}`;
        this.#say(
          client,
          'tunnel closed',
          `closed ${target}: ${bytesText(receivedBytes)} in, ${bytesText(sentBytes)} out${why}`,
        );
        return;
      }
      case 'tunnel-refused':
        this.#settle(client);
        this.#say(client, 'tunnel refused', `was refused ${news.target}: ${news.message}`);
    }
  };

  close(): void {
    for (const { timer } of this.#settling.values()) timer.cancel();
    this.#floodLog.close();
  }

  #onConnected(news: Connected): void {
    const { client } = news;
    if (this.#reported.has(client)) return;
    const settling = this.#settling.get(client);
    if (settling !== undefined) settling.news = news;
    else {
      const timer = this.#deps.clock.after(SETTLING, () => this.#settle(client));
      this.#settling.set(client, { timer, news });
    }
    if (isSettled(news)) this.#settle(client);
  }

  /** Reports the connection as it is known now. */
  #settle(client: string): void {
    const settling = this.#settling.get(client);
    if (settling === undefined) return;
    settling.timer.cancel();
    this.#settling.delete(client);
    this.#reported.add(client);
    this.#say(client, 'client connected', `connected: ${pathText(settling.news)}`);
  }

  #say(client: string, kind: string, what: string): void {
    const name = shortKey(client);
    this.#floodLog.say({ source: client, name, kind, level: 'info', text: `client ${name} ${what}` });
  }
}
