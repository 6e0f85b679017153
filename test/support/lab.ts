/** The lab of test/lab for tests: an internet in network namespaces, with NATs, shaped links and captures of packets. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Prefix, type Process, ROOT, startProgram } from './processes.js';
import { type Requirement, root, systemFile, tool } from './requirements.js';

const LAB = join(ROOT, 'test/lab/lab');
const PROBES = join(ROOT, 'test/lab/netlab/probes.py');
const run = promisify(execFile);

/** The interpreter itself: what the PATH has may be a shim that takes most of a second to find it, each time. */
let interpreter: string | undefined;
function python(): string {
  interpreter ??= spawnSync('python3', ['-c', 'import sys; print(sys.executable)']).stdout?.toString().trim();
  return interpreter || 'python3';
}

export type Kind = 'public' | 'nat' | 'full-cone-nat' | 'symmetric-nat' | 'udp-blocked' | 'upnp' | 'proxy-only';
/** Alice and bob, the hub that both can reach, and public hosts beside them. */
export type Host = 'alice' | 'bob' | 'hub' | `h${number}`;
/** Where programs may run and captures be made: `nata` sees alice's packets as the world does. */
export type Node = Host | 'nata' | 'natb' | 'core';

/** Of an emulated link, one way; see `lab up --help`. Delays in ms, rate in Mbit/s, the others in percent. */
export interface LinkSettings {
  readonly delay?: number;
  readonly jitter?: number;
  readonly loss?: number;
  /** Packets in a run of lost ones, on average. */
  readonly burst?: number;
  readonly reorder?: number;
  readonly duplicate?: number;
  readonly rate?: number;
  /** Of the drop-tail queue before the rate limit, ms. */
  readonly queue?: number;
  /** Bytes of IP above which packets are answered by ICMP, and above which they vanish. */
  readonly mtu?: number;
  readonly blackhole?: number;
}

export interface LabOptions extends LinkSettings {
  readonly topology?: 'wan' | 'lan' | 'nat' | 'full-cone-nat' | 'symmetric-nat' | 'udp-blocked' | 'upnp' | 'proxy';
  readonly alice?: Kind;
  readonly bob?: Kind;
  readonly 'ipv6-only'?: boolean;
  readonly ipv6?: boolean;
  /** How many public hosts there are beside alice, bob and the hub, and the delay of each one's link, ms. */
  readonly hosts?: number;
  readonly 'hosts-delay'?: number;
  /** Seconds. */
  readonly 'nat-timeout'?: number;
}

/** Both ways between two addresses and ports; bytes are of IP packets, times in seconds since the capture began. */
export interface Flow {
  readonly protocol: string;
  readonly source: string;
  readonly sourcePort: number;
  readonly target: string;
  readonly targetPort: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly first: number;
  readonly last: number;
}

/** What a test needs for a lab of any kind. */
export const LAB_REQUIREMENTS: readonly Requirement[] = [
  root('make network namespaces'),
  tool('ip', 'iproute2'),
  tool('nft', 'nftables'),
  tool('sysctl', 'procps'),
  tool('python3', 'python3'),
  tool('cc', 'gcc'),
  systemFile('/usr/include/stdio.h', 'libc6-dev'),
  tool('ping', 'iputils-ping'),
  tool('tcpdump', 'tcpdump'),
];
/** And for one with a gateway of the kind `upnp`. */
export const GATEWAY_REQUIREMENT = tool('miniupnpd', 'miniupnpd-nftables');

/** Where a lab belongs to: a test, or a benchmark. */
export interface Owner {
  teardown(down: () => Promise<void>): unknown;
}

const labsUp = new Set<Lab>();
let count = 0;
// If this process ends during a test. After a SIGKILL, the next lab sweeps.
process.once('exit', () => {
  for (const lab of labsUp) lab.downAtOnce();
});

const environment = (name: string): NodeJS.ProcessEnv => ({ ...process.env, LAB: name });

const optionsOf = (settings: object): string[] =>
  Object.entries(settings).flatMap(([key, value]) => (value === true ? [`--${key}`] : [`--${key}`, String(value)]));

