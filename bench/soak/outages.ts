/**
 * Outages in the lab (test/lab): the server's line is cut, or its process is stopped, for a while; and how soon afterwards a
 * client that was connected before, and a new one, reach the service behind it. No process is restarted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, type LabOptions, type Owner } from '../../test/support/lab.js';
import { LabTunnel, startNodeAtHub } from '../../test/support/lab-tunnel.js';

/** ms, one way, of alice's and bob's links. */
const DELAY = 5;
/** ms that everything runs before the outage, by default. */
const UPTIME = 10_000;
/** Of the client that stays. */
const PORT = 8001;
/** Bytes that the service sends to each connection. */
const LENGTH = 1_000;
/** ms after the end of the outage in which the service must be reached: a guard against hanging, not the mark. */
const PATIENCE = 180_000;

export interface Outage {
  readonly name: string;
  begin(lab: Lab, tunnel: LabTunnel): Promise<unknown>;
  end(lab: Lab, tunnel: LabTunnel): Promise<unknown>;
}

export const CUT: Outage = {
  name: "the server's line cut",
  begin: (lab) => lab.cut('bob'),
  end: (lab) => lab.heal('bob'),
};

export const STOP: Outage = {
  name: 'the server stopped',
  begin: async (_lab, { server }) => signal(server.pid, 'SIGSTOP'),
  end: async (_lab, { server }) => signal(server.pid, 'SIGCONT'),
};

/** ms from the end of the outage to the first byte of the service. */
export interface Recovery {
  /** Through the client that was there before. */
  readonly present: number;
  /** From exec of a client with a new identity. */
  readonly newcomer: number;
  /** What such a client needed before the outage, when that is measured: on a busy machine most of it is the machine's. */
  readonly before?: number;
}

/** Has a tunnel suffer an outage. @throws Error (rejects) when the service is not reached again */
export async function suffer(
  owner: Owner,
  outage: Outage,
  options: {
    readonly duration: number;
    readonly uptime?: number;
    readonly isCompared?: boolean;
    readonly lab?: LabOptions;
  },
): Promise<Recovery> {
  const lab = await Lab.up(owner, { topology: 'nat', delay: DELAY, ...options.lab });
  const tunnel = await LabTunnel.start(lab, { args: ['--bootstrap', await startNodeAtHub(lab)], length: LENGTH });
  const client = tunnel.startClient(PORT);
  await reach(lab);
  await sleep(options.uptime ?? UPTIME);
  const before = options.isCompared ? { before: (await tunnel.download()).firstByte } : {};
  await outage.begin(lab, tunnel);
  await sleep(options.duration);
  await outage.end(lab, tunnel);
  try {
    const [present, { firstByte, isWhole }] = await Promise.all([reach(lab), tunnel.download()]);
    if (!isWhole) throw new Error('what the service sent did not arrive whole');
    return { present, newcomer: firstByte, ...before };
  } catch (error) {
    throw new Error(`${error}\n--- the client that was there before\n${client.stderr}`);
  }
}

/** ms until the service is reached through the client that stays. */
async function reach(lab: Lab): Promise<number> {
  const probe = await lab.startProbe('alice', 'reach', PORT);
  const [text] = await probe.waitFor(/^[0-9]+$/m, PATIENCE);
  return Number(text);
}

const signal = (pid: number, name: NodeJS.Signals): boolean => process.kill(pid, name);
