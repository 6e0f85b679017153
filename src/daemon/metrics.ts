/** The metrics in the OpenMetrics format. Only this file imports prom-client, and only when the metrics are requested. */
import { cpuUsage } from 'node:process';
import { forwardLabel } from '../engine/client/forward-entry.js';
import type { ForwardState } from '../engine/client/standing-forward.js';
import type { MethodContext } from './methods/context.js';
import { stateOf } from './methods/forwards.js';

type Deps = Pick<MethodContext, 'access' | 'admission' | 'engine' | 'forwards' | 'process' | 'totals' | 'warnings'>;
type Labelled = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

interface Row {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly values: (deps: Deps) => Labelled;
  readonly labels: readonly string[];
}

const one = (value: number): Labelled => [[{}, value]];
const flag = (isSo: boolean): Labelled => one(isSo ? 1 : 0);
const byLabel = (label: string, counts: Readonly<Record<string, number>>): Labelled =>
  Object.entries(counts).map(([value, count]) => [{ [label]: value }, count]);
/** One for each forward, of which there are at most 256, by its local port. */
const byForward =
  (of: (forward: ForwardState) => number) =>
  ({ forwards }: Deps): Labelled =>
    forwards.all.map((forward) => [{ forward: forwardLabel(forward.entry) }, of(forward)]);
/** µs in a second. */
const MICROSECONDS = 1_000_000;

const ROWS: readonly Row[] = [
  gauge(
    'tuntox_build_info',
    'The version, as a label; the value is 1',
    ({ process }) => [[{ version: process.version }, 1]],
    'version',
  ),
  gauge('tuntox_healthy', 'Whether nothing needs attention', ({ warnings }) => flag(warnings().health === 'ok')),
  gauge('tuntox_online', 'Whether clients can find this machine', ({ engine }) => flag(engine.isOnline)),
  gauge('tuntox_udp_works', 'Whether nodes answer by UDP', ({ engine }) => flag(engine.networkFacts.udp === 'works')),
  gauge('tuntox_relays', 'Connections to TCP relays', ({ engine }) => one(engine.networkFacts.relays.length)),
  gauge('tuntox_relay_clients', 'Peers connected to our relay', ({ engine }) => one(engine.networkFacts.relayClients)),
  counter('tuntox_relayed_bytes', 'Bytes that our relay passed on for other peers', ({ engine }) =>
    one(engine.networkFacts.relayedBytes),
  ),
  gauge(
    'tuntox_bootstrap_nodes',
    'Bootstrap nodes',
    ({ engine }) => {
      const { known, answering } = engine.networkFacts.bootstrapNodes;
      return byLabel('state', { answering, silent: known - answering });
    },
    'state',
  ),
  counter(
    'tuntox_dropped_packets',
    'Packets that were malformed, forged or above a limit, by layer',
    ({ engine }) => {
      const { onion, netCrypto } = engine.networkFacts.dropped;
      return byLabel('layer', { onion, net_crypto: netCrypto });
    },
    'layer',
  ),
  counter(
    'tuntox_dropped_datagram_packets',
    'Packets with datagrams of UDP forwards and their answers for which the path had no room',
    ({ engine }) => one(engine.networkFacts.lossyDropped),
  ),
  gauge(
    'tuntox_clients',
    'Connected clients, by path',
    ({ admission }) => {
      const online = admission.clients.filter(({ isOnline }) => isOnline);
      const on = (kind: string): number => online.filter(({ friend }) => friend.path.kind === kind).length;
      return byLabel('path', { direct: on('direct'), relayed: on('relayed') });
    },
    'path',
  ),
  gauge('tuntox_tunnels', 'Open tunnels', ({ totals }) => one(totals.open)),
  gauge('tuntox_tunnels_connecting', 'Tunnels that are connecting to their target', ({ engine }) =>
    one(engine.tunnels.connecting().length),
  ),
  gauge('tuntox_listening_ports', 'Ports that are open for clients (tuntox -R)', ({ engine }) =>
    one(engine.tunnels.openPorts().length),
  ),
  counter('tuntox_tunnels_opened', 'Tunnels that were opened', ({ totals }) => one(totals.opened)),
  counter('tuntox_received_bytes', 'Bytes from clients through tunnels', ({ totals }) => one(totals.bytesReceived)),
  counter('tuntox_sent_bytes', 'Bytes to clients through tunnels', ({ totals }) => one(totals.bytesSent)),
  counter(
    'tuntox_refusals',
    'Clients and tunnels that were refused, by reason',
    ({ admission, totals }) => byLabel('reason', { ...admission.refusals.total, ...totals.refusals.total }),
    'reason',
  ),
  gauge(
    'tuntox_forwards',
    'Forwards that the daemon keeps up, by state',
    ({ forwards }) => {
      const states = forwards.all.map(stateOf);
      const count = (state: string): number => states.filter((one) => one === state).length;
      return byLabel('state', {
        connected: count('connected'),
        connecting: count('connecting'),
        'not-listening': count('not-listening'),
      });
    },
    'state',
  ),
  gauge(
    'tuntox_forward_connected',
    'Whether the port of a forward is open and its server connected',
    byForward((forward) => (stateOf(forward) === 'connected' ? 1 : 0)),
    'forward',
  ),
  gauge(
    'tuntox_forward_connections',
    'Open connections of a forward',
    byForward(({ traffic }) => traffic.open),
    'forward',
  ),
  counter(
    'tuntox_forward_connections_opened',
    'Connections of a forward that were opened',
    byForward(({ traffic }) => traffic.total),
    'forward',
  ),
  counter(
    'tuntox_forward_sent_bytes',
    'Bytes to the server of a forward',
    byForward(({ traffic }) => traffic.bytesSent),
    'forward',
  ),
  counter(
    'tuntox_forward_received_bytes',
    'Bytes from the server of a forward',
    byForward(({ traffic }) => traffic.bytesReceived),
    'forward',
  ),
  gauge('tuntox_whitelist_entries', 'Entries of the whitelist', ({ access }) => one(access.entries.length)),
  gauge('tuntox_bans', 'Banned keys', ({ access }) => one(access.bans.length)),
  gauge('process_start_time_seconds', 'Start time as Unix time in seconds', ({ process }) => one(process.startedAt)),
  // That of prom-client would count from the first request on.
  counter('process_cpu_seconds', 'User and system CPU time in seconds', () => {
    const { user, system } = cpuUsage();
    return one((user + system) / MICROSECONDS);
  }),
];

