/**
 * Keeps our ports open at the router: maps them at once, renews each mapping before it expires, retries with growing pauses, and
 * begins again at a new router. Deletes the mappings at the end.
 */
import { Backoff } from '../../base/backoff.js';
import type { Clock, Timer } from '../../base/clock.js';
import { messageOf } from '../../base/coded-error.js';
import { Endpoint } from '../../base/endpoint.js';
import type { Logger } from '../../base/logger.js';
import type { Random } from '../../base/random.js';
import type { Gateway } from '../network/default-gateway.js';
import {
  failed,
  isPublic,
  LIFETIME,
  type LocalPort,
  type Mapping,
  type MapResult,
  type PortMapper,
} from './port-mapper.js';

/** ms between checks of the router's address and of what is due. A check reads a small file of the kernel. */
const CHECK_INTERVAL = 10_000;
/** ms until a failed request is retried. */
const FIRST_RETRY = 20_000;
const LONGEST_RETRY = 15 * 60_000;
/** ms; shorter lifetimes count as this long. */
const SHORTEST_LIFETIME = 60_000;
/** ms for which `stop` waits for the router. */
const STOP_TIMEOUT = 500;

interface PortKeeperDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly gateway: () => Gateway | undefined;
  readonly mapper: (gateway: Gateway) => PortMapper;
}

/** A time of the monotonic clock and of the wall clock: the former stops while the machine sleeps, but the router's does not. */
interface Deadline {
  readonly now: number;
  readonly unixTime: number;
}

interface Held {
  readonly mapping: Mapping;
  readonly until: Deadline;
}

/** A mapping that is held remains valid while it is renewed. */
type State =
  | { readonly kind: 'due'; readonly held: Held | undefined; readonly at: Deadline }
  | { readonly kind: 'requesting'; readonly held: Held | undefined };

interface KeptPort {
  readonly local: LocalPort;
  readonly retries: Backoff;
  state: State;
  /** The last text in the log, which is not repeated. */
  logged: string;
}

interface Router {
  readonly gateway: Gateway;
  readonly mapper: PortMapper;
}

export class PortKeeper {
  readonly #deps: PortKeeperDeps;
  readonly #ports: readonly KeptPort[];
  readonly #onChange: () => void;
  #router: Router | undefined;
  #timer: Timer | undefined;

