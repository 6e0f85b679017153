/** Changes of the network during a transfer. Each is a sequence of steps in one lab, with short pauses or long ones. */
import { type Flows, type Host, Lab, type LabOptions, type Owner } from '../support/lab.js';
import { LabExchange, monotonicNow } from '../support/lab-exchange.js';
import { startNode } from '../support/lab-tunnel.js';
import type { Process } from '../support/processes.js';

/** How long a story is. */
export interface Measure {
  /** Bytes each way at the least; it lasts as long as its story. */
  readonly length: number;
  /** Mbit/s of alice's and of bob's link. */
  readonly rate: number;
  /** ms that a line is cut, or UDP blocked. */
  readonly outage: number;
  /** ms that something may take, a guard against hanging: the silence after which a friend is given up is not reached. */
  readonly patience: number;
}

export const SHORT: Measure = { length: 8 << 20, rate: 16, outage: 3000, patience: 60_000 };
export const WHOLE: Measure = { length: 200 << 20, rate: 40, outage: 20_000, patience: 900_000 };

export interface Change {
  readonly name: string;
  readonly options: LabOptions;
  /** Public hosts that run a node with a relay; a node without one is at the hub. */
  readonly relays: readonly Host[];
  readonly story: (stage: Stage, check: Check) => Promise<void>;
}

/** Judges what the wire shows. */
export type Check = (isRight: boolean, what: string) => void;

/** Bytes that have to come both ways after something happened, before the next thing may. */
const SIGN_OF_LIFE = 1 << 20;
/** ms of a look at the wire. */
const LOOK = 1500;
/** Bytes in a look: what a way carries that is in use, and what the others may carry. */
const MUCH = 200_000;
const LITTLE = 50_000;

/** A lab with a transfer under way. */
export class Stage {
  readonly lab: Lab;
  readonly measure: Measure;
  readonly exchange: LabExchange;
  readonly relays: ReadonlyMap<Host, Process>;
  /** What happened, and how long nothing came then, ms. */
  readonly pauses: { readonly what: string; readonly length: number }[] = [];

  private constructor(lab: Lab, measure: Measure, exchange: LabExchange, relays: ReadonlyMap<Host, Process>) {
    this.lab = lab;
    this.measure = measure;
    this.exchange = exchange;
    this.relays = relays;
  }

  static async set(owner: Owner, { options, relays: hosts }: Change, measure: Measure): Promise<Stage> {
    const { rate } = measure;
    const lab = await Lab.up(owner, { delay: 5, rate, hosts: 2, ...options });
    const relays = new Map<Host, Process>();
    const entries: string[] = [];
    for (const host of new Set<Host>(['hub', ...hosts])) {
      const isRelay = hosts.includes(host);
      const node = await startNode(lab, host, { isRelay });
      entries.push(node.entry);
      if (isRelay) relays.set(host, node.process);
    }
    const args = entries.flatMap((entry) => ['--bootstrap', entry]);
    const exchange = await LabExchange.start(lab, { args });
    const stage = new Stage(lab, measure, exchange, relays);
    await stage.goOn();
    return stage;
  }

  /** A change happens, and the transfer continues; the pause starts after the change. */
  async after(what: string, event: Promise<unknown>): Promise<void> {
    await event;
    const since = monotonicNow();
    await this.goOn();
    this.pauses.push({ what, length: this.exchange.pauseSince(since) });
  }

  /** Waits until more has come, both ways. */
  async goOn(): Promise<void> {
    await this.exchange.reach(this.exchange.arrived + SIGN_OF_LIFE, this.measure.patience);
  }

