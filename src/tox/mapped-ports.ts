/** The ports that a router keeps open for us. Their code is loaded beside everything else, and only by who wants them. */
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/coded-error.js';
import type { Endpoint } from '../base/endpoint.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { MappingFacts } from './network-facts.js';
import type { LocalPort } from './port-mapping/port-mapper.js';

export interface KeptPorts {
  /** Returns the public address and port of our port. */
  external(protocol: LocalPort['protocol']): Endpoint | undefined;
  /** By which protocol the router opened it. */
  by(protocol: LocalPort['protocol']): MappingFacts['by'] | undefined;
  stop(): Promise<void>;
}

export interface MappedPortsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** @param onChange called when an external address appears, changes or disappears */
export type KeepPorts = (
  deps: MappedPortsDeps,
  ports: readonly LocalPort[],
  onChange: () => void,
) => Promise<KeptPorts>;

/** At the router of this machine. */
export const keepPortsAtRouter: KeepPorts = async (deps, ports, onChange) => {
  const { openPortKeeper } = await import('./port-mapping/open-port-keeper.js');
  return openPortKeeper(deps, ports, onChange);
};

export class MappedPorts {
  readonly #opening: Promise<void>;
  #kept: KeptPorts | undefined;

  constructor(deps: MappedPortsDeps, keep: KeepPorts, ports: readonly LocalPort[], onChange: () => void) {
    const log = deps.log.child('port mapping');
    this.#opening = keep({ ...deps, log }, ports, onChange).then(
      (kept) => {
        this.#kept = kept;
      },
      (error) => log.debug(`left out: ${messageOf(error)}`),
    );
  }

  externalEndpoint(protocol: LocalPort['protocol']): Endpoint | undefined {
    return this.#kept?.external(protocol);
  }

  get facts(): MappingFacts | undefined {
    for (const protocol of ['udp', 'tcp'] as const) {
      const [external, by] = [this.#kept?.external(protocol), this.#kept?.by(protocol)];
      if (external !== undefined && by !== undefined) return { outside: external.key, by };
    }
    return undefined;
  }

  /** Gives them back, which takes half a second at the most. */
  async stop(): Promise<void> {
    await this.#opening;
    await this.#kept?.stop();
  }
}
