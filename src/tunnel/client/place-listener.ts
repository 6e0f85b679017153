/** Listens at a place: a port of this machine, a Unix socket, or a socket that the service manager has opened. */
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { messageOf, systemCodeOf } from '../../base/coded-error.js';
import { type BindLookup, HostListener } from '../../base/host-listener.js';
import { isIP } from '../../base/ip-address.js';
import { type LocalPlace, placeText } from '../../base/local-place.js';
import { listenAtPath, UnixListenError } from '../../base/unix-listener.js';
import { ListenError } from './forward-spec.js';

type Of<Kind extends LocalPlace['kind']> = Extract<LocalPlace, { readonly kind: Kind }>;

export interface PlaceListenerDeps {
  /** @param socket is paused, and has `allowHalfOpen` */
  readonly onConnection: (socket: Socket) => void;
  /** Gets errors of single connections, such as a lack of descriptors, after which the listener continues. */
  readonly onError: (error: Error) => void;
  readonly lookUp?: BindLookup | undefined;
}

export class PlaceListener {
  readonly #deps: PlaceListenerDeps;
  readonly #host: HostListener<Server>;
  /** At a path or a descriptor. */
  #server: Server | undefined;
  #closeServer = (): void => {};
  #isClosed = false;

  constructor(deps: PlaceListenerDeps) {
    this.#deps = deps;
    this.#host = new HostListener({ makeServer: () => this.#makeServer(), onError: deps.onError, lookUp: deps.lookUp });
  }

  /** Undefined while it does not listen, and where there is no port. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return this.#host.port ?? (typeof address === 'object' ? address?.port : undefined);
  }

  /** Whether other machines can connect. */
  get isOpenToOthers(): boolean {
    const servers = this.#server === undefined ? this.#host.servers : [this.#server];
    return servers.some((server) => {
      const address = server.address();
      return typeof address === 'object' && address !== null && !isLoopback(address);
    });
  }

  /** Listens on every address of a name. @throws ListenError with what to do about it; then it listens nowhere */
  async listen(place: LocalPlace): Promise<void> {
    try {
      if (place.kind === 'port') await this.#host.listen(place.bind, place.port);
      else await this.#listenAt(place);
    } catch (error) {
      throw listenError(place, error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#host.close();
    this.#closeServer();
    this.#server = undefined;
  }

  async #listenAt(place: Of<'unix' | 'descriptor'>): Promise<void> {
    const server = this.#makeServer();
    this.#closeServer =
      place.kind === 'unix' ? await listenAtPath(server, place.path) : await listenOn(server, place.fd);
    server.on('error', this.#deps.onError);
    // It may have been closed meanwhile.
    if (this.#isClosed) this.#closeServer();
    else this.#server = server;
  }

  #makeServer(): Server {
    return createServer({ allowHalfOpen: true, pauseOnConnect: true }, this.#deps.onConnection);
  }
}

const isLoopback = ({ address }: AddressInfo): boolean => address === '::1' || address.startsWith('127.');

function listenOn(server: Server, fd: number): Promise<() => void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd }, () => {
      server.off('error', reject);
      resolve(() => server.close());
    });
  });
}

export function listenError(place: LocalPlace, error: unknown): ListenError {
  switch (place.kind) {
    case 'port':
      return portError(place, error);
    case 'unix':
      return pathError(place, error);
    case 'descriptor':
      return new ListenError(
        'failed',
        `${placeText(place)}: descriptor ${place.fd} of systemd is no listening stream socket: give its .socket unit ListenStream= and Accept=no`,
        { cause: error },
      );
  }
}

function pathError({ path }: Of<'unix'>, error: unknown): ListenError {
  const cause = { cause: error };
  if (error instanceof UnixListenError) {
    return new ListenError(error.code === 'in-use' ? 'address-in-use' : 'failed', error.message, cause);
  }
  // libuv has one code for both.
  const directory = dirname(path);
  if (!existsSync(directory)) {
    return new ListenError('failed', `there is no directory ${directory}: create it, or choose another path`, cause);
  }
  switch (systemCodeOf(error)) {
    case 'EADDRINUSE':
      return new ListenError('address-in-use', `another program listens on ${path}: choose another path`, cause);
    case 'EACCES':
    case 'EPERM':
      return new ListenError('not-permitted', `this user may not create ${path}: choose another directory`, cause);
    default:
      return new ListenError('failed', `cannot create the socket ${path}: ${messageOf(error)}`, cause);
  }
}

function portError({ bind, port }: Of<'port'>, error: unknown): ListenError {
  const cause = { cause: error };
  // Node's error has the address of the name that failed.
  const { address = bind } = error as { readonly address?: string };
  const at = bind === undefined || isIP(bind) !== 0 ? `port ${port}` : `port ${port} of ${address}`;
  switch (systemCodeOf(error)) {
    case 'EADDRINUSE':
      return new ListenError('address-in-use', `${at} is in use by another program: choose another port`, cause);
    case 'EACCES':
      return new ListenError(
        'not-permitted',
        `this user may not listen on ${at}: choose a port above 1023, or give the program CAP_NET_BIND_SERVICE` +
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
