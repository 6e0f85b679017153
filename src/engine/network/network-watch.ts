/** Logs the facts of our own network at debug level, whenever they have changed. */
import type { Clock, Timer } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { NatFacts, NetworkFacts } from '../../tox/network-facts.js';

/** ms. */
const CHECK_INTERVAL = 5_000;

interface Deps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tox: { readonly networkFacts: NetworkFacts };
}

export class NetworkWatch {
  readonly #deps: Deps;
  #timer: Timer | undefined;
  #lastText = '';

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  begin(): void {
    this.#timer ??= this.#deps.clock.every(CHECK_INTERVAL, () => this.#check());
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #check(): void {
    const text = networkText(this.#deps.tox.networkFacts);
    if (text === this.#lastText) return;
    this.#lastText = text;
    this.#deps.log.debug(text);
  }
}

const UDP: Readonly<Record<NetworkFacts['udp'], string>> = {
  works: 'UDP works',
  'udp-blocked': 'UDP seems to be blocked (udp-blocked)',
  'being-tried': 'UDP is being tried',
  'udp-off': 'UDP is turned off here',
  proxy: 'all traffic goes through the proxy (proxy)',
};

export function networkText({ udp, udpSocket, ipv4, ipv6, relays }: NetworkFacts): string {
  const seen = udp === 'works' ? [...natText(ipv4), ...natText(ipv6)] : [];
  const socket = udpSocket === undefined ? [] : [`${udpSocket} sockets`];
  return [`network: ${UDP[udp]}`, ...socket, ...seen, `relays connected: ${relays.length}`].join(', ');
}

function natText({ kind, endpoint }: NatFacts): string[] {
  if (endpoint === undefined) return [];
  // Each node sees another port, which would change all the time.
  if (kind === 'symmetric') return [`symmetric NAT at ${endpoint.slice(0, endpoint.lastIndexOf(':'))}`];
  return [`seen as ${endpoint}`];
}
