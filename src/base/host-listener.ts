/** Listens on all addresses of a name, as OpenSSH does: programs resolve `localhost` to 127.0.0.1 or to ::1. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { systemCodeOf } from './coded-error.js';
import { isIP } from './ip-address.js';

/** The addresses of `localhost`, whatever a hosts file or a name server says. */
export const LOOPBACK: LookupAddress[] = [
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
];

/** Rejects if the name has no address. */
export type BindLookup = (host: string) => Promise<readonly LookupAddress[]>;

const lookUpBind: BindLookup = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

/** This machine lacks the address, such as one of an address family that is off: the others suffice. */
const ABSENT = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

/** What listens at one address: a server of TCP, or a UDP socket. */
export interface AddressListener {
  listen(at: { readonly port: number; readonly host?: string }, onListening: () => void): unknown;
  address(): { readonly port: number } | string | null;
  close(): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
}

export class HostListener<One extends AddressListener> {
  readonly #lookUp: BindLookup;
  readonly #makeServer: () => One;
  readonly #onError: (error: Error) => void;
  #servers: One[] = [];
  #isClosed = false;

  /**
   * @param deps.makeServer called for each address
   * @param deps.onError gets errors of single connections, such as a lack of descriptors, after which the listener continues
   */
  constructor(deps: {
    readonly makeServer: () => One;
    readonly onError: (error: Error) => void;
    readonly lookUp?: BindLookup | undefined;
  }) {
    this.#makeServer = deps.makeServer;
    this.#onError = deps.onError;
    this.#lookUp = deps.lookUp ?? lookUpBind;
  }

  /** Undefined while it does not listen. */
  get port(): number | undefined {
    const address = this.#servers[0]?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  get servers(): readonly One[] {
    return this.#servers;
  }

  /**
   * @param bind a name or an address of this machine; undefined means all of its addresses
   * @param port 0 means any port
   * @throws the system's error with its `address`; then it listens nowhere
   */
  async listen(bind: string | undefined, port: number): Promise<void> {
    let absence: unknown;
    try {
      for (const host of bind === undefined ? [undefined] : await this.#addressesOf(bind)) {
        try {
          // A port that the system has chosen is used on all addresses.
          const server = await this.#listenAt(host, this.port ?? port);
          // It may have been closed meanwhile.
          if (this.#isClosed) server.close();
          else this.#servers.push(server);
        } catch (error) {
          if (!ABSENT.has(systemCodeOf(error) ?? '')) throw error;
          absence = error;
        }
      }
      if (this.#servers.length === 0 && !this.#isClosed) throw absence;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const server of this.#servers) server.close();
    this.#servers = [];
  }

  async #addressesOf(bind: string): Promise<string[]> {
    if (isIP(bind) !== 0) return [bind];
    const addresses = bind.toLowerCase() === 'localhost' ? LOOPBACK : await this.#lookUp(bind);
    // A hosts file may name an address twice.
    return [...new Set(addresses.map(({ address }) => address))];
  }

  #listenAt(host: string | undefined, port: number): Promise<One> {
    const server = this.#makeServer();
    return new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen(host === undefined ? { port } : { port, host }, () => {
        server.off('error', reject);
        server.on('error', this.#onError);
        resolve(server);
      });
    });
  }
}
