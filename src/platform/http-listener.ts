/** A small HTTP server on an address of this machine: pages that are read, and nothing else. */
import { createServer, type Server } from 'node:http';
import { CodedError, messageOf, systemCodeOf } from '../base/coded-error.js';

export interface HttpPage {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** The message names the address. */
export class HttpListenError extends CodedError<'in-use' | 'failed'> {}

/** ms for a request; what asks for metrics is a program. */
const REQUEST_TIMEOUT = 5_000;
/** Connections at once. */
const MAX_CONNECTIONS = 32;

const plain = (status: number, text: string): HttpPage => ({ status, type: 'text/plain; charset=utf-8', text });

export class HttpListener {
  readonly #server: Server;
  readonly #address: { readonly host: string; readonly port: number };

  /** @param page undefined when there is none of that path; what it throws is a 500 */
  constructor(
    address: { readonly host: string; readonly port: number },
    page: (path: string) => Promise<HttpPage> | undefined,
  ) {
    this.#address = address;
    this.#server = createServer(
      {
        requestTimeout: REQUEST_TIMEOUT,
        headersTimeout: REQUEST_TIMEOUT,
        connectionsCheckingInterval: REQUEST_TIMEOUT,
      },
      async ({ method, url }, response) => {
        const isRead = method === 'GET' || method === 'HEAD';
        const path = url?.split('?', 1)[0] ?? '/';
        const answer = isRead ? page(path) : Promise.resolve(plain(405, 'only GET and HEAD\n'));
        const { status, type, text } = await (answer ?? Promise.resolve(plain(404, 'there is no such page\n'))).catch(
          (error: unknown) => plain(500, `${messageOf(error)}\n`),
        );
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
        response.end(method === 'HEAD' ? undefined : text);
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    // Whoever sends no HTTP is none of our concern.
    this.#server.on('clientError', (_error, socket) => void socket.destroy());
  }

  /** The port that was bound. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** @throws HttpListenError */
  async listen(): Promise<void> {
    const { host, port } = this.#address;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    }).catch((error: unknown) => {
      const isTaken = systemCodeOf(error) === 'EADDRINUSE';
      const why = isTaken ? 'another program listens there' : messageOf(error);
      throw new HttpListenError(isTaken ? 'in-use' : 'failed', `no HTTP on ${host}:${port}: ${why}`, { cause: error });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
