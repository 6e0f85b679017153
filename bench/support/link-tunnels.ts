/** Ways to a TCP service on another host of the lab, for comparing: ours, those of others, and TCP itself. */
import { join } from 'node:path';
import { LAB_REQUIREMENTS, type Lab } from '../../test/support/lab.js';
import { startNodeAtHub, startTuntoxIn } from '../../test/support/lab-tunnel.js';
import { type Process, ROOT } from '../../test/support/processes.js';
import type { Requirement } from '../../test/support/requirements.js';
import { SSH_REQUIREMENTS, startSshd } from '../../test/support/sshd.js';
import { startWireGuard, WIREGUARD_REQUIREMENTS } from './wireguard.js';

/** Where the client's programs reach the service. */
export interface Way {
  readonly host: string;
  readonly port: number;
  /** What carries it at alice, if that is not the kernel alone. */
  readonly client?: Process;
  /** All processes that carry it, for their processor time and memory. */
  readonly processes: readonly Process[];
}

/** The service at bob listens on his loopback, and another port of it on all of his addresses. */
export interface LabService {
  readonly port: number;
  readonly openPort: number;
}

export interface TunnelKind {
  readonly name: string;
  /** What the machine has to have for it. */
  readonly needs: readonly Requirement[];
  /**
   * Starts what waits at bob, and at the hub.
   * @returns what starts a client at alice from nothing, with a number of its own if there are several; it resolves when programs
   *   may connect to the way, which is not yet when the client has found bob
   */
  serve(lab: Lab, service: LabService): Promise<(client?: number) => Promise<OpeningWay>>;
}

export type OpeningWay = Way & { readonly settled?: () => Promise<unknown> };

const localPortOf = (client = 0): number => 8000 + client;
const NODE_PORT = 49_737;
const SSH_PORT = 2222;

export async function startLabService(lab: Lab): Promise<LabService> {
  const start = async (address: string): Promise<number> => {
    const program = join(ROOT, 'dist/bench/support/service.js');
    const service = lab.start('bob', 'service', [process.execPath, program, address]);
    return Number((await service.waitFor(/^\d+$/m))[0]);
  };
  return { port: await start('127.0.0.1'), openPort: await start('0.0.0.0') };
}

/** From alice to the service, once the path is final. */
export async function openWay(kind: TunnelKind, lab: Lab, service: LabService): Promise<Way> {
  const way = await (await kind.serve(lab, service))();
  await way.settled?.();
  return way;
}

const tcp: TunnelKind = {
  name: 'kernel TCP',
  needs: [],
  async serve(lab, { openPort }) {
    const host = await lab.addressOf('bob');
    return async () => ({ host, port: openPort, processes: [] });
  },
};

/** Our tunnel, with the native addon as `TUNTOX_NATIVE` says. */
const oursWith = (name: string, native: string): TunnelKind => ({
  name,
  needs: [],
  async serve(lab, { port }) {
    const args = ['--bootstrap', await startNodeAtHub(lab)];
    const env = { TUNTOX_NATIVE: native };
    const server = startTuntoxIn(lab, 'bob', 'server', ['-C', lab.directory(), ...args], env);
    const [toxId] = await server.waitFor(/^[0-9A-F]{76}$/m);
    await server.waitFor(/^online/m);
    return async (number) => {
      const localPort = localPortOf(number);
      const forward = `${localPort}:127.0.0.1:${port}`;
      const client = startTuntoxIn(lab, 'alice', 'client', ['-i', toxId, '-L', forward, '-d', ...args], env);
      await client.waitFor(/listening/);
      const settled = () => client.waitFor(/direct/);
      return { host: '127.0.0.1', port: localPort, client, processes: [client, server], settled };
    };
  },
});

const hyperdht: TunnelKind = {
  name: 'HyperDHT',
  needs: [],
  async serve(lab, { port }) {
    const program = join(ROOT, 'dist/bench/support/hyperdht-peer.js');
    const start = async (host: 'hub' | 'alice' | 'bob', ...args: readonly (string | number)[]): Promise<Process> => {
      const started = lab.start(host, `HyperDHT at ${host}`, [process.execPath, program, ...args.map(String)]);
      await started.waitFor(/^ready$/m);
      return started;
    };
    const hub = await lab.addressOf('hub');
    await start('hub', 'node', hub, NODE_PORT);
    const node = `${hub}:${NODE_PORT}`;
    const server = await start('bob', 'server', node, port);
    const [key = ''] = await server.waitFor(/^[0-9a-f]{64}$/m);
    return async (number) => {
      const localPort = localPortOf(number);
      const client = await start('alice', 'client', node, key, localPort);
      return { host: '127.0.0.1', port: localPort, client, processes: [client, server] };
    };
  },
};

const ssh: TunnelKind = {
  name: 'ssh -L',
  needs: SSH_REQUIREMENTS,
  async serve(lab, { port }) {
    const address = await lab.addressOf('bob');
    const at = { directory: lab.directory(), address, port: SSH_PORT, prefix: lab.prefix('bob') };
    const sshd = await startSshd(at);
    const destination = ['-p', `${SSH_PORT}`, `root@${address}`];
    return async (number) => {
      const localPort = localPortOf(number);
      const forward = `127.0.0.1:${localPort}:127.0.0.1:${port}`;
      const command = ['ssh', ...sshd.options, '-v', '-N', '-L', forward, ...destination];
      const client = lab.start('alice', 'ssh', command);
      // Until then it prints that it listens, but does not.
      await client.waitFor(/Entering interactive session/);
      return { host: '127.0.0.1', port: localPort, client, processes: [client, sshd.process] };
    };
  },
};

const wireguard: TunnelKind = {
  name: 'wireguard-go',
  needs: WIREGUARD_REQUIREMENTS,
  async serve(lab, { openPort }) {
    const { server, address, startClient } = await startWireGuard(lab);
    return async () => {
      const client = await startClient();
      return { host: address, port: openPort, client, processes: [client, server] };
    };
  },
};

const ours = oursWith('ours', process.env.TUNTOX_NATIVE ?? '');

export const TUNNEL_KINDS: readonly TunnelKind[] = [tcp, ssh, wireguard, hyperdht, ours];
/** To see what the addon for sockets brings. */
export const WITH_AND_WITHOUT_NATIVE: readonly TunnelKind[] = [
  hyperdht,
  oursWith('ours', ''),
  oursWith('ours, node:dgram', 'off'),
];

/** Those that can be measured here, and a note of each that cannot. */
export function sortOut(kinds: readonly TunnelKind[]): {
  readonly able: readonly TunnelKind[];
  readonly notes: string[];
} {
  const missingFor = ({ needs }: TunnelKind): string[] =>
    [...LAB_REQUIREMENTS, ...needs].filter(({ isMet }) => !isMet).map(({ reason }) => reason);
  const unable = kinds.filter((kind) => missingFor(kind).length > 0);
  return {
    able: kinds.filter((kind) => !unable.includes(kind)),
    notes: unable.map((kind) => `${kind.name} is left out: ${missingFor(kind).join('; ')}.`),
  };
}
