/** A port on every address of a name, as OpenSSH has it: programs take `localhost` for 127.0.0.1 or for ::1, as they like. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type Server } from 'node:net';
import { systemCodeOf } from './coded-error.js';

/** Of `localhost`, whatever a hosts file or a name server says. */
export const LOOPBACK: LookupAddress[] = [
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
];

/** Rejects for a name that has no address. */
export type BindLookup = (host: string) => Promise<readonly LookupAddress[]>;

const lookUpBind: BindLookup = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

/** An address of a family, or network card, that this machine does not have: the others do. */
const ABSENT = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

export class HostListener<One extends Server> {
  readonly #lookUp: BindLookup;
  readonly #makeServer: () => One;
  readonly #onError: (error: Error) => void;
  #servers: One[] = [];
  #isClosed = false;

  /**
   * @param deps.makeServer one for each address
   * @param deps.onError of single connections while it listens, such as a lack of descriptors; it goes on
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

  /** The port it listens on; undefined while it does not. */
  get port(): number | undefined {
    const address = this.#servers[0]?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** Those that listen. */
  get servers(): readonly One[] {
    return this.#servers;
  }

  /**
   * @param bind a name or an address of this machine; undefined means all of its addresses
   * @param port 0 lets the system choose
   * @throws the system's error, with the `address` that it is about; then it listens nowhere
   */
  async listen(bind: string | undefined, port: number): Promise<void> {
    let absence: unknown;
    try {
      for (const host of bind === undefined ? [undefined] : await this.#addressesOf(bind)) {
        try {
          // A port that the system chose is the same on all addresses.
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

  /** For good. */
  close(): void {
    this.#isClosed = true;
    for (const server of this.#servers) server.close();
    this.#servers = [];
  }

  async #addressesOf(bind: string): Promise<string[]> {
    if (isIP(bind) !== 0) return [bind];
    const addresses = bind.toLowerCase() === 'localhost' ? LOOPBACK : await this.#lookUp(bind);
    // The same one twice, as in a hosts file with two lines, would be in its own way.
    return [...new Set(addresses.map(({ address }) => address))];
  }

  #listenAt(host: string | undefined, port: number): Promise<One> {
    const server = this.#makeServer();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(host === undefined ? { port } : { port, host }, () => {
        server.off('error', reject).on('error', this.#onError);
        resolve(server);
      });
    });
  }
}
