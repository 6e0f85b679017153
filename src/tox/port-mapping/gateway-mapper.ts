/** Maps ports at one router, with the first protocol that it supports: PCP, NAT-PMP or UPnP. */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { Gateway } from '../network/default-gateway.js';
import { PortControl } from './port-control.js';
import { failed, type LocalPort, type MapResult, type OpenSocket, type PortMapper } from './port-mapper.js';
import type { Upnp } from './upnp.js';

/**
 * ms of silence after which UPnP's slow search begins, in parallel. Loading UPnP takes up to 60 ms of CPU, which must not
 * delay a client's first connection.
 */
const HEAD_START = 600;
/** ms for which a failure counts for the next port, too. */
const FAILURE_LIFETIME = 5_000;

interface GatewayMapperDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly openSocket: OpenSocket;
  /** Loads UPnP, which needs HTTP and XML, so it is loaded only where necessary. */
  readonly loadUpnp: () => Promise<Upnp>;
}

export class GatewayMapper implements PortMapper {
  readonly #deps: GatewayMapperDeps;
  readonly #portControl: PortControl;
  #upnp: Promise<Upnp | undefined> | undefined;
  /** The protocol that opened a port before. */
  #working: PortMapper | undefined;
  #failure: { readonly result: MapResult; readonly until: number } | undefined;
  /** The last of the actions, which run one after the other: routers are slow, and the next port uses the protocol found for the first. */
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(deps: GatewayMapperDeps, gateway: Gateway) {
    this.#deps = deps;
    this.#portControl = new PortControl(deps, gateway);
  }

  map(port: LocalPort): Promise<MapResult> {
    return this.#inTurn(() => this.#map(port));
  }

  unmap(port: LocalPort): Promise<void> {
    return this.#inTurn(async () => this.#working?.unmap(port));
  }

  close(): void {
    this.#isClosed = true;
    this.#portControl.close();
    void this.#upnp?.then((upnp) => upnp?.close());
  }

  async #map(port: LocalPort): Promise<MapResult> {
    const before = this.#working;
    if (before !== undefined) {
      const result = await before.map(port);
      if (result.kind === 'mapped') return result;
    }
    if (this.#failure !== undefined && this.#deps.clock.now() < this.#failure.until) return this.#failure.result;
    const search = this.#deps.clock.after(HEAD_START, () => this.#beginSearch());
    const first = await this.#portControl.map(port);
    search.cancel();
    if (first.kind === 'mapped') {
      this.#working = this.#portControl;
      return first;
    }
    if (this.#isClosed) return first;
    const upnp = await this.#loadUpnp();
    const second = upnp === undefined ? failed('UPnP cannot be loaded') : await upnp.map(port);
    if (second.kind === 'mapped') {
      this.#working = upnp;
      return second;
    }
    const result = failed(`${first.reason}; ${second.reason}`);
    this.#failure = { result, until: this.#deps.clock.now() + FAILURE_LIFETIME };
    return result;
  }

  /** Begins the search; `map` of UPnP waits for it and reports its result. */
  #beginSearch(): void {
    this.#loadUpnp()
      .then((upnp) => upnp?.find())
      .catch(() => {});
  }

  /** Resolves to undefined if UPnP cannot be loaded, such as without a free descriptor. */
  #loadUpnp(): Promise<Upnp | undefined> {
    this.#upnp ??= this.#deps.loadUpnp().then(
      (upnp) => {
        if (this.#isClosed) upnp.close();
        return upnp;
      },
      () => {
        this.#upnp = undefined;
        return undefined;
      },
    );
    return this.#upnp;
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action);
    // A failed action does not affect the next one.
    this.#last = turn.catch(() => {});
    return turn;
  }
}
