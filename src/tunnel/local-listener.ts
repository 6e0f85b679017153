/** A local port on every address of a name, as OpenSSH has it: programs take `localhost` for 127.0.0.1 or for ::1, as they like. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { createServer, isIP, type Server, type Socket } from 'node:net';
import { CodedError, messageOf, systemCodeOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { LOOPBACK } from './name-lookup.js';

export class ListenError extends CodedError<'address-in-use' | 'not-permitted' | 'no-such-address' | 'failed'> {}

/** Rejects for a name that has no address. */
export type BindLookup = (host: string) => Promise<readonly LookupAddress[]>;

const lookUpBind: BindLookup = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

/** An address of a family, or network card, that this machine does not have: the others do. */
const ABSENT = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

export class LocalListener {
  readonly #log: Logger;
  readonly #lookUp: BindLookup;
  readonly #onConnection: (socket: Socket) => void;
  #servers: Server[] = [];

  /** @param onConnection is given sockets that nobody has read from */
  constructor(deps: { readonly log: Logger; readonly lookUp?: BindLookup }, onConnection: (socket: Socket) => void) {
    this.#log = deps.log;
    this.#lookUp = deps.lookUp ?? lookUpBind;
    this.#onConnection = onConnection;
  }

  /** The port it listens on; undefined while it does not. */
  get port(): number | undefined {
    const address = this.#servers[0]?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /**
   * @param bind a name or an address of this machine; undefined means all of its addresses
   * @param port 0 lets the system choose
   * @throws ListenError with what to do about it; then it listens nowhere
   */
  async listen(bind: string | undefined, port: number): Promise<void> {
    let absence: unknown;
    try {
      for (const host of bind === undefined ? [undefined] : await this.#addressesOf(bind)) {
        try {
          // A port that the system chose is the same on all addresses.
          this.#servers.push(await this.#listenAt(host, this.port ?? port));
        } catch (error) {
          if (!ABSENT.has(systemCodeOf(error) ?? '')) throw error;
          absence = error;
        }
      }
      if (this.#servers.length === 0) throw absence;
    } catch (error) {
      this.close();
      throw listenError(bind, port, error);
    }
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#servers = [];
  }

  async #addressesOf(bind: string): Promise<string[]> {
    if (isIP(bind) !== 0) return [bind];
    const addresses = bind.toLowerCase() === 'localhost' ? LOOPBACK : await this.#lookUp(bind);
    // The same one twice, as in a hosts file with two lines, would be in its own way.
    return [...new Set(addresses.map(({ address }) => address))];
  }

  #listenAt(host: string | undefined, port: number): Promise<Server> {
    const options = { allowHalfOpen: true, pauseOnConnect: true };
    const server = createServer(options, (socket) => this.#onConnection(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(host === undefined ? { port } : { port, host }, () => {
        // After this, errors are of single connections, such as a lack of descriptors.
        server.removeAllListeners('error');
        server.on('error', (error) => this.#log.warn(`port ${this.port}: ${error.message}`));
        resolve(server);
      });
    });
  }
}

function listenError(bind: string | undefined, port: number, error: unknown): ListenError {
  const cause = { cause: error };
  // Which of the addresses of a name it was; Node's error knows.
  const { address = bind } = error as { readonly address?: string };
  const at = bind === undefined || isIP(bind) !== 0 ? `port ${port}` : `port ${port} of ${address}`;
  switch (systemCodeOf(error)) {
    case 'EADDRINUSE':
      return new ListenError('address-in-use', `${at} is in use by another program: choose another port`, cause);
    case 'EACCES':
      return new ListenError(
        'not-permitted',
        `this user may not listen on ${at}: choose a port from 1024 up, or give the program CAP_NET_BIND_SERVICE` +
          ' (in a systemd unit: AmbientCapabilities=CAP_NET_BIND_SERVICE)',
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return new ListenError('no-such-address', `this machine has no address ${bind}: leave it out, or use *`, cause);
    default:
      return new ListenError('failed', `cannot listen on ${at}: ${messageOf(error)}`, cause);
  }
}