  /** @param onChange called when an external address appears, changes or disappears */
  constructor(deps: PortKeeperDeps, ports: readonly LocalPort[], onChange: () => void) {
    this.#deps = deps;
    this.#onChange = onChange;
    const { clock, random } = deps;
    this.#ports = ports.map((local) => ({
      local,
      retries: new Backoff(random, { first: FIRST_RETRY, most: LONGEST_RETRY }),
      state: { kind: 'due', held: undefined, at: deadline(clock, 0) },
      logged: '',
    }));
  }

  start(): void {
    this.#timer = this.#deps.clock.every(CHECK_INTERVAL, () => this.#check());
    this.#check();
  }

  /** Returns the public address and port of our port; undefined if there is none. */
  external(protocol: LocalPort['protocol']): Endpoint | undefined {
    return this.#held(protocol)?.mapping.external;
  }

  /** Returns the protocol by which the router opened it. */
  by(protocol: LocalPort['protocol']): Mapping['by'] | undefined {
    return this.#held(protocol)?.mapping.by;
  }

  #held(protocol: LocalPort['protocol']): { readonly mapping: Mapping } | undefined {
    const held = this.#ports.find(({ local }) => local.protocol === protocol)?.state.held;
    return held !== undefined && isPublic(held.mapping.external) ? held : undefined;
  }

  /** Deletes the mappings; waits at most 500 ms for the router. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    const { clock } = this.#deps;
    const router = this.#router;
    this.#router = undefined;
    if (router === undefined) return;
    const open = this.#ports.filter(({ state }) => state.held !== undefined || state.kind === 'requesting');
    if (open.length > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(STOP_TIMEOUT, resolve);
        void Promise.allSettled(open.map(({ local }) => router.mapper.unmap(local))).then(() => {
          timer.cancel();
          resolve();
        });
      });
    }
    router.mapper.close();
  }

  #check(): void {
    const { clock } = this.#deps;
    this.#checkRouter();
    const router = this.#router;
    for (const port of this.#ports) {
      const { state } = port;
      if (state.held !== undefined && hasPassed(clock, state.held.until)) this.#drop(port, 'the mapping has expired');
      if (router !== undefined && port.state.kind === 'due' && hasPassed(clock, port.state.at)) {
        void this.#request(router, port);
      }
    }
  }

  /** Begins again if the router has changed; mappings at the old one cannot be deleted any more. */
  #checkRouter(): void {
    const { clock, gateway: readGateway, mapper } = this.#deps;
    const gateway = behindNat(readGateway());
    if (isSame(gateway, this.#router?.gateway)) return;
    this.#router?.mapper.close();
    this.#router = gateway === undefined ? undefined : { gateway, mapper: mapper(gateway) };
    for (const port of this.#ports) {
      port.retries.reset();
      this.#drop(port, 'the network has changed');
      port.state = { kind: 'due', held: undefined, at: deadline(clock, 0) };
      port.logged = '';
    }
  }

  #drop(port: KeptPort, why: string): void {
    const { held } = port.state;
    if (held === undefined) return;
    port.state = { ...port.state, held: undefined };
    this.#log(port, 'debug', `no longer reachable at ${held.mapping.external.key}: ${why}`);
    this.#onChange();
  }

  async #request(router: Router, port: KeptPort): Promise<void> {
    port.state = { kind: 'requesting', held: port.state.held };
    const result = await router.mapper.map(port.local).catch((error) => failed(messageOf(error)));
    // The router may have changed in the meantime.
    if (this.#router === router && port.state.kind === 'requesting') this.#onResult(router, port, result);
  }

  #onResult({ gateway }: Router, port: KeptPort, result: MapResult): void {
    const { clock } = this.#deps;
    const { held } = port.state;
    if (result.kind === 'failed') {
      port.state = { kind: 'due', held, at: deadline(clock, port.retries.next()) };
      this.#log(port, 'debug', `the router ${gateway.address} did not open it: ${result.reason}`);
      return;
    }
    port.retries.reset();
    const { mapping } = result;
    const { external, by } = mapping;
    const lifetime = Math.min(LIFETIME, Math.max(SHORTEST_LIFETIME, mapping.lifetime));
    port.state = {
      kind: 'due',
      held: { mapping, until: deadline(clock, lifetime) },
      at: deadline(clock, lifetime / 2),
    };
    if (isPublic(external)) this.#log(port, 'info', `reachable at ${external.key} (${by})`);
    else this.#log(port, 'debug', `opened at ${external.key} (${by}), which is behind another NAT`);
    if (held?.mapping.external.key !== external.key) this.#onChange();
  }

  #log(port: KeptPort, level: 'info' | 'debug', text: string): void {
    if (port.logged === text) return;
    port.logged = text;
    this.#deps.log[level](`${port.local.protocol.toUpperCase()} port ${port.local.port}: ${text}`);
  }
}

/** Returns a router that does NAT; with a public address of our own, there is nothing to open. */
function behindNat(gateway: Gateway | undefined): Gateway | undefined {
  return gateway !== undefined && Endpoint.of(gateway.ownAddress, 0)?.isLan ? gateway : undefined;
}

function isSame(one: Gateway | undefined, other: Gateway | undefined): boolean {
  return one?.address === other?.address && one?.ownAddress === other?.ownAddress;
}

const deadline = (clock: Clock, delay: number): Deadline => ({
  now: clock.now() + delay,
  unixTime: clock.unixTime() + delay / 1000,
});

const hasPassed = (clock: Clock, { now, unixTime }: Deadline): boolean =>
  clock.now() >= now || clock.unixTime() >= unixTime;
