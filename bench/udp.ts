/**
 * A stream of datagrams from alice to bob in the lab: its loss and its delay through a tunnel, beside those of the link itself.
 *
 *     node dist/bench/udp.js [seconds of each stream]
 */
import { join } from 'node:path';
import type { Lab, LinkSettings } from '../test/support/lab.js';
import { startNodeAtHub, startTuntoxIn } from '../test/support/lab-tunnel.js';
import { ROOT } from '../test/support/processes.js';
import { inLab } from './support/bench-lab.js';
import { atMost, type Figure } from './support/figures.js';
import { startLabService } from './support/link-tunnels.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';

const [seconds = 10] = benchmarkArguments.map(Number);
const MEGABITS = 20;
const [SINK_PORT, UDP_PORT, TCP_PORT] = [7000, 7001, 7002] as const;
const SUPPORT = join(ROOT, 'dist/bench/support');

interface Stream {
  readonly name: string;
  readonly link: LinkSettings;
  /** Bytes of a datagram. */
  readonly size: number;
  /** Whether a transfer through the same connection goes on. */
  readonly isBeside?: boolean;
}

const LOSSY: LinkSettings = { delay: 20, rate: 50, loss: 1 };
const STREAMS: readonly Stream[] = [
  { name: '1000 B, 50 Mbit/s, 20 ms, 1 % loss', link: LOSSY, size: 1000 },
  { name: '1365 B, the same link', link: LOSSY, size: 1365 },
  { name: '1000 B, 50 Mbit/s, 20 ms, no loss', link: { delay: 20, rate: 50 }, size: 1000 },
  { name: '65507 B, the same link', link: { delay: 20, rate: 50 }, size: 65_507 },
  { name: '1000 B beside a transfer', link: { delay: 20, rate: 50 }, size: 1000, isBeside: true },
];
/** The link may be measured to lose so much more or less, %, and the tunnel may take so much longer, ms. */
const [LOSS, DELAY] = [0.3, 2] as const;

interface Outcome {
  /** %. */
  readonly loss: number;
  /** ms; of half of the datagrams, and of 99 %. */
  readonly median: number;
  readonly late: number;
}

async function stream(lab: Lab, sink: ReturnType<Lab['start']>, at: string, size: number): Promise<Outcome> {
  sink.stdout = '';
  const [host = '', port = ''] = at.split(':');
  const command = [process.execPath, join(SUPPORT, 'datagram-sender.js'), host, port, size, MEGABITS, seconds];
  const sent = Number(await lab.exec('alice', ...command.map(String)));
  const report = JSON.parse((await sink.waitFor(/^\{.*\}$/m))[0]) as { received: number; median: number; late: number };
  return { loss: 100 * (1 - report.received / sent), median: report.median, late: report.late };
}

async function openTunnel(lab: Lab): Promise<void> {
  const args = ['--bootstrap', await startNodeAtHub(lab)];
  const server = startTuntoxIn(lab, 'bob', 'server', ['-C', lab.directory(), ...args]);
  const [toxId] = await server.waitFor(/^[0-9A-F]{76}$/m);
  await server.waitFor(/^online/m);
  const { port } = await startLabService(lab);
  const forwards = ['-L', `udp:${UDP_PORT}:127.0.0.1:${SINK_PORT}`, '-L', `${TCP_PORT}:127.0.0.1:${port}`];
  const client = startTuntoxIn(lab, 'alice', 'client', ['-i', toxId, ...forwards, '-d', ...args]);
  await client.waitFor(/direct/);
}

function measure({ name, link, size, isBeside = false }: Stream): Promise<Figure[]> {
  return inLab(async (lab) => {
    const sink = lab.start('bob', 'sink', [process.execPath, join(SUPPORT, 'datagram-sink.js'), `${SINK_PORT}`]);
    await sink.waitFor(/ready/);
    await openTunnel(lab);
    await lab.set('alice', link);
    const own = await stream(lab, sink, `${await lab.addressOf('bob')}:${SINK_PORT}`, size);
    const load = isBeside
      ? lab.start('alice', 'transfer', [
          ...[process.execPath, join(SUPPORT, 'link-load.js'), 'up', '3', `${seconds + 5}`],
          `127.0.0.1:${TCP_PORT}`,
        ])
      : undefined;
    await load?.waitFor(/measuring/);
    const ours = await stream(lab, sink, `127.0.0.1:${UDP_PORT}`, size);
    const beside = load === undefined ? [] : (JSON.parse((await load.waitFor(/^\[.*\]$/m))[0]) as number[]);
    const percent = (value: number): string => `${value.toFixed(2)} %`;
    const ms = (value: number): string => `${value.toFixed(1)} ms`;
    const more = ours.median - own.median;
    return [
      {
        what: name,
        measured: percent(ours.loss),
        mark: atMost(Math.abs(ours.loss - own.loss), LOSS, '% apart'),
        note: `lost; by the link itself ${percent(own.loss)}`,
      },
      {
        what: '  delay',
        measured: ms(ours.median),
        mark: isBeside ? undefined : atMost(more, DELAY, 'ms more'),
        note: `by the link itself ${ms(own.median)}; 99 % within ${ms(ours.late)} and ${ms(own.late)}`,
      },
      ...beside.map((rate) => ({ what: '  the transfer', measured: `${(rate * 8).toFixed(1)} Mbit/s` })),
    ];
  });
}

await runBenchmark(`A stream of ${MEGABITS} Mbit/s through a UDP forward`, async (save) => {
  const figures: Figure[] = [];
  for (const one of STREAMS) {
    showProgress(one.name);
    figures.push(...(await measure(one)));
    save(figures);
  }
  return figures;
});
process.exit();
