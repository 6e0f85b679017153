/** The real command in a lab: a node at the hub, a server at one host and a client at the other, with a service behind it. */
import type { Host, Lab } from './lab.js';
import { type Process, startTuntox } from './processes.js';

const SECRET = 'the lab';
const NODE_PORT = 33445;
const SERVICE_PORT = 9000;
/** Of the client's forward. */
const LOCAL_PORT = 8000;
/** ms that a download may take: a guard against hanging. */
const PATIENCE = 60_000;

export interface TunnelOptions {
  /** Arguments for both commands, such as `--bootstrap`; as text each, or for one of them. */
  readonly args: readonly string[];
  /** For the client alone. */
  readonly clientArgs?: readonly string[];
  /** Bytes that the service sends to each connection. */
  readonly length: number;
  readonly server?: Host;
  readonly client?: Host;
}

export interface Download {
  /** ms from the client's exec to the first byte, and from there to the last. */
  readonly firstByte: number;
  readonly rest: number;
  /** Whether all bytes came, and right. */
  readonly isWhole: boolean;
}

/** Starts `tuntox` in a node of the lab. */
export function startTuntoxIn(lab: Lab, node: Host, name: string, args: readonly string[]): Process {
  return startTuntox(args, { name, prefix: lab.prefix(node), env: { TUNTOX_SHARED_SECRET: SECRET } });
}

/** A bootstrap node at the hub. @returns what others give as `--bootstrap` */
export async function startNodeAtHub(lab: Lab): Promise<string> {
  return (await startNode(lab, 'hub')).entry;
}

/** A bootstrap node, which is a relay at the same port as well if wanted. */
export async function startNode(
  lab: Lab,
  host: Host,
  { isRelay }: { readonly isRelay: boolean } = { isRelay: false },
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
    const { server: host = 'bob', args, length } = options;
    const service = await lab.startProbe(host, 'serve', SERVICE_PORT, length);
    const [, sha256] = await service.waitFor(/^ready ([0-9a-f]{64})$/m);
    const server = startTuntoxIn(lab, host, 'server', ['-C', lab.directory(), '-d', ...args]);
    const [toxId] = await server.waitFor(/^[0-9A-F]{76}$/m);
    return new LabTunnel(lab, options, server, toxId, sha256 as string);
  }

  /** Runs a client with a new identity until it has fetched all that the service sends. */
  async download(): Promise<Download> {
    const { client: host = 'alice', args, clientArgs = [], length } = this.#options;
    const fetch = await this.#lab.startProbe(host, 'fetch', LOCAL_PORT);
    const executedAt = Number(process.hrtime.bigint()) / 1e6;
    const forward = `${LOCAL_PORT}:127.0.0.1:${SERVICE_PORT}`;
    const client = startTuntoxIn(this.#lab, host, 'client', [
      '-i',
      this.#toxId,
      '-L',
      forward,
      '-d',
      ...args,
      ...clientArgs,
    ]);
    try {
      const [text] = await fetch.waitFor(/^\{.*\}$/m, PATIENCE);
      const fetched = JSON.parse(text) as { first: number; last: number; length: number; sha256: string };
      return {
        firstByte: fetched.first - executedAt,
        rest: fetched.last - fetched.first,
        isWhole: fetched.length === length && fetched.sha256 === this.#sha256,
      };
    } catch (error) {
      throw new Error(`${error}\n--- client\n${client.stderr}\n--- server\n${this.server.stderr}`);
    } finally {
      await client.stop();
    }
  }
}
