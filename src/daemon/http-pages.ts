/** Serves `/metrics`, `/healthz` and `/readyz` at the address of the setting http.listen. */
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
  #error: string | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Why the pages are not served; undefined when they are, or when there is no address. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Never rejects: an error is logged, and kept in `error`. @param address undefined to serve nothing */
  async serve(address: Address | undefined): Promise<void> {
    const isSame = address?.host === this.#address?.host && address?.port === this.#address?.port;
    if (isSame && this.#error === undefined) return;
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
      this.#deps.log.info(`serving metrics and health over HTTP on ${address.host}:${listener.port}`);
    } catch (error) {
      // The address may have changed meanwhile.
      if (this.#listener !== listener) return;
      this.#error = messageOf(error);
      this.#deps.log.error(this.#error);
    }
  }

  close(): void {
    this.#error = undefined;
    this.#listener?.close();
    this.#listener = undefined;
  }

  async #page(path: string): Promise<HttpPage | undefined> {
    switch (path) {
      case '/metrics':
        return { status: 200, type: OPEN_METRICS, text: await this.#deps.metrics() };
      case '/healthz': {
        const { health, warnings } = this.#deps.health();
        return textPage(health === 'ok', [health, ...warnings.map(({ code, message }) => `${code}: ${message}`)]);
      }
      case '/readyz': {
        const state = this.#deps.state();
        return textPage(state === 'running', [state]);
      }
      default:
        return undefined;
    }
  }
}

const textPage = (isGood: boolean, lines: readonly string[]): HttpPage => ({
  status: isGood ? 200 : 503,
  type: 'text/plain; charset=utf-8',
  text: `${lines.join('\n')}\n`,
});
