/**
 * Keeps ports of ours open at the router: asks for them at once, again before the router forgets them, again with growing gaps
 * where it does not answer, and anew where the router is another one. Gives them back at the end.
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

/** ms between looks at the router and at what is due. A look is a small file of the kernel. */
const CHECK_INTERVAL = 10_000;
/** ms until a router that opened nothing is asked again. */
const FIRST_RETRY = 20_000;
const LONGEST_RETRY = 15 * 60_000;
/** ms; a router that keeps ports for a shorter time is asked again in this time. */
const SHORTEST_LIFETIME = 60_000;
/** ms for which the end waits for the router. */
const GOODBYE = 500;

export interface PortKeeperDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly gateway: () => Gateway | undefined;
  readonly mapper: (gateway: Gateway) => PortMapper;
}

/** By the monotonic clock and by the calendar, as the former stands still while the machine sleeps, and the router does not. */
interface Deadline {
  readonly now: number;
  readonly unixTime: number;
}

interface Held {
  readonly mapping: Mapping;
  readonly until: Deadline;
}

/** What is held stays so while it is asked for again. */
type State =
  | { readonly kind: 'due'; readonly held: Held | undefined; readonly at: Deadline }
  | { readonly kind: 'asking'; readonly held: Held | undefined };

interface KeptPort {
  readonly local: LocalPort;
  readonly retries: Backoff;
  state: State;
  /** What was said about it last: each thing is said once. */
  said: string;
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

  /** @param onChange an outside address has come or gone */
  constructor(deps: PortKeeperDeps, ports: readonly LocalPort[], onChange: () => void) {
    this.#deps = deps;
    this.#onChange = onChange;
    const { clock, random } = deps;
    this.#ports = ports.map((local) => ({
      local,
      retries: new Backoff(random, { first: FIRST_RETRY, most: LONGEST_RETRY }),
      state: { kind: 'due', held: undefined, at: deadline(clock, 0) },
      said: '',
    }));
  }

  start(): void {
    this.#timer = this.#deps.clock.every(CHECK_INTERVAL, () => this.#check());
    this.#check();
  }

  /** Where the world reaches a port of ours; undefined where it does not, as far as we know. */
  outside(protocol: LocalPort['protocol']): Endpoint | undefined {
    return this.#held(protocol)?.mapping.outside;
  }

  /** By which protocol the router opened it. */
  by(protocol: LocalPort['protocol']): Mapping['by'] | undefined {
    return this.#held(protocol)?.mapping.by;
  }

  #held(protocol: LocalPort['protocol']): { readonly mapping: Mapping } | undefined {
    const held = this.#ports.find(({ local }) => local.protocol === protocol)?.state.held;
    return held !== undefined && isPublic(held.mapping.outside) ? held : undefined;
  }

  /** Gives the ports back, if the router takes no longer than 500 ms about it. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    const { clock } = this.#deps;
    const router = this.#router;
    this.#router = undefined;
    if (router === undefined) return;
    const open = this.#ports.filter(({ state }) => state.held !== undefined || state.kind === 'asking');
    if (open.length > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(GOODBYE, resolve);
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
    this.#lookAtRouter();
    const router = this.#router;
    for (const port of this.#ports) {
      const { state } = port;
      if (state.held !== undefined && hasPassed(clock, state.held.until)) this.#drop(port, 'the router has let it go');
      if (router !== undefined && port.state.kind === 'due' && hasPassed(clock, port.state.at)) {
        void this.#ask(router, port);
      }
    }
  }

  /** Whoever is behind another router than before has no ports there yet, and none to give back. */
  #lookAtRouter(): void {
    const { clock, gateway: look, mapper } = this.#deps;
    const gateway = behindNat(look());
    if (isSame(gateway, this.#router?.gateway)) return;
    this.#router?.mapper.close();
    this.#router = gateway === undefined ? undefined : { gateway, mapper: mapper(gateway) };
    for (const port of this.#ports) {
      port.retries.reset();
      this.#drop(port, 'the network is another one');
      port.state = { kind: 'due', held: undefined, at: deadline(clock, 0) };
      port.said = '';
    }
  }

  #drop(port: KeptPort, why: string): void {
    const { held } = port.state;
    if (held === undefined) return;
    port.state = { ...port.state, held: undefined };
    this.#say(port, 'debug', `no longer reached at ${held.mapping.outside.key}: ${why}`);
    this.#onChange();
  }

  async #ask(router: Router, port: KeptPort): Promise<void> {
    port.state = { kind: 'asking', held: port.state.held };
    const result = await router.mapper.map(port.local).catch((error) => failed(messageOf(error)));
    // It may be about a router that is not ours any longer.
    if (this.#router === router && port.state.kind === 'asking') this.#note(router, port, result);
  }

  #note({ gateway }: Router, port: KeptPort, result: MapResult): void {
    const { clock } = this.#deps;
    const { held } = port.state;
    if (result.kind === 'failed') {
      port.state = { kind: 'due', held, at: deadline(clock, port.retries.next()) };
      this.#say(port, 'debug', `not opened by the router ${gateway.address}: ${result.reason}`);
      return;
    }
    port.retries.reset();
    const { mapping } = result;
    const { outside, by } = mapping;
    const lifetime = Math.min(LIFETIME, Math.max(SHORTEST_LIFETIME, mapping.lifetime));
    port.state = {
      kind: 'due',
      held: { mapping, until: deadline(clock, lifetime) },
      at: deadline(clock, lifetime / 2),
    };
    if (isPublic(outside)) this.#say(port, 'info', `others reach it at ${outside.key} (${by})`);
    else this.#say(port, 'debug', `opened at ${outside.key} (${by}), which is behind another NAT`);
    if (held?.mapping.outside.key !== outside.key) this.#onChange();
  }

  #say(port: KeptPort, level: 'info' | 'debug', text: string): void {
    if (port.said === text) return;
    port.said = text;
    this.#deps.log[level](`${port.local.protocol.toUpperCase()} port ${port.local.port}: ${text}`);
  }
}

/** A router that leads to the world for a public address of ours has nothing to open. */
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