export class Lab {
  readonly name: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'tuntox-lab-'));

  private constructor(name: string) {
    this.name = name;
  }

  /** Brings up a lab, which is taken down with its owner. */
  static async up(owner: Owner, options: LabOptions): Promise<Lab> {
    count += 1;
    const lab = new Lab(`t${process.pid}-${count}`);
    labsUp.add(lab);
    owner.teardown(() => lab.down());
    await lab.#command('sweep');
    await lab.#command('up', '--owner', String(process.pid), ...optionsOf(options));
    return lab;
  }

  /** Ends everything that runs in it, and removes it. */
  async down(): Promise<void> {
    await this.#command('down');
    this.#forget();
  }

  /** The same, for when there is no time to wait. */
  downAtOnce(): void {
    spawnSync(python(), [LAB, 'down'], { env: environment(this.name) });
    this.#forget();
  }

  #forget(): void {
    rmSync(this.#directory, { recursive: true, force: true });
    labsUp.delete(this);
  }

  /** A new directory that is removed with the lab. */
  directory(): string {
    return mkdtempSync(join(this.#directory, 'd'));
  }

  /** What makes a command line run in a node. */
  prefix(node: Node): Prefix {
    return ['ip', 'netns', 'exec', `${this.name}-${node}`];
  }

  /** Runs a program in a node to its end. @returns what it printed; rejects when it fails */
  async exec(node: Node, ...command: readonly string[]): Promise<string> {
    return (await run('ip', [...this.prefix(node).slice(1), ...command])).stdout;
  }

  /** Starts a program in a node. */
  start(node: Node, name: string, command: readonly string[]): Process {
    return startProgram(name, command, { prefix: this.prefix(node) });
  }

  /** Runs one of netlab/probes.py to its end. @returns the lines that it printed */
  async probe(node: Node, name: string, ...args: readonly (string | number)[]): Promise<string[]> {
    const printed = await this.exec(node, python(), PROBES, name, ...args.map(String));
    return printed.split('\n').slice(0, -1);
  }

  /** Starts one of netlab/probes.py that reports when it is ready. */
  async startProbe(node: Node, name: string, ...args: readonly (string | number)[]): Promise<Process> {
    const probe = this.start(node, `probe ${name}`, [python(), PROBES, name, ...args.map(String)]);
    await probe.waitFor(/^ready/m);
    return probe;
  }

  async canReach(node: Node, address: string): Promise<boolean> {
    return this.exec(node, 'ping', '-n', '-c', '1', '-W', '1', address).then(
      () => true,
      () => false,
    );
  }

  /** Where the world sees a host: at its own address, or at its NAT's. */
  async addressOutside(host: 'alice' | 'bob'): Promise<string> {
    const { kinds, topology, nodes } = await this.#status();
    const router = host === 'alice' || topology === 'lan' ? 'nata' : 'natb';
    return (nodes[kinds[host] === 'public' ? host : router] as { address: string }).address;
  }

  async addressOf(node: Node): Promise<string> {
    return ((await this.#status()).nodes[node] as { address: string }).address;
  }

  set(link: Host | 'uplink', settings: LinkSettings, direction: 'up' | 'down' | 'both' = 'both'): Promise<string> {
    return this.#command('set', link, '--direction', direction, ...optionsOf(settings));
  }

  cut(link: Host | 'uplink'): Promise<string> {
    return this.#command('cut', link);
  }

  heal(link: Host | 'uplink'): Promise<string> {
    return this.#command('heal', link);
  }

  blockUdp(host: Host): Promise<string> {
    return this.#command('block-udp', host);
  }

  unblockUdp(host: Host): Promise<string> {
    return this.#command('unblock-udp', host);
  }

  /** Gives a host's NAT another public address. @returns that address */
  async renumber(host: 'alice' | 'bob'): Promise<string> {
    return (await this.#command('renumber', host)).trim();
  }

  /** Records the packets at the outermost device of a node, or at a device of it (`nata:lan0`), from now on. */
  async capture(place: Node | `${Node}:${string}`): Promise<Capture> {
    const file = join(this.directory(), 'pcap');
    const tcpdump = startProgram('capture', [python(), LAB, 'capture', place, file], { env: environment(this.name) });
    await tcpdump.waitFor(/listening on/);
    return {
      stop: async () => {
        await tcpdump.stop('SIGINT');
        const { stdout } = await run(python(), [LAB, 'flows', '--json', file], { maxBuffer: 1 << 26 });
        return new Flows(JSON.parse(stdout) as Flow[]);
      },
    };
  }

  async #command(...args: readonly string[]): Promise<string> {
    return (await run(python(), [LAB, ...args], { env: environment(this.name) })).stdout;
  }

  async #status(): Promise<Status> {
    return JSON.parse(await this.#command('status', '--json')) as Status;
  }
}

interface Status {
  readonly topology: string;
  readonly kinds: Readonly<Record<string, Kind>>;
  readonly nodes: Readonly<Record<string, { readonly address: string | null }>>;
}

export interface Capture {
  /** Ends the capture and returns what passed. */
  stop(): Promise<Flows>;
}

/** The captured packets: bytes between each two hosts. */
export class Flows {
  readonly all: readonly Flow[];

  constructor(all: readonly Flow[]) {
    this.all = all;
  }

  /** Bytes of IP packets both ways between two addresses, or between one and everybody. */
  bytes(options: {
    readonly between?: readonly [string, string];
    readonly with?: string;
    readonly by?: string;
  }): number {
    const { between, by } = options;
    const matching = this.all.filter(
      ({ protocol, source, target }) =>
        (by === undefined || by === protocol) &&
        (between === undefined || (between.includes(source) && between.includes(target))) &&
        (options.with === undefined || options.with === source || options.with === target),
    );
    return matching.reduce((sum, { sentBytes, receivedBytes }) => sum + sentBytes + receivedBytes, 0);
  }

  toString(): string {
    return this.all
      .map(
        (f) =>
          `${f.protocol} ${f.source}.${f.sourcePort} > ${f.target}.${f.targetPort}: ${f.sentBytes} + ${f.receivedBytes}`,
      )
      .join('\n');
  }
}
