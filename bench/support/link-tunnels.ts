/** Ways to a TCP service on another host of the lab, for comparing: ours, HyperDHT's, and TCP itself. */
import { join } from 'node:path';
import type { Lab } from '../../test/support/lab.js';
import { startNodeAtHub, startTuntoxIn } from '../../test/support/lab-tunnel.js';
import { type Process, ROOT } from '../../test/support/processes.js';

/** Where the client's programs reach the service. */
export interface Way {
  readonly host: string;
  readonly port: number;
  /** The processes that carry it, for their processor time and memory. */
  readonly processes: readonly Process[];
}

export interface TunnelKind {
  readonly name: string;
  /** From alice to the service at bob, which listens on his loopback and, for TCP, on his address. */
  start(lab: Lab, service: { readonly port: number; readonly openPort: number }): Promise<Way>;
}

const LOCAL_PORT = 8000;
const NODE_PORT = 49_737;
const bench = (name: string): string => join(ROOT, 'dist/bench/support', name);

const tcp: TunnelKind = {
  name: 'TCP',
  start: async (lab, { openPort }) => ({ host: await lab.addressOf('bob'), port: openPort, processes: [] }),
};

const ours: TunnelKind = {
  name: 'ours',
  async start(lab, { port }) {
    const args = ['--bootstrap', await startNodeAtHub(lab)];
    const server = startTuntoxIn(lab, 'bob', 'server', ['-C', lab.directory(), ...args]);
    const [toxId] = await server.waitFor(/^[0-9A-F]{76}$/m);
    const forward = `${LOCAL_PORT}:127.0.0.1:${port}`;
    const client = startTuntoxIn(lab, 'alice', 'client', ['-i', toxId, '-L', forward, '-d', ...args]);
    await client.waitFor(/direct/);
    return { host: '127.0.0.1', port: LOCAL_PORT, processes: [client, server] };
  },
};

const hyperdht: TunnelKind = {
  name: 'HyperDHT',
  async start(lab, { port }) {
    const start = async (host: 'hub' | 'alice' | 'bob', ...args: readonly (string | number)[]): Promise<Process> => {
      const command = [process.execPath, bench('hyperdht-peer.js'), ...args.map(String)];
      const started = lab.start(host, `HyperDHT at ${host}`, command);
      await started.waitFor(/^ready$/m);
      return started;
    };
    const hub = await lab.addressOf('hub');
    await start('hub', 'node', hub, NODE_PORT);
    const node = `${hub}:${NODE_PORT}`;
    const server = await start('bob', 'server', node, port);
    const [key = ''] = await server.waitFor(/^[0-9a-f]{64}$/m);
    const client = await start('alice', 'client', node, key, LOCAL_PORT);
    return { host: '127.0.0.1', port: LOCAL_PORT, processes: [client, server] };
  },
};

export const TUNNEL_KINDS: readonly TunnelKind[] = [tcp, hyperdht, ours];
