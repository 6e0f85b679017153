/**
 * Throughput and round trips over a TCP relay on loopback, between two peers of ours that have no UDP, and in the same run
 * what a bare sender gets through the same relay: it fills the relay's socket with packets of the same size, and counts those
 * that arrive. The relays: tox-bootstrapd, which polls its sockets every 30 ms and drops what the receiver's socket does not take
 * at once, and our own. In the first round of each the bytes are checked end to end, which costs a tenth of the rate.
 *
 *     node dist/bench/relay.js [MiB for each transfer, 128 by default] [rounds, 3 by default]
 */
import { join } from 'node:path';
import { C_WORLD } from '../test/support/c-peer.js';
import { type Process, ROOT, startBootstrapd, startProgram } from '../test/support/processes.js';
import { atLeast, type Figure, short, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { keep, startNode, stop, whileAllRun } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import type { RelayDispatch, RelayReceipt } from './support/relay-peer.js';
import { median } from './support/statistics.js';

const [mebibytes = 128, rounds = 3] = benchmarkArguments.map(Number);
const size = mebibytes * 2 ** 20;
/** ms; a guard against hanging. */
const PATIENCE = 300_000;
/** ms for the sender's report when the receiver has all. */
const LAST_WORD = 2_000;
/** Payload bytes of a packet. */
const PAYLOAD = 1373;

interface Result {
  /** MB/s that arrived. */
  readonly rate: number;
  /** Part of the packets that did not; undefined when all stood still before the sender had sent them. */
  readonly lost: number | undefined;
  readonly dispatch: RelayDispatch | undefined;
}

/**
 * Moves the bytes between two new peers at the relay.
 * @param isHashed whether they are compared as well
 * @param peers of this measurement, the sender first: to be stopped afterwards
 */
async function measure(kind: 'tox' | 'bare', relay: string, isHashed: boolean, peers: Process[]): Promise<Result> {
  const start = (role: string, ...more: string[]): Process => {
    const program = join(ROOT, 'dist/bench/support/relay-peer.js');
    const command = [
      process.execPath,
      program,
      kind,
      role,
      relay,
      String(size),
      isHashed ? 'hashed' : 'counted',
      ...more,
    ];
    const peer = keep(startProgram(`${kind} ${role}`, command));
    peers.unshift(peer);
    return peer;
  };
  const receiver = start('receive');
  const [, peer = ''] = await receiver.waitFor(/"peer":"([0-9A-F]+)"/i);
  const sender = start('send', peer);
  const report = /^\{"packets".*\}$/m;
  const receipt = JSON.parse((await receiver.waitFor(report, PATIENCE))[0]) as RelayReceipt;
  const sent = await sender.waitFor(report, LAST_WORD).then(
    ([text]) => text,
    () => undefined,
  );
  const rate = (receipt.packets * PAYLOAD) / 1000 / receipt.milliseconds;
  if (sent === undefined) return { rate, lost: undefined, dispatch: undefined };
  const dispatch = JSON.parse(sent) as RelayDispatch;
  const isWhole = receipt.packets === dispatch.packets;
  if (kind === 'tox' && isWhole && receipt.digest !== dispatch.digest) throw new Error('checksums differ');
  return { rate, lost: 1 - receipt.packets / dispatch.packets, dispatch };
}

/** @param least MB/s, and percent of what the bare sender gets, if that is a mark */
async function figuresOf(name: string, relay: string, least: { rate: number; share?: number }): Promise<Figure[]> {
  const bare: Result[] = [];
  const ours: Result[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [kind, results] of [
      ['bare', bare],
      ['tox', ours],
    ] as const) {
      showProgress(`${name}: ${kind}, round ${round} of ${rounds}`);
      const peers: Process[] = [];
      results.push(await whileAllRun(measure(kind, relay, round === 1, peers)));
      for (const peer of peers) await stop(peer);
    }
  }
  const ofBare = median(bare.map(({ rate }) => rate));
  const ofOurs = median(ours.map(({ rate }) => rate));
  const trips = (when: 'idle' | 'busy', value: 'median' | 'most'): string =>
    short(median(ours.flatMap(({ dispatch }) => dispatch?.[when]?.[value] ?? [])));
  const stalls = (results: readonly Result[]): string => {
    const count = results.filter(({ lost }) => lost === undefined).length;
    return count === 0 ? '' : `, stood still in ${count} of ${results.length}`;
  };
  const lost = bare.flatMap((result) => result.lost ?? []);
  return [
    {
      what: name,
      measured: spread(
        ours.map(({ rate }) => rate),
        'MB/s',
      ),
      mark: atLeast(ofOurs, least.rate, 'MB/s'),
      note: `${mebibytes} MiB${stalls(ours)}`,
    },
    {
      what: '  bare sender',
      measured: spread(
        bare.map(({ rate }) => rate),
        'MB/s',
      ),
      note: `${lost.length === 0 ? '' : `${short(100 * median(lost))} % lost`}${stalls(bare)}`,
    },
    {
      what: '  of the bare sender',
      measured: `${short((100 * ofOurs) / ofBare)} %`,
      mark: least.share === undefined ? undefined : atLeast((100 * ofOurs) / ofBare, least.share, '%'),
    },
    { what: '  round trip, idle', measured: `${trips('idle', 'median')} ms, 95 %: ${trips('idle', 'most')} ms` },
    { what: '  beside the transfer', measured: `${trips('busy', 'median')} ms, 95 %: ${trips('busy', 'most')} ms` },
  ];
}

await runBenchmark('Throughput over a TCP relay', async () => {
  const missing = C_WORLD.filter(({ isMet }) => !isMet);
  const figures: Figure[] = missing.map(({ reason }) => ({ what: 'tox-bootstrapd', measured: `left out: ${reason}` }));
  if (missing.length === 0) {
    const node = await startBootstrapd({ isRelay: true });
    keep(node.process);
    figures.push(...(await figuresOf('tox-bootstrapd', node.argument, { rate: 8, share: 90 })));
  }
  figures.push(...(await figuresOf('our relay', await startNode(), { rate: 40 })));
  return figures;
});
