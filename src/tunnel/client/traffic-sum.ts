/** Sums what the connections of a forward have carried: those that are open, and those that have ended. */
import type { ForwardTraffic } from './forward-spec.js';

type Carried = Pick<ForwardTraffic, 'bytesSent' | 'bytesReceived'>;

export class TrafficSum<Connection> {
  readonly #carriedBy: (connection: Connection) => Carried;
  readonly #open = new Set<Connection>();
  #ended = { total: 0, bytesSent: 0, bytesReceived: 0 };

  /** @param carriedBy returns the bytes that a connection has carried until now */
  constructor(carriedBy: (connection: Connection) => Carried) {
    this.#carriedBy = carriedBy;
  }

  /** The connections that are open. */
  get open(): ReadonlySet<Connection> {
    return this.#open;
  }

  get traffic(): ForwardTraffic {
    const open = this.#open.size;
    const traffic = { ...this.#ended, total: this.#ended.total + open, open };
    for (const connection of this.#open) add(traffic, this.#carriedBy(connection));
    return traffic;
  }

  begin(connection: Connection): void {
    this.#open.add(connection);
  }

  /** @returns false if it had not begun */
  end(connection: Connection): boolean {
    if (!this.#open.delete(connection)) return false;
    this.#ended.total += 1;
    add(this.#ended, this.#carriedBy(connection));
    return true;
  }
}

function add(sum: { bytesSent: number; bytesReceived: number }, { bytesSent, bytesReceived }: Carried): void {
  sum.bytesSent += bytesSent;
  sum.bytesReceived += bytesReceived;
}
