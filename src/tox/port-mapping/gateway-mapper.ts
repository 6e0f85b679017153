/** One router, asked by whatever protocol it turns out to speak: PCP, NAT-PMP, and where it has neither, UPnP. */
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import type { Gateway } from '../network/default-gateway.js';
import { PortControl } from './port-control.js';
import { failed, type LocalPort, type MapResult, type OpenSocket, type PortMapper } from './port-mapper.js';
import type { Upnp } from './upnp.js';

/**
 * ms of silence after which UPnP's slow search begins, beside the rest of the waiting. To load it takes up to 60 ms of
 * CPU, which shall not be in the way of a client's first connection.
 */
const HEAD_START = 600;
/** ms for which what was found out about a router that opens nothing counts for the next port as well. */
const MEMORY = 5_000;

export interface GatewayMapperDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly openSocket: OpenSocket;
  /** UPnP brings HTTP and XML along, so it is loaded only where it is needed. */
  readonly loadUpnp: () => Promise<Upnp>;
}

export class GatewayMapper implements PortMapper {
  readonly #deps: GatewayMapperDeps;
  readonly #portControl: PortControl;
  #upnp: Promise<Upnp | undefined> | undefined;
  /** What opened a port before. */
  #working: PortMapper | undefined;
  #failure: { readonly result: MapResult; readonly until: number } | undefined;
  /** One thing after the other: routers are small, and what the first port has found out serves the next. */
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
    this.#failure = { result, until: this.#deps.clock.now() + MEMORY };
    return result;
  }

  /** How it went is told by whoever maps by it. */
  #beginSearch(): void {
    this.#loadUpnp()
      .then((upnp) => upnp?.find())
      .catch(() => {});
  }

  /** Undefined where it cannot be loaded, as when the process may open no more files. */
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
    // One that fails is no reason for the next to do so.
    this.#last = turn.catch(() => {});
    return turn;
  }
}
