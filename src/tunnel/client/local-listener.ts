/** A local port, on every address of a name (base/host-listener). */
import { createServer, isIP, type Server, type Socket } from 'node:net';
import { CodedError, messageOf, systemCodeOf } from '../../base/coded-error.js';
import { type BindLookup, HostListener } from '../../base/host-listener.js';
import type { Logger } from '../../base/logger.js';

export class ListenError extends CodedError<'address-in-use' | 'not-permitted' | 'no-such-address' | 'failed'> {}

export class LocalListener {
  readonly #listener: HostListener<Server>;

  /** @param onConnection is given sockets that nobody has read from */
  constructor(deps: { readonly log: Logger; readonly lookUp?: BindLookup }, onConnection: (socket: Socket) => void) {
    this.#listener = new HostListener({
      makeServer: () => createServer({ allowHalfOpen: true, pauseOnConnect: true }, onConnection),
      onError: (error) => deps.log.warn(`port ${this.port}: ${error.message}`),
      lookUp: deps.lookUp,
    });
  }

  /** The port it listens on; undefined while it does not. */
  get port(): number | undefined {
    return this.#listener.port;
  }

  /**
   * @param bind a name or an address of this machine; undefined means all of its addresses
   * @param port 0 lets the system choose
   * @throws ListenError with what to do about it; then it listens nowhere
   */
  async listen(bind: string | undefined, port: number): Promise<void> {
    try {
      await this.#listener.listen(bind, port);
    } catch (error) {
      throw listenError(bind, port, error);
    }
  }

  close(): void {
    this.#listener.close();
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
