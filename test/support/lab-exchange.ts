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

/** ms that it lasted, and from the moment in question to its end. */
export interface Stall {
  readonly length: number;
  readonly end: number;
}

/** One direction: who sends, and who receives. */
interface OneWay {
  readonly from: Process;
  readonly to: Process;
}

export const monotonicNow = (): number => Number(process.hrtime.bigint()) / 1e6;

export class LabExchange {
  readonly server: Process;
  readonly client: Process;
  readonly #length: number;
  readonly #ways: readonly OneWay[];

  private constructor(length: number, ways: readonly OneWay[], commands: { server: Process; client: Process }) {
    this.#length = length;
    this.#ways = ways;
    this.server = commands.server;
    this.client = commands.client;
  }

  /** Between a service behind bob's server and alice's client. @param options.args for both commands */
  static async start(
    lab: Lab,
    { args, length }: { readonly args: readonly string[]; readonly length: number },
  ): Promise<LabExchange> {
    const service = await lab.startProbe('bob', 'serve_swap', SERVICE_PORT, length, 1);
    const server = startTuntoxIn(lab, 'bob', 'server', ['-C', lab.directory(), '-d', ...args]);
    const [toxId] = await server.waitFor(/^[0-9A-F]{76}$/m);
    const user = await lab.startProbe('alice', 'swap', LOCAL_PORT, length, 2);
    const forward = `${LOCAL_PORT}:127.0.0.1:${SERVICE_PORT}`;
    const client = startTuntoxIn(lab, 'alice', 'client', ['-i', toxId, '-L', forward, '-d', ...args]);
    const ways = [
      { from: service, to: user },
      { from: user, to: service },
    ];
    const exchange = new LabExchange(length, ways, { server, client });
    await Promise.all(ways.map(({ to }) => to.waitFor(/^at /m, PATIENCE)));
    return exchange;
  }

  /** Waits until both directions have brought so many bytes. */
  async reach(bytes: number, patience: number): Promise<void> {
    const deadline = monotonicNow() + patience;
    while (this.#ways.some(({ to }) => (arrivalsAt(to).at(-1)?.[1] ?? 0) < bytes)) {
      if (monotonicNow() > deadline) throw new Error(`not ${bytes} bytes within ${patience} ms\n${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Waits for the end of both directions. @returns whether every byte arrived, and right */
  async finish(patience: number): Promise<boolean> {
    try {
      const ends = await Promise.all(
        this.#ways.map(async ({ from, to }) => {
          const [, length, sha256] = await to.waitFor(/^done (\d+) ([0-9a-f]{64})$/m, patience);
          const [, expected] = await from.waitFor(/^ready ([0-9a-f]{64})$/m);
          return Number(length) === this.#length && sha256 === expected;
        }),
      );
      return ends.every((isRight) => isRight);
    } catch (error) {
      throw new Error(`${error}\n${this.#log}`);
    } finally {
      await this.client.stop();
      await this.server.stop();
    }
  }

  /** The longest time since a moment in which nothing came by one of the directions. */
  stall(since: number, until = monotonicNow()): Stall {
    const [one, other] = this.#ways.map(({ to }) => stallOf(arrivalsAt(to), since, until)) as [Stall, Stall];
    return one.length >= other.length ? one : other;
  }

  get #log(): string {
    return `--- client\n${this.client.stderr.slice(-6000)}\n--- server\n${this.server.stderr.slice(-6000)}`;
  }
}

function arrivalsAt({ stdout }: Process): Arrival[] {
  return [...stdout.matchAll(/^at (\d+) (\d+)$/gm)].map(([, at, bytes]) => [Number(at), Number(bytes)]);
}

function stallOf(arrivals: readonly Arrival[], since: number, until: number): Stall {
  const times = [since, ...arrivals.map(([at]) => at).filter((at) => at > since && at < until), until];
  let longest: Stall = { length: 0, end: 0 };
  for (const [index, at] of times.slice(1).entries()) {
    const length = at - (times[index] as number);
    if (length > longest.length) longest = { length, end: at - since };
  }
  return longest;
}
