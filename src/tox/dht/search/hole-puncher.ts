/**
 * Opens the NATs between a friend and us (spec: "NATs"). NAT pings travel through nodes that know the friend's address; an
 * answer shows that the friend is online and tries too. Then both ping all addresses that the other may have.
 */
import { Endpoint } from '../../../base/endpoint.js';
import { type Random, randomId } from '../../../base/random.js';

// Specification.
const PUNCH_INTERVAL_MS = 3000;
/** A friend that asked us within this time is trying as well. */
const FRIEND_TRIES_MS = 2 * PUNCH_INTERVAL_MS;
const RESET_AFTER_MS = 40_000;
const TRIES_NEAR_SEEN_PORTS = 5;
/** MAX_PUNCHING_PORTS. */
const GUESSES = 48;
const FIRST_UNPRIVILEGED_PORT = 1024;

/** Pings to the reported addresses cost little and are enough for most NATs, so they do not wait for the rounds above. */
const KNOCK_INTERVAL_MS = 1000;

export interface HolePuncherDeps {
  readonly random: Random;
  /** Sends a NAT ping request with this id to the friend, through others. */
  readonly requestNatPing: (id: bigint) => void;
  /** Sends a DHT ping straight to an address of the friend. */
  readonly ping: (endpoint: Endpoint) => void;
}

export class HolePuncher {
  readonly #deps: HolePuncherDeps;
  #pingId: bigint;
  #isAnswered = false;
  #pingedAt = Number.NEGATIVE_INFINITY;
  #requestedAt = Number.NEGATIVE_INFINITY;
  #punchedAt = Number.NEGATIVE_INFINITY;
  #knockedAt = Number.NEGATIVE_INFINITY;
  #tries = 0;
  #guessed = 0;
  #guessedFromBottom = 0;

  constructor(deps: HolePuncherDeps) {
    this.#deps = deps;
    this.#pingId = randomId(deps.random);
  }

  /**
   * Does what is due; called once a second and whenever something was learned, while the friend does not answer directly.
   * @param reports addresses of the friend, one entry for each node that reports it
   */
  drive(reports: readonly Endpoint[], now: number): void {
    if (reports.length === 0) return;
    if (now - this.#pingedAt >= PUNCH_INTERVAL_MS) {
      this.#pingedAt = now;
      this.#deps.requestNatPing(this.#pingId);
    }
    if (!this.#isAnswered || now - this.#punchedAt < PUNCH_INTERVAL_MS || now - this.#requestedAt > FRIEND_TRIES_MS)
      return;
    if (now - this.#punchedAt > RESET_AFTER_MS) {
      this.#tries = 0;
      this.#guessed = 0;
      this.#guessedFromBottom = 0;
    }
    this.#punchedAt = now;
    this.#isAnswered = false;
    this.#punch(reports);
  }

  /** A NAT ping request of the friend has arrived. */
  requested(reports: readonly Endpoint[], now: number): void {
    this.#requestedAt = now;
    this.#knock(reports, now);
    this.drive(reports, now);
  }

  /** A NAT ping response has arrived; it counts when its id is the one that we sent. */
  answered(id: bigint, reports: readonly Endpoint[], now: number): void {
    if (id !== this.#pingId) return;
    this.#pingId = randomId(this.#deps.random);
    this.#isAnswered = true;
    this.#knock(reports, now);
    this.drive(reports, now);
  }

  #knock(reports: readonly Endpoint[], now: number): void {
    if (now - this.#knockedAt < KNOCK_INTERVAL_MS) return;
    this.#knockedAt = now;
    const distinct = new Map(reports.map((endpoint) => [endpoint.key, endpoint]));
    for (const endpoint of distinct.values()) this.#deps.ping(endpoint);
  }

  #punch(reports: readonly Endpoint[]): void {
    const seen = mostCommonAddress(reports);
    if (seen === undefined) return;
    const first = seen.ports[0] as number;
    if (seen.ports.every((port) => port === first)) {
      this.#pingPorts(seen.address, [first]);
    } else {
      this.#pingPorts(seen.address, portsNear(seen.ports, this.#guessed));
      this.#guessed += GUESSES;
    }
    if (this.#tries > TRIES_NEAR_SEEN_PORTS) {
      this.#pingPorts(seen.address, portsFromBottom(this.#guessedFromBottom));
      this.#guessedFromBottom += GUESSES / 2;
    }
    this.#tries += 1;
  }

  #pingPorts(address: string, ports: readonly number[]): void {
    for (const port of ports) {
      const endpoint = Endpoint.of(address, port);
      if (endpoint !== undefined && port !== 0) this.#deps.ping(endpoint);
    }
  }
}

/** The address that most reports agree on, with its port in each of those reports. */
export function mostCommonAddress(
  reports: readonly Endpoint[],
): { readonly address: string; readonly ports: readonly number[] } | undefined {
  const portsOf = new Map<string, number[]>();
  for (const { address, port } of reports) {
    const ports = portsOf.get(address);
    if (ports === undefined) portsOf.set(address, [port]);
    else ports.push(port);
  }
  let best: { readonly address: string; readonly ports: readonly number[] } | undefined;
  for (const [address, ports] of portsOf) if (ports.length > (best?.ports.length ?? 0)) best = { address, ports };
  return best;
}

/** 48 ports around the ones seen, alternating above and below, farther away with each round. @param index guesses made so far */
export function portsNear(ports: readonly number[], index: number): number[] {
  return Array.from({ length: GUESSES }, (_, guess) => {
    const step = guess + index;
    const distance = Math.floor(step / (2 * ports.length)) * (step % 2 === 0 ? 1 : -1);
    const seen = ports[Math.floor(step / 2) % ports.length] as number;
    return (seen + distance) & 0xffff;
  });
}

/** 48 ports from 1024 upwards, for the NATs that begin to count there. */
export function portsFromBottom(index: number): number[] {
  return Array.from({ length: GUESSES }, (_, guess) => (FIRST_UNPRIVILEGED_PORT + index + guess) & 0xffff);
}
