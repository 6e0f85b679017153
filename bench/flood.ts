/**
 * How long a new client with the right secret needs, from its exec to the answer of the daemon, while a flood sends the daemon
 * garbage of a kind that costs it something, evenly paced, or guesses secrets.
 *
 *     node dist/bench/flood.js [PACKETS_PER_SECOND [GUESSES_PER_SECOND [CLIENTS_EACH [KIND…]]]]     15000, 400, 10 by default; all kinds
 */
import { systemClock } from '../src/base/clock.js';
import { silentLogger } from '../src/base/logger.js';
import { systemRandom } from '../src/base/random.js';
import { ControlClient } from '../src/control/client.js';
import { PublicKey } from '../src/tox/crypto/keys.js';
import { ToxId } from '../src/tox/crypto/tox-id.js';
import { newSavedata } from '../src/tox/savedata.js';
import { Tox } from '../src/tox/tox.js';
import { FORGERS } from '../test/scenario/support/hostile-packets.js';
import { Wiretap } from '../test/scenario/support/wiretap.js';
import { ROOT, startProgram, startTuntox } from '../test/support/processes.js';
import { type BenchDaemon, startDaemon } from './support/daemon.js';
import { atMost, type Figure } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { keep, startNode, startOneNode, stop, whileAllRun } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { median, most } from './support/statistics.js';
import { usageDuring } from './support/usage.js';

const [packets = '15000', guesses = '400', clients = '10', ...named] = benchmarkArguments;
const KINDS = named.length > 0 ? named : ['none', ...Object.keys(FORGERS), 'guesses'];
/** Besides the daemon; with one alone, every second hop of a path would be the daemon that is flooded. */
const NODES = 5;
/** s that a client tries; and the marks. */
const PATIENCE = 60;
const MEDIAN = 3;
const WORST = 10;
/** ms of flood before the first client, in which limits are used up. */
const WARM_UP = 2_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Learns the DHT key of the daemon from its packets to an admitted client. */
async function dhtKeyOf({ toxId, secret }: BenchDaemon, port: number, node: string): Promise<string> {
  const wiretap = new Wiretap();
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger, openSocket: wiretap.open };
  const flags = { ports: { first: 1024, last: 65_535 }, ipv6: false, lanDiscovery: false };
  const peer = new Tox(deps, { ...flags, savedata: newSavedata(systemRandom) });
  await peer.start();
  const [host = '', nodePort, key] = node.split(':');
  peer.bootstrap({ host, port: Number(nodePort), publicKey: PublicKey.parse(key ?? '') as PublicKey });
  const friend = peer.addFriend(ToxId.parse(toxId) as ToxId, Buffer.from(`${secret}\0`));
  await new Promise<void>((resolve) => friend.onPresence((presence) => presence === 'online' && resolve()));
  await pause(1_000);
  await peer.stop();
  const dhtKey = wiretap.keyAt(`127.0.0.1:${port}`);
  if (dhtKey === undefined) throw new Error('the daemon has not shown its DHT key');
  return dhtKey.hex;
}

/** @returns s; the patience where it was not let in */
async function visit({ toxId, secret }: BenchDaemon, nodes: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const args = ['-p', '-i', toxId, ...nodes.flatMap((node) => ['--bootstrap', node])];
  const client = startTuntox(args, { name: 'client', env: { TUNTOX_SHARED_SECRET: secret } });
  const status = await Promise.race([client.exited, pause(PATIENCE * 1_000)]);
  await client.stop();
  return status === 0 ? (performance.now() - startedAt) / 1000 : PATIENCE;
}

await runBenchmark('A new client beside a flood', async () => {
  const node = await startNode();
  const nodes = [node];
  while (nodes.length < NODES) nodes.push((await startOneNode([node])).address);
  const daemon = await startDaemon(nodes);
  const owner = await ControlClient.connect(systemClock, { path: daemon.socket, client: 'benchmark', timeout: 10_000 });
  const port = (await owner.call('net', {})).udpPort ?? 0;
  owner.close();
  const dhtKey = await dhtKeyOf(daemon, port, node);
  const [, nodePort = '', nodeKey = ''] = node.split(':');
  const figures: Figure[] = [];
  for (const kind of KINDS) {
    const rate = kind === 'guesses' ? guesses : packets;
    const victim = [String(port), daemon.toxId, dhtKey, nodePort, nodeKey];
    const program = [process.execPath, `${ROOT}/dist/bench/support/flood-sender.js`, kind, rate, ...victim];
    const flood = kind === 'none' ? undefined : keep(startProgram('flood', program));
    await flood?.waitFor(/sending/);
    await pause(WARM_UP);
    const seconds: number[] = [];
    const visits = (async () => {
      while (seconds.length < Number(clients)) {
        showProgress(`${kind}: client ${seconds.length + 1} of ${clients}`);
        seconds.push(await visit(daemon, nodes));
      }
    })();
    const [usage] = await usageDuring(whileAllRun(visits), [daemon.process]);
    if (flood !== undefined) await stop(flood);
    const what = kind === 'none' ? 'no flood' : `${kind}, ${rate}/s`;
    const note = `processor of the daemon ${usage?.processor.toFixed(0)} %`;
    figures.push(
      { what, measured: `${median(seconds).toFixed(2)} s`, mark: atMost(median(seconds), MEDIAN, 's'), note },
      { what: '  worst', measured: `${most(seconds).toFixed(2)} s`, mark: atMost(most(seconds), WORST, 's') },
    );
  }
  return figures;
});
