/**
 * A connection through a forward that a daemon keeps up, to a service behind another daemon: from connect() to the first byte, beside
 * the same service without tuntox, in turn. There is no network in between, so all of it is what tuntox costs; on a real one, the round
 * trips of the tunnel come on top, one to open it and the way back of the first byte.
 *
 *     node dist/bench/standing-forward.js [connections, 300 by default]
 */
import { connect } from 'node:net';
import { systemClock } from '../src/base/clock.js';
import { ControlClient } from '../src/control/client.js';
import { freeTcpPort } from '../test/support/processes.js';
import { startDaemon } from './support/daemon.js';
import { atMost, spread } from './support/figures.js';
import { benchmarkArguments, runBenchmark } from './support/output.js';
import { startNode, startService, whileAllRun } from './support/private-network.js';
import { showProgress } from './support/progress.js';
import { median, quantile } from './support/statistics.js';

const [connections = 300] = benchmarkArguments.map(Number);
/** s */
const MARK = 0.02;
const PATIENCE = 10_000;
const WARM_UP = 20;

/** s from connect() to the first byte, which the service sends by itself. */
function firstByte(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', reject).once('data', () => {
      resolve((performance.now() - startedAt) / 1000);
      socket.destroy();
    });
  });
}

await runBenchmark('A standing forward', async () => {
  const node = await startNode();
  const [server, client] = [await startDaemon([node]), await startDaemon([node])];
  const service = await startService();
  const port = await freeTcpPort();
  const owner = await ControlClient.connect(systemClock, {
    path: client.socket,
    client: 'benchmark',
    timeout: PATIENCE,
  });
  const { toxId, secret } = server;
  await owner.call('forwards.add', { server: toxId, secret, forward: `${port}:127.0.0.1:${service}` });
  owner.close();
  const times: Record<'direct' | 'forwarded', number[]> = { direct: [], forwarded: [] };
  for (let run = 1; run <= connections + WARM_UP; run += 1) {
    showProgress(`connection ${run} of ${connections + WARM_UP}`);
    const direct = await whileAllRun(firstByte(service));
    const forwarded = await whileAllRun(firstByte(port));
    if (run <= WARM_UP) continue;
    times.direct.push(direct);
    times.forwarded.push(forwarded);
  }
  const cost = times.forwarded.map((time, index) => time - (times.direct[index] as number));
  return [
    { what: 'without tuntox: first byte', measured: spread(times.direct, 's'), note: 'the limit' },
    { what: 'through the forward: first byte', measured: spread(times.forwarded, 's') },
    { what: 'what the forward costs', measured: spread(cost, 's'), mark: atMost(median(cost), MARK, 's') },
    {
      what: '  95 %',
      measured: spread([quantile(cost, 0.95)], 's'),
      mark: atMost(quantile(cost, 0.95), MARK, 's'),
    },
  ];
});
process.exit();
