/** `/metrics`, `/healthz`, `/readyz`, where the owner wants HTTP: on another address after a reload, or not at all. */
import { messageOf } from '../base/coded-error.js';
import type { Logger } from '../base/logger.js';
import { HttpListener, type HttpPage } from '../platform/http-listener.js';
import type { DaemonState, StatusWarning } from './methods/context.js';

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Deps {
  readonly log: Logger;
  readonly metrics: () => Promise<string>;
  readonly health: () => { readonly health: 'ok' | 'degraded'; readonly warnings: readonly StatusWarning[] };
  readonly state: () => DaemonState;
}

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

export class HttpPages {
  readonly #deps: Deps;
  #address: Address | undefined;
  #listener: HttpListener | undefined;
  #fault: string | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Why it is not there although it was asked for. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Resolves when it listens there; a failure is logged, and `fault` tells it. @param address undefined for none */
  async serve(address: Address | undefined): Promise<void> {
    const isSame = address?.host === this.#address?.host && address?.port === this.#address?.port;
    if (isSame && this.#fault === undefined) return;
    this.close();
    this.#address = address;
    if (address === undefined) return;
    const listener = new HttpListener(
      address,
      (path) => this.#page(path),
      (error) => this.#deps.log.warn(`HTTP on ${address.host}:${address.port}: ${messageOf(error)}`),
    );
    this.#listener = listener;
    try {
      await listener.listen();
      this.#deps.log.info(`metrics and health by HTTP at ${address.host}:${listener.port}`);
    } catch (error) {
      // Of an address that nobody asks for any more, nobody needs to know.
      if (this.#listener !== listener) return;
      this.#fault = messageOf(error);
      this.#deps.log.error(this.#fault);
    }
  }

  close(): void {
    this.#fault = undefined;
    this.#listener?.close();
    this.#listener = undefined;
  }

  #page(path: string): Promise<HttpPage> | undefined {
    switch (path) {
      case '/metrics':
        return this.#deps.metrics().then((text) => ({ status: 200, type: OPEN_METRICS, text }));
      case '/healthz':
        return Promise.resolve(this.#healthPage());
      case '/readyz':
        return Promise.resolve(this.#readyPage());
      default:
        return undefined;
    }
  }

  /** 503 when the owner has something to do. */
  #healthPage(): HttpPage {
    const { health, warnings } = this.#deps.health();
    const lines = [health, ...warnings.map(({ code, message }) => `${code}: ${message}`)];
    return { status: health === 'ok' ? 200 : 503, type: 'text/plain; charset=utf-8', text: `${lines.join('\n')}\n` };
  }

  /** Whether the daemon serves; it may be degraded all the same. */
  #readyPage(): HttpPage {
    const state = this.#deps.state();
    return { status: state === 'running' ? 200 : 503, type: 'text/plain; charset=utf-8', text: `${state}\n` };
  }
}
