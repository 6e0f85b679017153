/** What `make demo` prints at its end. */
import { short } from './figures.js';
import type { Memory } from './private-network.js';
import { megabytesPerSecond, type Transfer } from './service-client.js';
import { median, quantile } from './statistics.js';

export interface DemoResult {
  /** ms from exec of the client to the first byte of the service. */
  readonly connected: number;
  /** ms each. */
  readonly roundTrips: readonly number[];
  readonly down: Transfer;
  readonly up: Transfer;
  readonly memory: { readonly client: Memory | undefined; readonly server: Memory | undefined };
}

const BETWEEN_MACHINES = `
The same between two machines, through the public Tox network, for example ssh
(tuntox stands for dist/bin/tuntox.cjs; both files hold the same secret):

  there  tuntox --secret-file secret -C ~/.tuntox        prints its Tox ID
  here   tuntox --secret-file secret -i TOX_ID -L 2222:127.0.0.1:22
         ssh -p 2222 127.0.0.1
`;

/** Lines of at most 80 columns. */
export function formatReport({ connected, roundTrips, down, up, memory }: DemoResult): string {
  const lines = [
    'A TCP service was reached through a private Tox network of three processes of',
    'tuntox on this machine: a bootstrap node, a server, and a client with -L.',
    '',
    row('time to connect', `${short(connected / 1000)} s`, "exec of the client to the service's first byte"),
    row('round trip', `${short(median(roundTrips))} ms`, `median; ${short(quantile(roundTrips, 0.95))} ms for 95 %`),
    row('service -> client', `${short(megabytesPerSecond(down))} MB/s`, describe(down)),
    row('client -> service', `${short(megabytesPerSecond(up))} MB/s`, describe(up)),
    row('memory at most', describeMemory(memory.client), `client; ${describeMemory(memory.server)} server`),
  ];
  return `${lines.join('\n')}\n${BETWEEN_MACHINES}`;
}

const row = (what: string, value: string, more: string): string => `  ${what.padEnd(18)}${value.padStart(9)}  ${more}`;

/** The digests were computed on the way, by the service and its client, so the rate has paid for them. */
function describe({ bytes, milliseconds, sentDigest, receivedDigest }: Transfer): string {
  const equal = sentDigest === receivedDigest ? `SHA-256 equal (${sentDigest.slice(0, 8)})` : 'SHA-256 DIFFERS';
  return `${Math.round(bytes / 2 ** 20)} MiB in ${short(milliseconds / 1000)} s, ${equal}`;
}

const describeMemory = (memory: Memory | undefined): string =>
  memory === undefined ? 'unknown' : `${Math.round(memory.peak / 1e6)} MB`;
