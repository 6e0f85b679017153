/** The real command in a lab: a node at the hub, a server at one host and a client at the other, with a service behind it. */
import { C_PATIENCE, startCPeer } from './c-peer.js';
import type { Host, Lab } from './lab.js';
import { type Process, startBootstrapd, startTuntox } from './processes.js';

const SECRET = 'the lab';
const NODE_PORT = 33445;
const SERVICE_PORT = 9000;
/** Of the client's forward. */
const LOCAL_PORT = 8000;
/** ms that a download may take: a guard against hanging. */
const PATIENCE = 60_000;

export interface TunnelOptions {
  /** Arguments for our commands, such as `--bootstrap`. */
  readonly args: readonly string[];
  /** For the client alone. */
  readonly clientArgs?: readonly string[];
  /** One of the two is tuntox_peer on libtoxcore instead, with arguments of its own. */
  readonly libtoxcore?: { readonly role: 'server' | 'client'; readonly args: readonly string[] };
  /** Bytes that the service sends to each connection. */
  readonly length: number;
  readonly server?: Host;
  readonly client?: Host;
}

export interface Download {
  /** ms from the client's exec, or from when it was asked again, to the first byte, and from there to the last. */
  readonly firstByte: number;
  readonly rest: number;
  /** Whether all bytes came, and right. */
  readonly isWhole: boolean;
}

/** A client that runs. */
export interface TunnelClient {
  readonly process: Process;
  /** What it fetches as soon as it can. */
  first(): Promise<Download>;
  /** The same over a new connection, when the first has ended. */
  again(): Promise<Download>;
  stop(): Promise<void>;
}

/** Starts `tuntox` in a node of the lab. */
export function startTuntoxIn(
  lab: Lab,
  node: Host,
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Process {
  return startTuntox(args, { name, prefix: lab.prefix(node), env: { TUNTOX_SHARED_SECRET: SECRET, ...env } });
}

/** Starts tuntox_peer in a node of the lab. */
function startCPeerIn(lab: Lab, node: Host, args: readonly string[]): Promise<Process> {
  return startCPeer([...args, '--secret', SECRET], { prefix: lab.prefix(node) });
}

/** A bootstrap node and relay at the hub. @returns what others give as `--bootstrap` */
export async function startNodeAtHub(lab: Lab): Promise<string> {
  return (await startNode(lab, 'hub', { isRelay: true })).entry;
}

/** A bootstrap node, which is a relay at the same port as well if wanted. */
export async function startNode(
  lab: Lab,
  host: Host,
  { isRelay }: { readonly isRelay: boolean },
): Promise<{ readonly process: Process; readonly entry: string }> {
  const args = [
    '--node',
    '-C',
    lab.directory(),
    '-u',
    `${NODE_PORT}:${NODE_PORT}`,
    '-t',
    isRelay ? `${NODE_PORT}` : '0',
  ];
  const process = startTuntoxIn(lab, host, `node at ${host}`, args);
  const [entry] = await process.waitFor(/^[0-9]+:[0-9A-F]{64}$/im);
  const address = await lab.addressOf(host);
  return { process, entry: `${address.includes(':') ? `[${address}]` : address}:${entry}` };
}

/** Debian's tox-bootstrapd on a host, with a relay on the port that is its UDP port too. @returns HOST:PORT:KEY */
export async function startBootstrapdIn(lab: Lab, host: Host, nodes: readonly string[] = []): Promise<string> {
  const { port, key } = await startBootstrapd({ prefix: lab.prefix(host), isRelay: true, nodes });
  return `${await lab.addressOf(host)}:${port}:${key}`;
}

/** A service behind a server, to be reached again and again by clients with new identities. */
export class LabTunnel {
  readonly server: Process;
  readonly #lab: Lab;
  readonly #options: TunnelOptions;
  readonly #toxId: string;
  readonly #sha256: string;

  private constructor(lab: Lab, options: TunnelOptions, server: Process, toxId: string, sha256: string) {
    this.#lab = lab;
    this.#options = options;
    this.server = server;
    this.#toxId = toxId;
    this.#sha256 = sha256;
  }

  /** Starts service and server. Ready when the server runs; whether it can be found yet is the client's affair. */
  static async start(lab: Lab, options: TunnelOptions): Promise<LabTunnel> {
    const { server: host = 'bob', args, length, libtoxcore } = options;
    const service = await lab.startProbe(host, 'serve', SERVICE_PORT, length);
    const [, sha256] = await service.waitFor(/^ready ([0-9a-f]{64})$/m);
    const server =
      libtoxcore?.role === 'server'
        ? await startCPeerIn(lab, host, ['server', ...libtoxcore.args])
        : startTuntoxIn(lab, host, 'server', ['-C', lab.directory(), '-d', ...args]);
    const [, toxId] = await server.waitFor(/^(?:ADDRESS )?([0-9A-F]{76})$/m);
    return new LabTunnel(lab, options, server, toxId as string, sha256 as string);
  }

  /** Starts a client with a new identity. */
  async connect(): Promise<TunnelClient> {
    const { client: host = 'alice', length, libtoxcore } = this.#options;
    const startFetch = (): Promise<Process> => this.#lab.startProbe(host, 'fetch', LOCAL_PORT);
    // So that it asks from the moment in which the client listens.
    const fetch = await startFetch();
    const executedAt = now();
    const tunnel = ['-L', `${LOCAL_PORT}:127.0.0.1:${SERVICE_PORT}`];
    const client =
      libtoxcore?.role === 'client'
        ? await startCPeerIn(this.#lab, host, ['client', '--id', this.#toxId, ...tunnel, ...libtoxcore.args])
        : this.startClient(LOCAL_PORT);
    const finish = (asking: Process, since: number): Promise<Download> =>
      this.#finish(asking, since, client, length, libtoxcore === undefined ? PATIENCE : C_PATIENCE);
    return {
      process: client,
      first: () => finish(fetch, executedAt),
      again: async () => finish(await startFetch(), now()),
      stop: async () => void (await client.stop()),
    };
  }

  /** Starts a client with a new identity that forwards a port of its host to the service. */
  startClient(localPort: number): Process {
    const { client: host = 'alice', args, clientArgs = [] } = this.#options;
    const forward = `${localPort}:127.0.0.1:${SERVICE_PORT}`;
    const all = ['-i', this.#toxId, '-L', forward, '-d', ...args, ...clientArgs];
    return startTuntoxIn(this.#lab, host, 'client', all);
  }

  /** Runs a client with a new identity until it has fetched all that the service sends. */
  async download(): Promise<Download> {
    const client = await this.connect();
    try {
      return await client.first();
    } finally {
      await client.stop();
    }
  }

  async #finish(fetch: Process, since: number, client: Process, length: number, patience: number): Promise<Download> {
    try {
      const [text] = await fetch.waitFor(/^\{.*\}$/m, patience);
      const fetched = JSON.parse(text) as { first: number; last: number; length: number; sha256: string };
      return {
        firstByte: fetched.first - since,
        rest: fetched.last - fetched.first,
        isWhole: fetched.length === length && fetched.sha256 === this.#sha256,
      };
    } catch (error) {
      throw new Error(`${error}\n--- client\n${client.stderr}\n--- server\n${this.server.stderr}`);
    }
  }
}

/** ms of the clock that the probes use, too. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
