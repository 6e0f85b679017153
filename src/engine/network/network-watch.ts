/** Tells in the log, for those who debug, what our own network is like, whenever that has changed. */
import type { Clock, Timer } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { NatFacts, NetworkFacts } from '../../tox/network-facts.js';

/** ms between looks. */
const LOOK_INTERVAL = 5_000;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tox: { readonly networkFacts: NetworkFacts };
}

export class NetworkWatch {
  readonly #deps: Deps;
  #timer: Timer | undefined;
  #told = '';

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  begin(): void {
    this.#timer ??= this.#deps.clock.every(LOOK_INTERVAL, () => this.#look());
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const text = networkText(this.#deps.tox.networkFacts);
    if (text === this.#told) return;
    this.#told = text;
    this.#deps.log.debug(text);
  }
}

const UDP: Readonly<Record<NetworkFacts['udp'], string>> = {
  works: 'UDP works',
  'udp-blocked': 'UDP seems to be blocked (udp-blocked)',
  'being-tried': 'UDP is being tried',
  'udp-off': 'UDP is switched off',
  proxy: 'all goes through the proxy (proxy)',
};

export function networkText({ udp, udpSocket, ipv4, ipv6, relays }: NetworkFacts): string {
  const seen = udp === 'works' ? [...natText(ipv4), ...natText(ipv6)] : [];
  const socket = udpSocket === undefined ? [] : [`${udpSocket} sockets`];
  return [`network: ${UDP[udp]}`, ...socket, ...seen, `relays connected: ${relays.length}`].join(', ');
}

function natText({ kind, endpoint }: NatFacts): string[] {
  if (endpoint === undefined) return [];
  // Each node sees another port, and one of them would be news all the time.
  if (kind === 'symmetric') return [`symmetric NAT at ${endpoint.slice(0, endpoint.lastIndexOf(':'))}`];
  return [`seen as ${endpoint}`];
}
