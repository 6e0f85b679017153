/** Two peers in a lab, one of which may be libtoxcore's, a network of nodes for them, and the way by which they meet. */
import { type Flows, Lab, type Owner } from '../../support/lab.js';
import { bytesByWay, captureRoute, type Way } from '../../support/lab-route.js';
import { type Download, LabTunnel, startBootstrapdIn, startNodeAtHub } from '../../support/lab-tunnel.js';
import { isUntranslated, type Topology } from '../topologies.js';

/** ms, one way, of alice's and bob's links. */
const DELAY = 5;
/** libtoxcore punches no hole before four nodes tell it the address of its friend (do_nat in DHT.c). */
const NODES_BESIDE_HUB = ['h1', 'h2', 'h3', 'h4'] as const;

export interface MeetingOptions {
  /** Bytes of each download. */
  readonly length: number;
  /** Who is libtoxcore's; without, both are ours, and the hub is the only node. */
  readonly libtoxcore?: 'server' | 'client' | undefined;
}

export interface Settled {
  readonly first: Download;
  readonly second: Download;
  /** Of the second download. */
  readonly bytes: Readonly<Record<Way, number>>;
  readonly flows: Flows;
}

export class Meeting {
  readonly #lab: Lab;
  readonly #topology: Topology;
  readonly tunnel: LabTunnel;

  constructor(lab: Lab, topology: Topology, tunnel: LabTunnel) {
    this.#lab = lab;
    this.#topology = topology;
    this.tunnel = tunnel;
  }

  /** Downloads, and `pause` ms after the first byte again, which is what is looked at. */
  async settled(pause: number): Promise<Settled> {
    const place = { ...this.#topology, isUntranslated: isUntranslated(this.#topology) };
    const client = await this.tunnel.connect();
    try {
      const first = await client.first();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, pause - first.rest)));
      const capture = await captureRoute(this.#lab, place);
      const second = await client.again();
      const flows = await capture.stop();
      return { first, second, flows, bytes: await bytesByWay(this.#lab, flows, place) };
    } finally {
      await client.stop();
    }
  }
}

/** Brings all up but the client. */
export async function startMeeting(owner: Owner, topology: Topology, options: MeetingOptions): Promise<Meeting> {
  const { length, libtoxcore } = options;
  const hasMany = libtoxcore !== undefined && topology.isPunched === true;
  const hosts = hasMany ? NODES_BESIDE_HUB.length : 0;
  const lab = await Lab.up(owner, { delay: DELAY, hosts, ...topology.options });
  const nodes = topology.hasBootstrapNode ? [await startNodeAtHub(lab)] : [];
  if (hasMany) await Promise.all(NODES_BESIDE_HUB.map((host) => startBootstrapdIn(lab, host, nodes)));
  const tunnel = await LabTunnel.start(lab, {
    args: [...nodes.flatMap((node) => ['--bootstrap', node]), ...(topology.args ?? [])],
    clientArgs: topology.clientArgs ?? [],
    length,
    ...(libtoxcore && { libtoxcore: { role: libtoxcore, args: libtoxcoreArgs(topology, nodes) } }),
  });
  return new Meeting(lab, topology, tunnel);
}

function libtoxcoreArgs(topology: Topology, nodes: readonly string[]): string[] {
  return [
    // libtoxcore wants IPv6 addresses without brackets.
    ...nodes.map((node) => node.replace(/[[\]]/g, '')).flatMap((node) => ['--bootstrap', node, '--relay', node]),
    ...(isUntranslated(topology) ? ['--ipv6'] : []),
    // On the port that Tox programs prefer; those on others hear of us only when their own broadcasts come to our port.
    ...(topology.hasBootstrapNode ? [] : ['--lan', '--port', '33445']),
  ];
}
