/** A long transfer of the real command in a lab, both ways at once, and when its bytes arrived. */
import type { Lab } from './lab.js';
import { startTuntoxIn } from './lab-tunnel.js';
import type { Process } from './processes.js';

const SERVICE_PORT = 9000;
const LOCAL_PORT = 8000;
/** ms until the first bytes come: a guard against hanging. */
const PATIENCE = 60_000;

/** Ms of the monotonic clock, and the bytes that had arrived by then. */
type Arrival = readonly [at: number, bytes: number];

/** One direction: the sender and the receiver. */
interface OneWay {
  readonly from: Process;
  readonly to: Process;
}

export const monotonicNow = (): number => Number(process.hrtime.bigint()) / 1e6;

export class LabExchange {
  readonly server: Process;
  readonly client: Process;
  readonly #ways: readonly OneWay[];

  private constructor(ways: readonly OneWay[], commands: { server: Process; client: Process }) {
    this.#ways = ways;
    this.server = commands.server;
    this.client = commands.client;
  }

  /** Between a service behind bob's server and alice's client. @param options.args for both commands */
  static async start(lab: Lab, { args }: { readonly args: readonly string[] }): Promise<LabExchange> {
    const service = await lab.startProbe('bob', 'serve_swap', SERVICE_PORT, 1);
    const server = startTuntoxIn(lab, 'bob', 'server', ['-C', lab.directory(), '-d', ...args]);
    const [toxId] = await server.waitFor(/^[0-9A-F]{76}$/m);
    const user = await lab.startProbe('alice', 'swap', LOCAL_PORT, 2);
    const forward = `${LOCAL_PORT}:127.0.0.1:${SERVICE_PORT}`;
    const client = startTuntoxIn(lab, 'alice', 'client', ['-i', toxId, '-L', forward, '-d', ...args]);
    const ways = [
      { from: service, to: user },
      { from: user, to: service },
    ];
    const exchange = new LabExchange(ways, { server, client });
    await Promise.all(ways.map(({ to }) => to.waitFor(/^at /m, PATIENCE)));
    return exchange;
  }

  /** Bytes that have come by the slower direction. */
  get arrived(): number {
    return Math.min(...this.#ways.map(({ to }) => arrivalsAt(to).at(-1)?.[1] ?? 0));
  }

  /** Waits until both directions have brought so many bytes. */
  async reach(bytes: number, patience: number): Promise<void> {
    const deadline = monotonicNow() + patience;
    while (this.arrived < bytes) {
      if (monotonicNow() > deadline) throw new Error(`not ${bytes} bytes within ${patience} ms\n${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it, and waits until every byte has arrived both ways, unchanged. @throws Error (rejects) with the output of both commands */
  async finish(patience: number): Promise<void> {
    try {
      for (const { from } of this.#ways) from.child.stdin.write('end\n');
      for (const { from, to } of this.#ways) {
        const [, sent] = await from.waitFor(/^sent (\d+ [0-9a-f]{64})$/m, patience);
        const [, came] = await to.waitFor(/^came (\d+ [0-9a-f]{64})$/m, patience);
        if (sent !== came) throw new Error(`sent ${sent}, came ${came}`);
      }
    } catch (error) {
      throw new Error(`${error}\n${this.#log}`);
    } finally {
      await this.client.stop();
      await this.server.stop();
    }
  }

  /** The longest time since a moment in which nothing came by one of the directions, ms. */
  pauseSince(since: number): number {
    return Math.max(...this.#ways.map(({ to }) => longestPause(arrivalsAt(to), since)));
  }

  get #log(): string {
    return `--- client\n${this.client.stderr.slice(-6000)}\n--- server\n${this.server.stderr.slice(-6000)}`;
  }
}

function arrivalsAt({ stdout }: Process): Arrival[] {
  return [...stdout.matchAll(/^at (\d+) (\d+)$/gm)].map(([, at, bytes]) => [Number(at), Number(bytes)]);
}

function longestPause(arrivals: readonly Arrival[], since: number): number {
  let longest = 0;
  let last = since;
  for (const [at] of arrivals) {
    if (at <= since) continue;
    longest = Math.max(longest, at - last);
    last = at;
  }
  return longest;
}
