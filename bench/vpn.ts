/**
 * TCP through a VPN (docs/vpn.md) from alice to bob in the lab, beside TCP through a forward of the same connection, by iperf3.
 *
 *     node dist/bench/vpn.js [seconds of each transfer] [the beginning of a link's name, or nothing for all]
 */
import type { Lab, LinkSettings } from '../test/support/lab.js';
import { isReachable, startVpn, VPN } from '../test/support/lab-vpn.js';
import { inLab } from './support/bench-lab.js';
import { atLeast, type Figure } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { showProgress } from './support/progress.js';

const [seconds = '8', beginning = ''] = benchmarkArguments;
const [IPERF_PORT, LOCAL_PORT] = [5201, 8201] as const;
/** Part of the throughput of the forward. */
const LEAST = 0.6;
const LINKS: readonly { readonly name: string; readonly settings: LinkSettings }[] = [
  { name: '50 Mbit/s, 40 ms', settings: { delay: 20, rate: 50 } },
  { name: '100 Mbit/s, 10 ms', settings: { delay: 5, rate: 100 } },
];

/** @returns Mbit/s that arrive at bob */
async function transfer(lab: Lab, host: string, port: number): Promise<number> {
  const server = lab.start('bob', 'iperf3', ['iperf3', '-s', '-1', '--forceflush', '-p', `${IPERF_PORT}`]);
  await server.waitFor(/listening/);
  const printed = await lab.exec('alice', 'iperf3', '-c', host, '-p', `${port}`, '-t', seconds, '-O', '2', '-J');
  const { end } = JSON.parse(printed) as { end: { sum_received: { bits_per_second: number } } };
  await server.stop();
  return end.sum_received.bits_per_second / 1e6;
}

function measure(name: string, settings: LinkSettings): Promise<Figure[]> {
  return inLab(async (lab) => {
    await startVpn(lab, [`${LOCAL_PORT}:127.0.0.1:${IPERF_PORT}`]);
    if (!(await isReachable(lab, VPN.bob))) throw new Error('no ping comes through the VPN');
    await lab.set('alice', settings);
    const tunnel = await transfer(lab, '127.0.0.1', LOCAL_PORT);
    const vpn = await transfer(lab, VPN.bob, IPERF_PORT);
    return [
      { what: name, measured: `${vpn.toFixed(1)} Mbit/s`, note: `by the forward ${tunnel.toFixed(1)} Mbit/s` },
      {
        what: '  of the forward',
        measured: `${((100 * vpn) / tunnel).toFixed(0)} %`,
        mark: atLeast((100 * vpn) / tunnel, 100 * LEAST, '%'),
      },
    ];
  });
}

await runBenchmark('TCP through a VPN', async (save) => {
  const figures: Figure[] = [];
  for (const { name, settings } of LINKS.filter(({ name }) => name.startsWith(beginning))) {
    showProgress(name);
    figures.push(...(await measure(name, settings)));
    save(figures);
  }
  return figures;
});
process.exit();