  /** Nothing is to be expected for the length of an outage. */
  async outage(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.measure.outage));
  }

  /** What alice exchanges with the world for a moment. */
  async look(): Promise<Flows> {
    const capture = await this.lab.capture('nata');
    await new Promise((resolve) => setTimeout(resolve, LOOK));
    return capture.stop();
  }

  /** Bytes that alice exchanges for a moment with bob, by UDP, and with all relays, by TCP. */
  async routes(): Promise<{ readonly direct: number; readonly relayed: number }> {
    const flows = await this.look();
    const between = [await this.lab.addressOutside('alice'), await this.lab.addressOutside('bob')] as const;
    const relayed = await this.#relayed(flows);
    return {
      direct: flows.bytes({ between, by: 'udp' }),
      relayed: relayed.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** How often the two have logged another path. */
  get waysTaken(): number {
    const { client, server } = this.exchange;
    return [client, server].flatMap(({ stderr }) => stderr.match(/packets go /g) ?? []).length;
  }

  /** The relay that carries most at present. */
  async busiestRelay(): Promise<Host> {
    return (await this.#relayed(await this.look())).reduce((a, b) => (b.bytes > a.bytes ? b : a)).host;
  }

  async #relayed(flows: Flows): Promise<{ readonly host: Host; readonly bytes: number }[]> {
    const relayed: { host: Host; bytes: number }[] = [];
    for (const host of this.relays.keys()) {
      relayed.push({ host, bytes: flows.bytes({ with: await this.lab.addressOf(host), by: 'tcp' }) });
    }
    return relayed;
  }

  /** Waits until everything has arrived both ways, and right. */
  async finish(): Promise<void> {
    await this.exchange.reach(this.measure.length, this.measure.patience);
    return this.exchange.finish(this.measure.patience);
  }
}

/** Where datagrams in one direction vanish: at alice's router, or in her own system, which then refuses to send. */
const ONE_WAY = {
  'what alice sends by UDP': { node: 'nata', hook: 'forward', match: 'ip saddr 10.1.0.10' },
  'what is sent to alice by UDP': { node: 'nata', hook: 'forward', match: 'ip daddr 10.1.0.10' },
  "what alice's own system lets nobody send by UDP": { node: 'alice', hook: 'output', match: 'oifname != "lo"' },
} as const;

/** The table of rules that makes it so. */
const TABLE = 'one_way';

const oneWay = (what: keyof typeof ONE_WAY): Change => ({
  name: `${what} is lost, and arrives again: a relay carries on, and only meanwhile`,
  options: { topology: 'nat' },
  relays: ['hub'],
  story: async (stage, check) => {
    const { node, hook, match } = ONE_WAY[what];
    const rules =
      `add table inet ${TABLE}; add chain inet ${TABLE} drops { type filter hook ${hook} priority 0; }; ` +
      `add rule inet ${TABLE} drops ${match} meta l4proto udp drop`;
    await stage.after(`${what} lost`, stage.lab.exec(node, 'nft', rules));
    const oneWayOnly = await stage.routes();
    const ways = stage.waysTaken;
    check(oneWayOnly.relayed > MUCH, `${oneWayOnly.relayed} bytes by the relay while UDP works one way`);
    check(oneWayOnly.direct < LITTLE, `${oneWayOnly.direct} directly: what is tried`);
    await stage.outage();
    check(stage.waysTaken === ways, `${stage.waysTaken - ways} further changes of the way`);
    await stage.after(`${what} not lost any more`, stage.lab.exec(node, 'nft', `delete table inet ${TABLE}`));
    await stage.goOn();
    const bothWays = await stage.routes();
    check(bothWays.direct > MUCH, `${bothWays.direct} bytes directly when both directions work`);
    check(bothWays.relayed < LITTLE, `${bothWays.relayed} by the relay`);
  },
});

export const CHANGES: readonly Change[] = [
  {
    name: 'both NATs get other addresses, one after the other and at once, and the line is cut',
    options: { topology: 'nat' },
    relays: [],
    story: async (stage) => {
      const { lab } = stage;
      await stage.after('alice renumbered', lab.renumber('alice'));
      await stage.after('bob renumbered', lab.renumber('bob'));
      await lab.cut('alice');
      await stage.outage();
      await stage.after('cut healed', lab.heal('alice'));
      await stage.after('both renumbered', Promise.all([lab.renumber('alice').then(() => lab.renumber('bob'))]));
    },
  },
  {
    name: 'duplicates, disorder and 5 % loss, with a cut',
    options: { topology: 'nat' },
    relays: [],
    story: async (stage) => {
      const { lab } = stage;
      await stage.after('faults begin', lab.set('alice', { loss: 5, duplicate: 3, reorder: 5 }));
      await lab.cut('bob');
      await stage.outage();
      await stage.after('cut healed', lab.heal('bob'));
      await stage.after('bob renumbered', lab.renumber('bob'));
    },
  },
  {
    name: 'large packets vanish: smaller ones carry on, and what was under way arrives',
    options: { topology: 'nat' },
    relays: [],
    story: async (stage) => {
      const { lab } = stage;
      await stage.after('those above 1,400 bytes at alice', lab.set('alice', { blackhole: 1400 }));
      await stage.after('those above 1,300 bytes at bob', lab.set('bob', { blackhole: 1300 }));
    },
  },
  {
    name: 'UDP is blocked and opened again: a relay carries on, and only meanwhile',
    options: { topology: 'nat' },
    relays: ['hub'],
    story: async (stage, check) => {
      await stage.after('UDP blocked', stage.lab.blockUdp('alice'));
      const blocked = await stage.routes();
      check(blocked.relayed > MUCH, `${blocked.relayed} bytes by the relay while UDP is blocked`);
      check(blocked.direct < LITTLE, `${blocked.direct} directly: what bob tries, as seen outside`);
      await stage.outage();
      await stage.after('UDP opened', stage.lab.unblockUdp('alice'));
      await stage.goOn();
      const opened = await stage.routes();
      check(opened.direct > MUCH, `${opened.direct} bytes directly when it is opened`);
      check(opened.relayed < LITTLE, `${opened.relayed} by the relay`);
    },
  },
  oneWay('what alice sends by UDP'),
  oneWay('what is sent to alice by UDP'),
  oneWay("what alice's own system lets nobody send by UDP"),
  {
    name: 'the relay that carries all is killed',
    options: { topology: 'udp-blocked' },
    relays: ['h1', 'h2'],
    story: async (stage) => {
      const carrier = await stage.busiestRelay();
      await stage.after(`relay at ${carrier} killed`, Promise.resolve(stage.relays.get(carrier)?.kill('SIGKILL')));
    },
  },
];
