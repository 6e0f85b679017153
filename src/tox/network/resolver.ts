/** Resolves a host name or a literal address to endpoints. */
import { lookup as systemLookup } from 'node:dns/promises';
import type { Clock } from '../../base/clock.js';
import { messageOf, systemCodeOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import { NetworkError } from './network-error.js';

/** The system's resolver tries for up to 30 s, too long for one of many nodes. */
const TIMEOUT_MS = 5000;

/** Returns all addresses of a host, of both families, as text. */
export type HostLookup = (host: string) => Promise<readonly string[]>;

const lookupAll: HostLookup = async (host) => {
  const records = await systemLookup(host, { all: true, verbatim: true });
  return records.map((record) => record.address);
};

export class Resolver {
  readonly #clock: Clock;
  readonly #lookup: HostLookup;

  constructor(deps: { readonly clock: Clock; readonly lookup?: HostLookup }) {
    this.#clock = deps.clock;
    this.#lookup = deps.lookup ?? lookupAll;
  }

  /**
   * Returns all endpoints of a host, at least one; a literal address needs no lookup.
   * @throws NetworkError (rejects) with 'unknown-host', or 'timed-out' after 5 s
   */
  async resolve(host: string, port: number): Promise<readonly Endpoint[]> {
    const literal = Endpoint.of(host, port);
    if (literal !== undefined) return [literal];
    const addresses = await this.#lookupInTime(host);
    const endpoints = new Map<string, Endpoint>();
    for (const address of addresses) {
      const endpoint = Endpoint.of(address, port);
      if (endpoint !== undefined) endpoints.set(endpoint.key, endpoint);
    }
    if (endpoints.size === 0) throw new NetworkError('unknown-host', `${host} has no address`);
    return [...endpoints.values()];
  }

  #lookupInTime(host: string): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(TIMEOUT_MS, () => {
        reject(new NetworkError('timed-out', `no name server answered for ${host} within ${TIMEOUT_MS / 1000} s`));
      });
      this.#lookup(host).then(
        (addresses) => {
          timer.cancel();
          resolve(addresses);
        },
        (cause) => {
          timer.cancel();
          reject(new NetworkError('unknown-host', lookupError(host, cause), { cause }));
        },
      );
    });
  }
}

function lookupError(host: string, cause: unknown): string {
  switch (systemCodeOf(cause)) {
    case 'ENOTFOUND':
      return `the name servers do not know ${host}`;
    case 'EAI_AGAIN':
      return `no name server answers for ${host}`;
    default:
      return `cannot look up ${host}: ${messageOf(cause)}`;
  }
}