/** @returns a function that makes the text */
export function metricsOf(deps: Deps): () => Promise<string> {
  let registry: Promise<{ metrics(): Promise<string> }> | undefined;
  return async () => {
    registry ??= makeRegistry(deps);
    return (await registry).metrics();
  };
}

async function makeRegistry(deps: Deps): Promise<{ metrics(): Promise<string> }> {
  // A bundle has only the default export of a CommonJS module. The other default metrics of prom-client wake the process up.
  const [{ default: client }, ...defaults] = await Promise.all([
    import('prom-client'),
    import('prom-client/lib/metrics/osMemoryHeapLinux.js'),
    import('prom-client/lib/metrics/processOpenFileDescriptors.js'),
    import('prom-client/lib/metrics/processMaxFileDescriptors.js'),
  ]);
  const { Counter, Gauge, Registry } = client;
  const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const { default: register } of defaults) register(registry);
  for (const { name, help, kind, values, labels } of ROWS) {
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === 'gauge') {
      const metric: InstanceType<typeof Gauge> = new Gauge({
        ...options,
        collect: () => {
          metric.reset();
          for (const [labelled, value] of values(deps)) metric.set(labelled, value);
        },
      });
    } else {
      const metric: InstanceType<typeof Counter> = new Counter({
        ...options,
        collect: () => {
          metric.reset();
          for (const [labelled, value] of values(deps)) metric.inc(labelled, value);
        },
      });
    }
  }
  return registry;
}

function gauge(name: string, help: string, values: Row['values'], ...labels: readonly string[]): Row {
  return { name, help, kind: 'gauge', values, labels };
}

function counter(name: string, help: string, values: Row['values'], ...labels: readonly string[]): Row {
  return { name, help, kind: 'counter', values, labels };
}
