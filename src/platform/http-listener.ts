/** A small HTTP server with read-only pages, on an address of this machine or on all addresses of a name. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { CodedError, messageOf, systemCodeOf } from '../base/coded-error.js';
import { type BindLookup, HostListener } from '../base/host-listener.js';
import { isIP } from '../base/ip-address.js';

export interface HttpPage {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** The message names the address. */
export class HttpListenError extends CodedError<'in-use' | 'failed'> {}

/** ms for a request. */
const REQUEST_TIMEOUT = 5_000;
/** Connections at once to each address. */
const MAX_CONNECTIONS = 32;

const plain = (status: number, text: string): HttpPage => ({ status, type: 'text/plain; charset=utf-8', text });

export class HttpListener {
  readonly #listener: HostListener<Server>;
  readonly #address: { readonly host: string; readonly port: number };

  /**
   * @param page returns undefined if there is no such page; an error becomes status 500
   * @param onError gets errors such as a lack of descriptors, after which the listener continues
   * @param lookUp resolves names; by default as the system does
   */
  constructor(
    address: { readonly host: string; readonly port: number },
    page: (path: string) => Promise<HttpPage | undefined> | undefined,
    onError: (error: Error) => void,
    lookUp?: BindLookup,
  ) {
    this.#address = address;
    this.#listener = new HostListener({ makeServer: () => serverOf(page), onError, lookUp });
  }

  get port(): number {
    return this.#listener.port ?? 0;
  }

  /** @throws HttpListenError */
  async listen(): Promise<void> {
    const { host, port } = this.#address;
    await this.#listener.listen(host, port).catch((error: unknown) => {
      const isTaken = systemCodeOf(error) === 'EADDRINUSE';
      const why = isTaken ? 'another program uses this address' : messageOf(error);
      throw new HttpListenError(isTaken ? 'in-use' : 'failed', `no HTTP on ${host}:${port}: ${why}`, { cause: error });
    });
  }

  close(): void {
    const { servers } = this.#listener;
    this.#listener.close();
    for (const server of servers) server.closeAllConnections();
  }
}

function serverOf(page: (path: string) => Promise<HttpPage | undefined> | undefined): Server {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT,
      headersTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: REQUEST_TIMEOUT,
    },
    async (request, response) => {
      const { status, type, text } = await answer(request, page);
      response.writeHead(status, {
        'content-type': type,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(request.method === 'HEAD' ? undefined : text);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('clientError', (_error, socket) => void socket.destroy());
  return server;
}

async function answer(
  { method, url, headers }: IncomingMessage,
  page: (path: string) => Promise<HttpPage | undefined> | undefined,
): Promise<HttpPage> {
  if (!isOfThisMachine(headers.host)) return plain(403, 'use the address, not a name\n');
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET and HEAD\n');
  try {
    return (await page(url?.split('?', 1)[0] ?? '/')) ?? plain(404, 'no such page\n');
  } catch (error) {
    return plain(500, `${messageOf(error)}\n`);
  }
}

/** A web page whose name resolves to this machine (DNS rebinding) must not read our pages: its requests have that name. */
function isOfThisMachine(host: string | undefined): boolean {
  const name = host?.replace(/:[0-9]*$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === undefined || name === '' || name.toLowerCase() === 'localhost' || isIP(name) !== 0;
}
