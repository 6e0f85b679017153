/** The only file that imports prom-client, and only when somebody asks: numbers in the text of OpenMetrics. */
import { cpuUsage } from 'node:process';
import type { MethodContext } from './methods/context.js';

type Deps = Pick<
  MethodContext,
  'access' | 'admission' | 'engine' | 'process' | 'targetRefusals' | 'totals' | 'warnings'
>;
type Labelled = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

interface Row {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly values: (deps: Deps) => Labelled;
}

const one = (value: number): Labelled => [[{}, value]];
const flag = (isSo: boolean): Labelled => one(isSo ? 1 : 0);
/** µs in a second. */
const MICROSECONDS = 1_000_000;

const ROWS: readonly Row[] = [
  gauge('tuntox_healthy', 'Whether nothing needs the owner', ({ warnings }) => flag(warnings().health === 'ok')),
  gauge('tuntox_online', 'Whether the Tox network knows us', ({ engine }) => flag(engine.isOnline)),
  gauge('tuntox_udp_works', 'Whether nodes answer by UDP', ({ engine }) => flag(engine.networkFacts.udp === 'works')),
  gauge('tuntox_relays', 'TCP relays that we are connected to', ({ engine }) => one(engine.networkFacts.relays.length)),
  gauge('tuntox_relay_clients', 'Peers on our own relay', ({ engine }) => one(engine.networkFacts.relayClients)),
  counter('tuntox_relayed_bytes', 'Bytes that our own relay passed on for others', ({ engine }) =>
    one(engine.networkFacts.relayedBytes),
  ),
  counter('tuntox_dropped_packets', 'Packets that were malformed, forged or above a limit, by layer', ({ engine }) => {
    const { onion, netCrypto } = engine.networkFacts.dropped;
    return [
      [{ layer: 'onion' }, onion],
      [{ layer: 'net_crypto' }, netCrypto],
    ];
  }),
  gauge('tuntox_bootstrap_nodes', 'Nodes through which we enter', ({ engine }) => {
    const { known, answering } = engine.networkFacts.bootstrapNodes;
    return [
      [{ state: 'answering' }, answering],
      [{ state: 'silent' }, known - answering],
    ];
  }),
  gauge('tuntox_clients', 'Clients that are here, by path', ({ admission }) => {
    const here = admission.clients.filter(({ isOnline }) => isOnline);
    const on = (kind: string): number => here.filter(({ friend }) => friend.path.kind === kind).length;
    return (['direct', 'relayed'] as const).map((path) => [{ path }, on(path)]);
  }),
  gauge('tuntox_tunnels', 'Tunnels that are open', ({ engine }) => one(engine.tunnels.list().length)),
  gauge('tuntox_tunnels_connecting', 'Tunnels whose target is being connected', ({ engine }) =>
    one(engine.tunnels.connecting().length),
  ),
  counter('tuntox_tunnels_opened', 'Tunnels that were opened', ({ totals }) => one(totals.opened)),
  counter('tuntox_received_bytes', 'Bytes from clients through tunnels', ({ totals }) => one(totals.bytesReceived)),
  counter('tuntox_sent_bytes', 'Bytes to clients through tunnels', ({ totals }) => one(totals.bytesSent)),
  gauge('tuntox_refused_24h', 'Clients and targets refused within 24 hours', ({ admission, targetRefusals }) =>
    Object.entries({ ...admission.refusals, ...targetRefusals }).map(([reason, count]) => [{ reason }, count]),
  ),
  gauge('tuntox_whitelist_entries', 'Entries of the whitelist', ({ access }) => one(access.entries.length)),
  gauge('tuntox_bans', 'Keys that are banned', ({ access }) => one(access.bans.length)),
  gauge('process_resident_memory_bytes', 'Resident memory', ({ process }) => one(process.memory)),
  gauge('process_start_time_seconds', 'Start, in seconds since 1970', ({ process }) => one(process.startedAt)),
  counter('process_cpu_seconds', 'Processor time', () => {
    const { user, system } = cpuUsage();
    return one((user + system) / MICROSECONDS);
  }),
];

/** @returns what gives the text of OpenMetrics each time that it is asked */
export function metricsOf(deps: Deps): () => Promise<string> {
  let registry: Promise<{ metrics(): Promise<string> }> | undefined;
  return async () => {
    registry ??= makeRegistry(deps);
    return (await registry).metrics();
  };
}

async function makeRegistry(deps: Deps): Promise<{ metrics(): Promise<string> }> {
  // Of a CommonJS module a bundle knows the whole only.
  const { default: client } = await import('prom-client');
  const { Counter, Gauge, Registry } = client;
  const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const { name, help, kind, values } of ROWS) {
    const labelNames = LABELS[name] ?? [];
    const options = { name, help, labelNames, registers: [registry] };
    if (kind === 'gauge') {
      const metric: InstanceType<typeof Gauge> = new Gauge({
        ...options,
        collect: () => {
          metric.reset();
          for (const [labels, value] of values(deps)) metric.set(labels, value);
        },
      });
    } else {
      const metric: InstanceType<typeof Counter> = new Counter({
        ...options,
        collect: () => {
          metric.reset();
          for (const [labels, value] of values(deps)) metric.inc(labels, value);
        },
      });
    }
  }
  return registry;
}

const LABELS: Readonly<Record<string, string[]>> = {
  tuntox_bootstrap_nodes: ['state'],
  tuntox_dropped_packets: ['layer'],
  tuntox_clients: ['path'],
  tuntox_refused_24h: ['reason'],
};

function gauge(name: string, help: string, values: Row['values']): Row {
  return { name, help, kind: 'gauge', values };
}

function counter(name: string, help: string, values: Row['values']): Row {
  return { name, help, kind: 'counter', values };
}
